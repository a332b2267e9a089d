"""Which encoder the user asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from app.errors import UsageError

Codec = Literal["h264", "hevc", "av1"]

_HIGHEST_CRF: dict[str, int] = {"h264": 51, "hevc": 51, "av1": 63}


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """What the user asks for.

    Attributes:
        codec: the kind of video.
        encoder: FFmpeg's name of one, or ``auto``: NVENC where there is an NVIDIA driver and it
            works, else the one for the CPU.
        crf: constant quality, lower is better; ``None`` is the encoder's usual one.
        bitrate: bits per second in place of constant quality.
        preset: the encoder's own word for its speed.
    """

    codec: Codec = "h264"
    encoder: str = "auto"
    crf: int | None = None
    bitrate: int | None = None
    preset: str | None = None


def encoder_choice(
    codec: str | None, encoder: str, crf: int | None, bitrate: int | None, preset: str | None
) -> EncoderChoice:
    """The choice that the arguments mean; an encoder's name decides about the codec.

    Raises:
        UsageError: they do not go together, or there is no such encoder.
    """
    if encoder != "auto":
        import av  # --help does not wait for it

        try:
            found = av.Codec(encoder, "w").canonical_name
        except av.codec.codec.UnknownCodecError as error:
            raise UsageError(
                f"There is no encoder {encoder} here: --diagnostics lists those that work."
            ) from error
        if found not in get_args(Codec):
            raise UsageError(f"{encoder} makes {found}: choose one for h264, hevc or av1.")
        if codec is not None and codec != found:
            raise UsageError(f"{encoder} makes {found}, not {codec}: leave one of them out.")
        codec = found
    codec = codec or "h264"
    if crf is not None and bitrate is not None:
        raise UsageError("--crf and --bitrate exclude each other: leave one of them out.")
    if crf is not None and crf > _HIGHEST_CRF[codec]:
        raise UsageError(f"--crf goes from 0 to {_HIGHEST_CRF[codec]} for {codec}, not {crf}.")
    known = next(name for name in get_args(Codec) if name == codec)
    return EncoderChoice(known, encoder, crf, bitrate, preset)

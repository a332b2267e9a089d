"""Encoder rules: an encoder from given arguments, and which go together."""

from __future__ import annotations

from typing import get_args

from app.config.arguments import OutputArguments
from app.config.settings import Codec, EncoderChoice
from app.errors import UsageError
from fastscnn.suggestions import did_you_mean

HIGHEST_CRF: dict[str, int] = {"h264": 51, "hevc": 51, "av1": 63}


def encoder_choice(args: OutputArguments) -> EncoderChoice:
    """The choice that the arguments mean; an encoder's name decides about the codec.

    Raises:
        UsageError: they do not go together, or there is no such encoder.
    """
    codec, encoder, crf, bitrate = args.codec, args.encoder, args.crf, args.bitrate
    if encoder != "auto":
        import av  # --help does not wait for it

        try:
            found = av.Codec(encoder, "w").canonical_name
        except av.codec.codec.UnknownCodecError as error:
            raise UsageError(
                f"There is no encoder {encoder} here: --diagnostics lists those that work."
                f"{did_you_mean(encoder, av.codecs_available)}"
            ) from error
        if found not in get_args(Codec):
            raise UsageError(f"{encoder} makes {found}: choose one for h264, hevc or av1.")
        if codec is not None and codec != found:
            raise UsageError(f"{encoder} makes {found}, not {codec}: leave one of them out.")
        codec = next(name for name in get_args(Codec) if name == found)
    codec = codec or "h264"
    if crf is not None and bitrate is not None:
        raise UsageError("--crf and --bitrate exclude each other: leave one of them out.")
    if crf is not None and crf > HIGHEST_CRF[codec]:
        raise UsageError(f"--crf goes from 0 to {HIGHEST_CRF[codec]} for {codec}, not {crf}.")
    known = next(name for name in get_args(Codec) if name == codec)
    return EncoderChoice(known, encoder, crf, bitrate, args.preset)

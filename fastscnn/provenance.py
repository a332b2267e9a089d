"""Provenance: by what program, from what and by which weights a file was made."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fastscnn import __version__

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_LONGEST = 65_000
"""Bytes that a comment of a JPEG takes, about."""


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """File that weights were read from.

    Attributes:
        name: without its folder.
        sha256: of all its bytes, in hexadecimal digits.
    """

    name: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class NetworkUse:
    """Network as it was used for a file.

    Attributes:
        weights: where its weights come from.
        input_size: what it saw of a frame, in words or as ``HxW``.
        skip: whether the skip connection contributed; ``None`` where there is none.
        steady: whether logits were carried over from the frames before.
    """

    weights: WeightsFile
    input_size: str
    skip: bool | None
    steady: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "weights": printable(self.weights.name),
            "sha256": self.weights.sha256,
            "input_size": self.input_size,
            "skip": self.skip,
            **({"steady": True} if self.steady else {}),
        }


def weights_file(path: Path) -> WeightsFile:
    """Return a file's name and hash.

    Raises:
        OSError: it cannot be read.
    """
    return WeightsFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest())


def provenance(content: str, source: str, networks: Iterable[NetworkUse]) -> dict[str, Any]:
    """Return the provenance of a file that is made now, as JSON takes it.

    Args:
        content: what is in the file.
        source: name of what the network saw; without a password.
        networks: those that were used; none for the picture as it came.
    """
    return {
        "program": f"Fast-SCNN Live {__version__}",
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "content": content,
        "source": printable(source),
        "networks": [network.as_json() for network in networks],
    }


def as_comment(values: dict[str, Any]) -> str:
    """Return a provenance as the text that files carry."""
    return json.dumps(values)


def with_comment(picture: bytes, values: dict[str, Any]) -> bytes:
    """Return an encoded PNG or JPEG with a provenance as its comment; its pixels stay."""
    text = as_comment(values).encode()[:_LONGEST]
    if picture.startswith(_PNG):
        head = len(_PNG) + 25  # behind its first chunk, which tells the size
        chunk = b"tEXtComment\0" + text
        sealed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return picture[:head] + sealed + picture[head:]
    if picture.startswith(_JPEG):
        head = len(_JPEG)
        # Some readers want the file's own header first.
        if picture[head : head + 2] == b"\xff\xe0":
            head += 2 + struct.unpack(">H", picture[head + 2 : head + 4])[0]
        return (
            picture[:head] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + picture[head:]
        )
    return picture


def printable(name: str) -> str:
    """Return a file's name with bytes that are no Unicode as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()

"""File information: what a recording, picture, table or report says of its making."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.errors import SourceError
from fastscnn.paths import not_readable
from fastscnn.suggestions import why_missing

_MOST_BYTES = 64_000_000
"""Size of a report that is read."""


def file_info(path: Path) -> str:
    """Return in lines how a file was made.

    Raises:
        SourceError: it cannot be read, or says nothing.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError as error:
        raise SourceError(why_missing(path)) from error
    except OSError as error:
        raise SourceError(not_readable(error, path)) from error
    said: object = None
    try:
        text = _said(path, head)
        said = json.loads(text) if text else None
    except (ValueError, RecursionError):
        pass
    found = said.get("info", said) if isinstance(said, dict) else None  # in COCO
    found = found.get("provenance", found) if isinstance(found, dict) else None
    if not isinstance(found, dict) or "program" not in found:
        raise SourceError(
            f"{path} does not say how it was made: recordings, pictures, labels, reports, objects"
            " and Parquet files of this program do, from version 0.1.0 on; lines of JSON and CSV"
            " have no place for it."
        )
    return "\n".join(_lines(found))


def _said(path: Path, head: bytes) -> str:
    """Return what a file says, as the text of a JSON object; empty where that is nothing."""
    if head.startswith(b"PAR1"):
        return _key_value(path)
    return _json(path) if head.lstrip()[:1] == b"{" else _comment(path, head)


def _json(path: Path) -> str:
    with path.open("rb") as file:
        first = file.readline(_MOST_BYTES).rstrip()
        if first.endswith(b","):  # of objects, of which there may be any number behind it
            return first[:-1].decode() + "}"
    return path.read_text("utf-8") if path.stat().st_size <= _MOST_BYTES else ""


def _key_value(path: Path) -> str:
    """Return what a Parquet file says.

    Raises:
        SourceError: the library for it is missing.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise SourceError(
            f"{path} is told by pyarrow, which is not installed: pip install pyarrow."
        ) from error
    try:
        with path.open("rb") as file:
            values: dict[bytes, bytes] = parquet.read_metadata(file).metadata or {}
    except OSError:
        return ""
    return values.get(b"provenance", b"").decode()


def _comment(path: Path, head: bytes) -> str:
    """Return the comment of a picture or of a video; empty where there is none."""
    if head.startswith((b"\x89PNG", b"\xff\xd8")):
        from PIL import Image

        try:
            with Image.open(path) as picture:
                found = picture.info.get("Comment") or picture.info.get("comment") or ""
        except (OSError, SyntaxError, Image.DecompressionBombError):
            return ""
        return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
    import av

    try:
        with path.open("rb") as file, av.open(file) as container:
            values = {name.lower(): text for name, text in container.metadata.items()}
    except (av.error.FFmpegError, OSError):
        return ""
    return values.get("comment", "")


def _lines(found: dict[str, Any]) -> list[str]:
    rows = [(name, found.get(name)) for name in ("program", "made", "content", "source")]
    networks = found.get("networks")
    for network in networks if isinstance(networks, list) else []:
        if isinstance(network, dict):
            switch = network.get("skip")
            skip = "on" if switch is True else "none" if switch is None else "off"
            rows += [
                ("weights", network.get("weights")),
                ("sha256", network.get("sha256")),
                ("input size", network.get("input_size")),
                ("skip", skip),
            ]
    return [f"{name:<11}{_plain(value)}" for name, value in rows]


def _plain(value: object) -> str:
    """Return a value of a stranger's file as one line without signs that terminals obey."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(value))[:500]

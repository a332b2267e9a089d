"""File information: what a recording, picture, file of labels or report says of its making."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.errors import SourceError
from fastscnn.suggestions import did_you_mean_file

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
        raise SourceError(
            f"There is no file {path}: check the path.{did_you_mean_file(path)}"
        ) from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}).") from error
    said: object = None
    try:
        text = _report(path) if head.lstrip()[:1] == b"{" else _comment(path, head)
        said = json.loads(text) if text else None
    except (ValueError, RecursionError):
        pass
    found = said.get("provenance", said) if isinstance(said, dict) else None
    if not isinstance(found, dict) or "program" not in found:
        raise SourceError(
            f"{path} does not say how it was made: recordings, pictures, labels and reports of this"
            " program do, from version 0.1.0 on."
        )
    return "\n".join(_lines(found))


def _report(path: Path) -> str:
    return path.read_text("utf-8") if path.stat().st_size <= _MOST_BYTES else ""


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
            skip = {True: "on", False: "off"}.get(network.get("skip") is True)
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

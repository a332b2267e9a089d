"""Completeness: whether a file breaks off before its own end.

Lengths and counts of frames that a container states are no promise about its frames: whole files
state others. What counts is where its parts lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_SLACK = 16
"""Bytes by which writers miscount."""


def breaks_off(container: InputContainer, head: bytes) -> bool:
    """Return whether a file is shorter than it says.

    Args:
        container: the open file.
        head: its first bytes, about a thousand.
    """
    size = container.size
    if size <= 0:
        return False
    stated = stated_size(head)
    if stated is not None:
        return size + _SLACK < stated
    # An index of an MP4 or MOV names the place of every packet.
    last = [stream.index_entries[-1] for stream in container.streams if len(stream.index_entries)]
    return any(entry.pos + entry.size > size + _SLACK for entry in last)


def stated_size(head: bytes) -> int | None:
    """Return how many bytes a file says that it has; ``None`` where it says nothing of it.

    Matroska, WebM, AVI and ASF do. Who writes to a place without a way back leaves it open.
    """
    if head.startswith(b"RIFF"):
        size = int.from_bytes(head[4:8], "little")
        return size + 8 if 0 < size < 0xFFFFFF00 else None
    if head.startswith(_EBML):
        length, body = _ebml_size(head, 4)
        segment = body + (length or 0)
        if head[segment : segment + 4] != _SEGMENT:
            return None
        size_of_segment, begin = _ebml_size(head, segment + 4)
        return begin + size_of_segment if size_of_segment is not None else None
    at = head.find(_ASF_FILE)
    if at >= 0 and head.startswith(b"\x30\x26\xb2\x75"):
        return int.from_bytes(head[at + 40 : at + 48], "little") or None
    return None


def _ebml_size(data: bytes, at: int) -> tuple[int | None, int]:
    """Return the size of an element (``None``: unknown) and the place behind it."""
    first = data[at] if at < len(data) else 0
    length = 9 - first.bit_length()
    if not first or at + length > len(data):
        return None, at + 1
    ones = (1 << 7 * length) - 1
    size = int.from_bytes(data[at : at + length], "big") & ones
    return (size if size != ones else None), at + length

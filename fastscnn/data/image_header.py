"""Image headers: the size of an image before anything is decoded."""

from __future__ import annotations

import struct

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
"""First bytes of these formats."""


def header_size(data: bytes, *, as_decoded: bool = False) -> tuple[int, int] | None:
    """Return (width, height) as PNG, JPEG, BMP, WebP, TIFF, GIF or PNM data state it.

    ``None`` where they state none that can be found, or are of another kind.

    Args:
        data: the file, or its first bytes.
        as_decoded: also ``None`` for a JPEG with EXIF data, by which a decoder may turn it.
    """
    try:
        if data.startswith(JPEG):
            return _jpeg(data, as_decoded)
        for signature, size in _KINDS:
            if data.startswith(signature):
                return size(data)
    except (struct.error, IndexError, ValueError):
        pass
    return None


def _png(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg(data: bytes, refuse_exif: bool) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xFF:  # fill bytes may stand before a marker
            place += 1
            continue
        # Start of frame, in its kinds; C4, C8 and CC are something else.
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        if refuse_exif and marker == 0xE1 and data[place + 4 : place + 8] == b"Exif":
            return None
        alone = marker == 0x01 or 0xD0 <= marker <= 0xD8
        place += 2 if alone else 2 + struct.unpack_from(">H", data, place + 2)[0]
    return None


def _bmp(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _gif(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return (
            1 + int.from_bytes(data[24:27], "little"),
            1 + int.from_bytes(data[27:30], "little"),
        )
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff(data: bytes) -> tuple[int, int] | None:
    order = "<" if data[:2] == b"II" else ">"
    place = struct.unpack_from(f"{order}I", data, 4)[0]
    found: dict[int, int] = {}
    for index in range(struct.unpack_from(f"{order}H", data, place)[0]):
        entry = place + 2 + 12 * index
        tag, kind = struct.unpack_from(f"{order}HH", data, entry)
        if tag in {256, 257}:
            short = kind == 3
            found[tag] = struct.unpack_from(f"{order}{'H' if short else 'I'}", data, entry + 8)[0]
    return (found[256], found[257]) if len(found) == 2 else None


def _pnm(data: bytes) -> tuple[int, int] | None:
    lines = (line.partition(b"#")[0] for line in data[2:2000].split(b"\n"))
    numbers = [int(word) for line in lines for word in line.split()[:3] if word.isdigit()]
    return (numbers[0], numbers[1]) if len(numbers) > 1 else None


_KINDS = (
    (PNG, _png),
    (b"BM", _bmp),
    (b"GIF8", _gif),
    (b"RIFF", _webp),
    (b"II*\x00", _tiff),
    (b"MM\x00*", _tiff),
    (b"P5", _pnm),
    (b"P6", _pnm),
)

"""Pictures in tiles, as phones store them: HEIC and AVIF whose grid puts them together."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

# With B-frames x265 gives a picture alone a time of decoding that is left to chance.
_ALONE = {"x265-params": "log-level=none:bframes=0"}
_CODECS = {
    ".heic": ("libx265", b"hvc1", b"hvcC", b"heic", _ALONE),
    ".avif": ("libsvtav1", b"av01", b"av1C", b"avif", {"preset": "10"}),
}
TILE = 128


def write_tiles(path: Path, image: NDArray[np.uint8]) -> Path:
    """Write an image (RGB, H×W×3) in tiles of 128×128; those at its right and bottom stick out."""
    codec, kind, configuration, brand, options = _CODECS[path.suffix]
    height, width = image.shape[:2]
    rows, columns = -(-height // TILE), -(-width // TILE)
    padding = ((0, rows * TILE - height), (0, columns * TILE - width), (0, 0))
    padded = np.pad(image, padding, mode="edge")
    tiles, config = [], b""
    for row in range(rows):
        for column in range(columns):
            tile = padded[row * TILE :, column * TILE :][:TILE, :TILE]
            config, data = _encoded(path.with_suffix(".mp4"), tile, codec, options, configuration)
            tiles.append(data)
    numbers = range(2, 2 + len(tiles))
    items = [_full(b"infe", 2, struct.pack(">HH4s", 1, 0, b"grid") + b"\0")]
    items += [_full(b"infe", 2, struct.pack(">HH4s", n, 0, kind) + b"\0", 1) for n in numbers]
    parts = struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *numbers)
    properties = [
        _box(configuration, config),
        _full(b"ispe", 0, struct.pack(">II", TILE, TILE)),
        _full(b"ispe", 0, struct.pack(">II", width, height)),
        _full(b"pixi", 0, bytes((3, 8, 8, 8))),
    ]
    uses = struct.pack(">I", 1 + len(tiles)) + struct.pack(">HBBB", 1, 2, 3, 4)
    uses += b"".join(struct.pack(">HBBBB", n, 3, 0x81, 2, 4) for n in numbers)
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)

    def meta(begin: int) -> bytes:
        places = struct.pack(">BBHHHHHII", 0x44, 0, 1 + len(tiles), 1, 1, 0, 1, 0, len(grid))
        for number, data in zip(numbers, tiles, strict=True):
            places += struct.pack(">HHHHII", number, 0, 0, 1, begin, len(data))
            begin += len(data)
        handler = _full(b"hdlr", 0, struct.pack(">I4s12x", 0, b"pict") + b"\0")
        return _full(
            b"meta",
            0,
            handler
            + _full(b"pitm", 0, struct.pack(">H", 1))
            + _full(b"iinf", 0, struct.pack(">H", len(items)) + b"".join(items))
            + _full(b"iref", 0, _box(b"dimg", parts))
            + _box(b"iprp", _box(b"ipco", b"".join(properties)) + _full(b"ipma", 0, uses))
            + _box(b"idat", grid)
            + _full(b"iloc", 1, places),
        )

    head = _box(b"ftyp", brand + bytes(4) + b"mif1" + brand + b"miaf")
    begin = len(head) + len(meta(0)) + 8
    path.write_bytes(head + meta(begin) + _box(b"mdat", b"".join(tiles)))
    return path


def _encoded(
    path: Path, tile: NDArray[np.uint8], codec: str, options: dict[str, str], configuration: bytes
) -> tuple[bytes, bytes]:
    """The decoder's configuration and the data of one tile, by way of an MP4."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=1, options={**options, "crf": "5"})
        stream.height, stream.width = tile.shape[:2]
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(tile), format="rgb24")
        frame.pts = 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    file = path.read_bytes()
    with av.open(str(path)) as container:
        data = next(bytes(packet) for packet in container.demux(video=0))
    path.unlink()
    place = file.index(configuration) - 4
    length = struct.unpack_from(">I", file, place)[0]
    return file[place + 8 : place + length], data


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _full(kind: bytes, version: int, content: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags) + content)

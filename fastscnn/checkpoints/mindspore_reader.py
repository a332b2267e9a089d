"""Reader of MindSpore's ``.ckpt``: named tensors in a protobuf message.

The message is a row of values, each a tag (1) and a tensor (2) of dimensions (1), the name of a
type (2) and bytes (3); large tensors are cut into several values under one tag. Only that is read
here, straight from the bytes, so that nothing has to be installed for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

_FIRST = b"\x0a"
"""First byte of such a message: field 1, of a length of its own."""
_CHECK, _CHECK_BYTES = b"crc_num", 17
"""Mark of the checksum that newer versions put at the end, with the bytes of both."""
_TYPES = {"Float16": "<f2", "Float32": "<f4", "Float64": "<f8", "Int32": "<i4", "Int64": "<i8"}
_NAMES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
"""Names of batch norm's tensors, and torch's."""
_MOST_TENSORS = 10_000


def looks_like(path: Path) -> bool:
    """Return whether a file begins as such a message."""
    with path.open("rb") as file:
        return file.read(1) == _FIRST


def read(path: Path) -> dict[str, Tensor]:
    """Return the named tensors of a file, with torch's names at their ends and slashes for dots.

    Slashes tell them from torch's own files of networks that are named alike.

    Raises:
        ValueError: the file is damaged.
    """
    data = memoryview(path.read_bytes())
    if data[-_CHECK_BYTES:][: len(_CHECK)] == _CHECK:
        data = data[:-_CHECK_BYTES]
    shapes: dict[str, tuple[list[int], str]] = {}
    parts: dict[str, list[memoryview]] = {}
    for field, value in _fields(data):
        inside = dict(_fields(value)) if field == 1 and isinstance(value, memoryview) else {}
        tag, tensor = inside.get(1), inside.get(2)
        if not isinstance(tag, memoryview) or not isinstance(tensor, memoryview):
            raise ValueError("a value that is no tensor")
        dimensions, kind, content = _tensor(tensor)
        name = bytes(tag).decode()
        if len(parts) > _MOST_TENSORS:
            raise ValueError("more tensors than any network has")
        shapes.setdefault(name, (dimensions, kind))
        parts.setdefault(name, []).append(content)
    found = {}
    for name, (shape, kind) in shapes.items():
        values = np.frombuffer(b"".join(parts[name]), _TYPES[kind]) if kind in _TYPES else None
        # Counters and the like have no shape, and are nothing of a network.
        if values is not None and len(values) == math.prod(shape):
            *places, last = name.split(".")
            tensor_name = "/".join((*places, _NAMES.get(last, last)))
            found[tensor_name] = torch.from_numpy(values.reshape(shape).copy())
    return found


def _tensor(data: memoryview) -> tuple[list[int], str, memoryview]:
    dimensions: list[int] = []
    kind, content = "", memoryview(b"")
    for field, value in _fields(data):
        if field == 1:
            dimensions += [value] if isinstance(value, int) else _numbers(value)
        elif field == 2 and isinstance(value, memoryview):
            kind = bytes(value).decode()
        elif field == 3 and isinstance(value, memoryview):
            content = value
    return dimensions, kind, content


def _numbers(data: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(data):
        number, at = _number(data, at)
        found.append(number)
    return found


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the fields of a message with their numbers."""
    at = 0
    while at < len(data):
        key, at = _number(data, at)
        if key & 7 == 0:
            value, at = _number(data, at)
            yield key >> 3, value
        elif key & 7 == 2:
            length, at = _number(data, at)
            if length > len(data) - at:
                raise ValueError("a field that goes beyond its message")
            yield key >> 3, data[at : at + length]
            at += length
        else:
            raise ValueError(f"a field of kind {key & 7}")


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """Return a number of up to ten bytes, seven bits in each, and where it ends."""
    number = 0
    for place, byte in enumerate(data[at : at + 10]):
        number |= (byte & 127) << 7 * place
        if byte < 128:
            return number, at + place + 1
    raise ValueError("a number without an end")

"""Reader of PaddlePaddle's ``.pdparams``: a pickle of numpy arrays.

A pickle can run any code, so this one is read by an unpickler that knows how to make arrays and
refuses everything else.
"""

from __future__ import annotations

import codecs
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fastscnn.checkpoints.unwrapping import placed

_PICKLE = b"\x80"
"""First byte of a binary pickle; torch's archives begin otherwise, but for its oldest ones."""
_TORCH_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
"""Number near the beginning of torch's oldest files, which are pickles too."""


def _empty_array(kind: Any, shape: Any, code: Any) -> np.ndarray[Any, Any]:
    """Return the empty array that numpy's pickles begin with; never a large one."""
    if kind is not np.ndarray or shape != (0,):
        raise pickle.UnpicklingError("not an array")
    return np.ndarray((0,), np.int8)


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Encode text as old pickles write bytes."""
    if encoding not in {"latin1", "latin-1"}:
        raise pickle.UnpicklingError("not bytes")
    return codecs.encode(text, "latin1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): OrderedDict,
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} has no place here") from None


def looks_like(path: Path) -> bool:
    """Return whether a file is a pickle that torch did not write."""
    with path.open("rb") as file:
        head = file.read(64)
    return head.startswith(_PICKLE) and _TORCH_MAGIC not in head


def read(path: Path) -> dict[str, Tensor]:
    """Return the named arrays of a file, as tensors under the names that torch would give them.

    Raises:
        Exception: the file is damaged or holds anything but arrays of numbers.
    """
    with path.open("rb") as file:
        values = _ArraysOnly(file).load()
    return {
        ".".join((*path, _torch_name(name))): torch.from_numpy(value)
        for path, inside in placed(values)
        for name, value in inside.items()
        if isinstance(name, str) and isinstance(value, np.ndarray)
    }


def _torch_name(name: str) -> str:
    """Return torch's name of a tensor: Paddle's differ for batch norm's statistics."""
    for theirs, ours in (("._mean", ".running_mean"), ("._variance", ".running_var")):
        if name.endswith(theirs):
            return name.removesuffix(theirs) + ours
    return name

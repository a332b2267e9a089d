"""Model: the network of the paper: Tables 1 to 3, and its switches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastscnn.model.fast_scnn import FastSCNN

__all__ = ["FastSCNN"]


def __getattr__(name: str) -> Any:
    # torch takes a second or two to import: its switches alone do not need it
    if name == "FastSCNN":
        from fastscnn.model.fast_scnn import FastSCNN

        return FastSCNN
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""What the user wants to see of a result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

View = Literal["overlay", "labels"]


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """How results are drawn.

    Attributes:
        view: labels blended over the frame, or the labels' colours alone.
        alpha: weight of the colours in the overlay, 0–1.
        hidden: train ids whose colours are left out.
    """

    view: View = "overlay"
    alpha: float = 0.5
    hidden: frozenset[int] = field(default_factory=frozenset)

"""Truth row: how right the network is, in words."""

from __future__ import annotations

import math

from PyQt6.QtWidgets import QLabel

from app.core.formatting import frames
from app.core.frame import Result, Verdict

_TIP = (
    "Mean IoU: of what the network or the truth calls a class, the part on which both agree,"
    " averaged over the classes that occur.\nHere: in this frame. So far: in all frames that were"
    " shown, each counted once, as fastscnn.evaluate does it;\nanother network, input size or"
    " switch counts for itself."
)

_NOTHING = "Mean IoU\nnot known yet"
"""As many lines as the figures have, so that nothing moves when they come."""


class TruthRow(QLabel):
    """Line of mean IoU, of the frame on the screen and so far; of both sides where two differ."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("muted")
        self.setToolTip(_TIP)
        self.setAccessibleName("Mean IoU")

    def refresh(self, result: Result | None) -> None:
        """Show how right a result is."""
        text = _NOTHING if result is None else figures(result)
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)


def figures(result: Result) -> str:
    """Return the figures of a result's sides in words."""
    found: list[Verdict] = []
    for side in range(len(result.view.sides)):
        verdict = result.verdict_at(side)
        if verdict is not None and not any(verdict is other for other in found):
            found.append(verdict)
    if not found:
        return _NOTHING
    here = " | ".join(_percent(each.here) for each in found)
    so_far = " | ".join(_percent(each.so_far) for each in found)
    return f"Mean IoU {here} here,\n{so_far} so far ({frames(found[0].frames)})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if math.isfinite(share) else "–"

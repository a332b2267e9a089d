"""View commands: layout, overlay options, skip connection."""

from __future__ import annotations

from dataclasses import replace

from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import PAIRS, Measure, View


class ViewController:
    """Commands that change how results are drawn; the worker reads them anew for every frame."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._before: View = "overlay"

    def set_skip(self, on: bool) -> None:
        """Switch the skip connection."""
        self._pipeline.live.skip = on

    def toggle_skip(self) -> None:
        """Switch the skip connection to the other side."""
        self.set_skip(not self._pipeline.live.skip)

    def set_view(self, view: View) -> None:
        """Choose the view."""
        self._pipeline.view = replace(self._pipeline.view, view=view)

    def set_measure(self, measure: Measure) -> None:
        """Choose the measure of confidence."""
        self._pipeline.view = replace(self._pipeline.view, measure=measure)

    def next_view(self) -> None:
        """Choose the next view."""
        judged = self._pipeline.truth.offered(self._pipeline.session.opened_spec)
        self._pipeline.view = self._pipeline.view.next(judged=judged)

    def toggle_confidence(self) -> None:
        """Show the confidence, or the view before it."""
        self._toggle("confidence")

    def toggle_wipe(self) -> None:
        """Compare skip on and off under a divider, or show the view before it."""
        view, pair = self._pipeline.view, PAIRS["skip on | skip off"]
        if view.view == "wipe" and (view.left, view.right) != pair:
            self._pipeline.view = view.comparing(*pair)  # another comparison gives way to this one
            return
        self._pipeline.view = replace(view, left=pair[0], right=pair[1])
        self._toggle("wipe")

    def compare(self, pair: str) -> None:
        """Compare two sides by the name that they have in menus."""
        self._pipeline.view = self._pipeline.view.comparing(*PAIRS[pair])

    def toggle_contours(self) -> None:
        """Draw the borders of classes, or do not."""
        view = self._pipeline.view
        self._pipeline.view = replace(view, contours=not view.contours)

    def toggle_class_names(self) -> None:
        """Write the classes' names on their regions, or do not."""
        view = self._pipeline.view
        self._pipeline.view = replace(view, class_names=not view.class_names)

    def set_steady(self, on: bool) -> None:
        """Hold labels steady from frame to frame, or do not."""
        self._pipeline.view = replace(self._pipeline.view, steady=on)

    def toggle_steady(self) -> None:
        """Hold labels steady, or do not any longer."""
        self.set_steady(not self._pipeline.view.steady)

    def set_palette(self, palette: str) -> None:
        """Choose the colours of the classes, as ``palettes.parse_palette`` returns them."""
        self._pipeline.view = replace(self._pipeline.view, palette=palette)

    def set_alpha(self, alpha: float) -> None:
        """Set the opacity of the colours, 0–1."""
        self._pipeline.view = replace(self._pipeline.view, alpha=alpha)

    def set_hidden(self, hidden: frozenset[int], names: tuple[str, ...]) -> None:
        """Hide classes by their numbers among ``names``."""
        view = self._pipeline.view.numbered_as(names)
        self._pipeline.view = replace(view, hidden=hidden)

    def set_blurred(self, names: tuple[str, ...]) -> None:
        """Blur the regions of these classes in the picture, wherever it goes."""
        self._pipeline.view = replace(self._pipeline.view, blurred=names)

    def set_split(self, split: float) -> None:
        """Move the divider of the wipe, 0–1 of the width; it stays there."""
        self._pipeline.view = replace(self._pipeline.view, split=split, sweep=0.0)

    def change_alpha(self, by: float) -> None:
        """Change the opacity of the colours."""
        self.set_alpha(min(1.0, max(0.0, self._pipeline.view.alpha + by)))

    def select_class(self, number: int, names: tuple[str, ...]) -> None:
        """Outline a class by its number among ``names``; stop where it is outlined already."""
        view = self._pipeline.view.numbered_as(names)
        chosen = None if view.selected == number else number
        self._pipeline.view = replace(view, selected=chosen)

    def _toggle(self, view: View) -> None:
        now = self._pipeline.view.view
        if now == view:
            self.set_view(self._before)
        else:
            self._before = now
            self.set_view(view)

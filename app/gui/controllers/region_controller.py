"""Region commands: parts of a source that are left out, drawn once and kept for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from app.core.events import EventKind
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec
from fastscnn.ignored_regions import Polygon


class Keeper(Protocol):
    """Memory for the regions of sources."""

    def regions_of(self, spec: SourceSpec) -> tuple[Polygon, ...]:
        """Return those that were kept for a source."""

    def keep_regions(self, spec: SourceSpec, regions: tuple[Polygon, ...]) -> None:
        """Keep them in place of those before."""


class RegionController:
    """Commands that leave parts of a source out of colours, shares and labels.

    Args:
        pipeline: the pipeline that plays it.
        keeper: remembers the parts; ``None`` forgets them with the window.
        notify: told the kind and text of a message.
    """

    def __init__(
        self, pipeline: Pipeline, keeper: Keeper | None, notify: Callable[[EventKind, str], None]
    ) -> None:
        self._pipeline, self._keeper, self._notify = pipeline, keeper, notify

    def use(self, spec: SourceSpec) -> None:
        """Leave out what was kept for a source that is about to play."""
        if self._keeper is not None:
            self._pipeline.live.ignore(spec, self._keeper.regions_of(spec))

    def add(self, region: Polygon) -> None:
        """Leave one more part of the current source out."""
        spec = self._pipeline.session.opened_spec
        if spec is not None:
            self._set(spec, (*self._pipeline.live.drawn_for(spec), region))
            self._notify(
                "notice",
                "This part is left out: it has no colours and counts in no share. It is kept for"
                f" {spec.name}; Shift+O brings it back.",
            )

    def clear(self) -> None:
        """Leave nothing of the current source out any more, but what the command line says."""
        spec = self._pipeline.session.opened_spec
        if spec is not None:
            self._set(spec, ())

    def _set(self, spec: SourceSpec, regions: tuple[Polygon, ...]) -> None:
        self._pipeline.live.ignore(spec, regions)
        if self._keeper is not None:
            self._keeper.keep_regions(spec, regions)

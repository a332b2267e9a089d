"""Live options: choices of the user that are read anew for every frame."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.rendering.view_options import ViewOptions
from app.sources.source_spec import Kind, SourceSpec
from fastscnn.ignored_regions import Polygon

_Source = tuple[Kind, str]


@dataclass(slots=True)
class LiveOptions:
    """View, skip connection, ignored regions; any thread may read, the user's thread puts others.

    Attributes:
        view: how results are drawn.
        skip: whether the skip connection contributes.
        ignored: regions that are ignored in every source.
    """

    view: ViewOptions
    skip: bool
    ignored: tuple[Polygon, ...] = ()
    _drawn: dict[_Source, tuple[Polygon, ...]] = field(default_factory=dict)

    def ignore(self, spec: SourceSpec, regions: tuple[Polygon, ...]) -> None:
        """Ignore regions of one source, in place of those before."""
        self._drawn[spec.kind, spec.value] = regions

    def drawn_for(self, spec: SourceSpec) -> tuple[Polygon, ...]:
        """Return the regions that are ignored in one source alone."""
        return self._drawn.get((spec.kind, spec.value), ())

    def ignored_in(self, spec: SourceSpec | None) -> tuple[Polygon, ...]:
        """Return all regions that are ignored in a source."""
        return self.ignored + (self.drawn_for(spec) if spec is not None else ())

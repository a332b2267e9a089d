"""Watch: what is looked for in a source, zones with names and the rules of alerts."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.sources.source_spec import Kind, SourceSpec
from fastscnn.ignored_regions import Polygon

MOST_WATCHED = 50
"""Zones, and rules, that are drawn and added for one source."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the picture with a name.

    Attributes:
        name: what rules call it.
        polygon: its corners, in pixels or in shares of width and height.
    """

    name: str
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Rule of an alert.

    Attributes:
        text: the rule as it was written.
        classes: names of classes and groups, whose shares are added.
        zone: name of the zone; empty for the whole picture.
        above: whether the share must be above the threshold, else below it.
        threshold: a share of the zone, 0–1.
        seconds: for how long.
    """

    text: str
    classes: tuple[str, ...]
    zone: str
    above: bool
    threshold: float
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Zones and rules, of one source or of all.

    Attributes:
        zones: parts with names, each another one.
        rules: what is told when it begins to hold.
    """

    zones: tuple[Zone, ...] = ()
    rules: tuple[AlertRule, ...] = ()

    def zone(self, name: str) -> Zone | None:
        """Return the zone of a name."""
        return next((zone for zone in self.zones if zone.name == name), None)

    def and_also(self, other: Watch) -> Watch:
        """Return both together; of two zones with one name the own one stays."""
        more = (zone for zone in other.zones if self.zone(zone.name) is None)
        return Watch((*self.zones, *more), tuple(dict.fromkeys((*self.rules, *other.rules))))


@dataclass(slots=True)
class Watches:
    """Watches of all sources. Any thread may read, the user's puts others.

    Attributes:
        common: what is looked for in every source.
    """

    common: Watch = field(default_factory=Watch)
    _own: dict[tuple[Kind, str], Watch] = field(default_factory=dict)

    def put(self, spec: SourceSpec, watch: Watch) -> None:
        """Look for something in one source, in place of what was looked for before."""
        self._own[spec.kind, spec.value] = watch

    def own(self, spec: SourceSpec) -> Watch:
        """Return what is looked for in one source alone."""
        return self._own.get((spec.kind, spec.value), Watch())

    def all_in(self, spec: SourceSpec | None) -> Watch:
        """Return all that is looked for in a source."""
        return self.common.and_also(self.own(spec)) if spec is not None else self.common

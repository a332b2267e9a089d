"""Watch commands: zones and alerts of a source, added by the user and kept for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from PyQt6.QtCore import QObject, pyqtSignal

from app.config.alert_rules import parse_rule, parse_zone_name, with_zone_renamed
from app.core.watch import MOST_WATCHED, AlertRule, Watch, Zone
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec
from fastscnn.ignored_regions import Polygon
from fastscnn.labels import ClassTable
from fastscnn.suggestions import did_you_mean


class WatchKeeper(Protocol):
    """Memory for what is looked for in sources."""

    def watch_of(self, spec: SourceSpec) -> Watch:
        """Return what was kept for a source."""

    def keep_watch(self, spec: SourceSpec, watch: Watch) -> None:
        """Keep it in place of what was kept before."""


class WatchController(QObject):
    """Commands on zones and alerts of the current source. What makes no sense is a ``ValueError``.

    Args:
        pipeline: the pipeline that plays it.
        keeper: remembers them; ``None`` forgets them with the window.
        classes: returns the classes of the network, by which rules are checked.
    """

    changed = pyqtSignal()

    def __init__(
        self, pipeline: Pipeline, keeper: WatchKeeper | None, classes: Callable[[], ClassTable]
    ) -> None:
        super().__init__()
        self._pipeline, self._keeper, self._classes = pipeline, keeper, classes

    @property
    def source(self) -> SourceSpec | None:
        """The open source."""
        return self._pipeline.session.opened_spec

    @property
    def given(self) -> Watch:
        """Zones and rules of the command line, which stay."""
        return self._pipeline.watches.common

    @property
    def own(self) -> Watch:
        """Zones and rules that were added for the current source."""
        return self._pipeline.watches.own(self.source) if self.source is not None else Watch()

    @property
    def example(self) -> str:
        """A class that a rule may be about."""
        names = self._classes().names
        return "person" if "person" in names else names[0]

    def use(self, spec: SourceSpec) -> None:
        """Look for what was kept for a source that is about to play."""
        if self._keeper is not None:
            self._pipeline.watches.put(spec, self._keeper.watch_of(spec))
            self.changed.emit()

    def free_name(self) -> str:
        """Return a name that no zone has."""
        names = self._names()
        return next(name for n in range(1, 999) if (name := f"zone-{n}") not in names)

    def add_zone(self, name: str, polygon: Polygon) -> None:
        """Add a zone."""
        self._check_room(len(self.own.zones), "zones")
        zone = Zone(self._new_name(name), polygon)
        self._set(replace(self.own, zones=(*self.own.zones, zone)))

    def redraw_zone(self, name: str, polygon: Polygon) -> None:
        """Give a zone other corners."""
        zones = (replace(z, polygon=polygon) if z.name == name else z for z in self.own.zones)
        self._set(replace(self.own, zones=tuple(zones)))

    def rename_zone(self, old: str, new: str) -> None:
        """Rename a zone, in the rules too."""
        if new.strip() == old:
            return
        name = self._new_name(new)
        zones = (replace(z, name=name) if z.name == old else z for z in self.own.zones)
        rules = (
            with_zone_renamed(rule, name) if rule.zone == old else rule for rule in self.own.rules
        )
        self._set(Watch(tuple(zones), tuple(rules)))

    def remove_zone(self, name: str) -> tuple[AlertRule, ...]:
        """Remove a zone, and the alerts in it, which are returned."""
        zones, rules = self.own.zones, self.own.rules
        self._set(
            Watch(
                tuple(zone for zone in zones if zone.name != name),
                tuple(rule for rule in rules if rule.zone != name),
            )
        )
        return tuple(rule for rule in rules if rule.zone == name)

    def add_rule(self, text: str) -> None:
        """Add an alert."""
        rule = parse_rule(text)
        names = self._names()
        if rule.zone and rule.zone not in names:
            raise ValueError(
                f"there is no zone {rule.zone}: draw it first.{did_you_mean(rule.zone, names)}"
            )
        self._classes().numbers_of(rule.classes)
        if rule in (*self.given.rules, *self.own.rules):
            raise ValueError("this alert is there already.")
        self._check_room(len(self.own.rules), "alerts")
        self._set(replace(self.own, rules=(*self.own.rules, rule)))

    def remove_rule(self, rule: AlertRule) -> None:
        """Remove an alert."""
        self._set(replace(self.own, rules=tuple(r for r in self.own.rules if r != rule)))

    def _names(self) -> list[str]:
        return [zone.name for zone in (*self.given.zones, *self.own.zones)]

    def _new_name(self, text: str) -> str:
        name = parse_zone_name(text)
        if name in self._names():
            raise ValueError(f"there is a zone {name} already: use another name.")
        return name

    def _check_room(self, count: int, what: str) -> None:
        if count >= MOST_WATCHED:
            raise ValueError(f"{MOST_WATCHED} {what} are the most for one source: remove one.")

    def _set(self, watch: Watch) -> None:
        if (spec := self.source) is not None:
            self._pipeline.watches.put(spec, watch)
            if self._keeper is not None:
                self._keeper.keep_watch(spec, watch)
            self.changed.emit()

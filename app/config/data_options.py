"""Options of data for other programs: regions of classes, alerts."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from app.config.alert_rules import format_rule, format_zone, parse_rule, parse_zone
from app.config.value_parsers import parse_command, parse_count, parse_names
from app.core.watch import AlertRule, Zone
from fastscnn.option_fields import option
from fastscnn.paths import expand_user


@dataclass(frozen=True, slots=True)
class ObjectOptions:
    """Objects: files that get the connected regions of some classes in every frame."""

    objects: tuple[Path, ...] = option(
        (),
        "write the connected regions of classes there: .json for COCO, .geojson for polygons",
        group="output",
        parse=expand_user,
        metavar="FILE",
        repeats=True,
    )
    classes: tuple[str, ...] = option(
        (),
        "of which classes or groups, with commas: person,car; default: people and vehicles",
        group="output",
        parse=parse_names,
        format=",".join,
        metavar="CLASSES",
    )
    min_area: int = option(
        64,
        "how many pixels a region has at least",
        group="output",
        parse=parse_count,
        metavar="N",
    )


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """Alerts: rules on classes' shares in zones, and what is done when one holds."""

    alert: tuple[AlertRule, ...] = option(
        (),
        "tell where 'CLASSES [in ZONE] > N% [for Ns]' begins to hold (or <), see docs/alerts.md;"
        " may be given several times",
        group="alerts",
        parse=parse_rule,
        format=format_rule,
        metavar="RULE",
        repeats=True,
    )
    zone: tuple[Zone, ...] = option(
        (),
        "a polygon for rules, in shares of the picture or in pixels; may be given several times",
        group="alerts",
        parse=parse_zone,
        format=format_zone,
        metavar="NAME=X,Y,X,Y,X,Y,…",
        repeats=True,
    )
    events: Path | None = option(
        None,
        "write a line of JSON there where an alert begins or ends",
        group="alerts",
        parse=expand_user,
        metavar="FILE.jsonl",
    )
    on_alert: tuple[str, ...] = option(
        (),
        "run this program for every alert, without a shell, with JSON on its input",
        group="alerts",
        parse=parse_command,
        format=shlex.join,
        metavar="COMMAND",
    )

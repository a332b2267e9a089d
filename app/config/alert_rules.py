"""Zones and the rules of alerts, as they are written: ``person,rider in door > 2% for 1s``."""

from __future__ import annotations

import re

from app.config.value_parsers import parse_names
from app.core.watch import AlertRule, Zone
from fastscnn.ignored_regions import format_polygon, parse_polygon

_NAME = re.compile(r"[\w-]{1,40}")
_CLASSES = r"[^<>=%]+?(?=\s+in\s|\s*[<>]|\s*$)"
_CLASSES_ALONE = r"[^<>=%\d]*?[^<>=%\d\s](?=\s*[\d=%])"
"""Classes before something that is no comparison: what is wrong comes behind them."""
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}
_EXAMPLE = "as in 'person in door > 2% for 1s'"


def parse_zone(text: str) -> Zone:
    """Return a zone from ``NAME=x,y,x,y,x,y``.

    Raises:
        ValueError: it is none, in a sentence.
    """
    name, equals, corners = text.partition("=")
    if not equals or not _NAME.fullmatch(name.strip()):
        raise ValueError(
            f"{text[:60]!r} is no zone: use NAME=x,y,x,y,x,y,… with a name of letters, digits and -"
        )
    try:
        return Zone(name.strip(), parse_polygon(corners))
    except ValueError as error:
        raise ValueError(f"zone {name.strip()}: {error}") from error


def parse_zone_name(text: str) -> str:
    """Return the name of a zone.

    Raises:
        ValueError: rules could not call a zone so.
    """
    if not _NAME.fullmatch(text.strip()):
        raise ValueError(
            f"{text[:60]!r} is no name for a zone: use up to 40 letters, digits, _ and -, no spaces"
        )
    return text.strip()


def format_zone(zone: Zone) -> str:
    """Return a zone as ``parse_zone`` reads it."""
    return f"{zone.name}={format_polygon(zone.polygon)}"


def parse_rule(text: str) -> AlertRule:
    """Return a rule: CLASSES [in ZONE] > or < NUMBER% [for NUMBER ms, s or min].

    Raises:
        ValueError: it is none; a sentence says what is missing in which column.
    """
    scan = _Scanner(text)
    names = scan.take(f"{_CLASSES}|{_CLASSES_ALONE}", "the name of a class")
    zone = scan.take(r"[\w-]+", "the name of a zone") if scan.find(r"in\s") else ""
    above = scan.take("[<>]", "> or <") == ">"
    threshold = float(scan.take(r"\d{1,3}(\.\d{1,6})?", "a number"))
    if threshold > 100:
        raise scan.wrong("a number up to 100", before=True)
    scan.take("%", "%")
    seconds = 0.0
    if scan.find(r"for\s"):
        seconds = float(scan.take(r"\d{1,5}(\.\d{1,6})?", "a number"))
        seconds *= _UNITS[scan.take(r"(ms|min|s)\b", "ms, s or min")]
    scan.end()
    return AlertRule(
        " ".join(text.split()), parse_names(names), zone, above, threshold / 100, seconds
    )


def format_rule(rule: AlertRule) -> str:
    """Return a rule as ``parse_rule`` reads it."""
    return rule.text


def with_zone_renamed(rule: AlertRule, name: str) -> AlertRule:
    """Return a rule for its zone under another name."""
    called = rf"\bin {re.escape(rule.zone)}(?=\s*[<>])"
    return parse_rule(re.sub(called, f"in {name}", rule.text, count=1))


class _Scanner:
    """Reader of a text from left to right, that says in which column something else belongs."""

    def __init__(self, text: str) -> None:
        self._text, self._place, self._before = text, 0, 0

    def find(self, pattern: str) -> bool:
        """Pass over what a pattern matches here, if it does."""
        found = re.compile(rf"\s*{pattern}").match(self._text, self._place)
        self._place = found.end() if found else self._place
        return found is not None

    def take(self, pattern: str, what: str) -> str:
        """Return what a pattern matches here, after spaces."""
        found = re.compile(rf"\s*({pattern})").match(self._text, self._place)
        if found is None:
            raise self.wrong(what)
        self._before, self._place = found.start(1), found.end()
        return found[1]

    def end(self) -> None:
        """Refuse anything more."""
        if self._text[self._place :].strip():
            raise self.wrong("'for' and a time, or the end")

    def wrong(self, what: str, *, before: bool = False) -> ValueError:
        """Return an error at this place, or at what was taken last."""
        rest = self._text[self._place :]
        place = self._before if before else self._place + len(rest) - len(rest.lstrip())
        return ValueError(
            f"{self._text[:80]!r} is no rule: in column {place + 1} belongs {what}, {_EXAMPLE}"
        )

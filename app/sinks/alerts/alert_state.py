"""Alert state: whether a rule holds, with hysteresis, so that flicker does not fire it twice."""

from __future__ import annotations

from typing import Literal

from app.core.watch import AlertRule

RELEASE = 0.8
"""Part of the threshold below which a share is clear of a rule with ``>``; ``<``: the inverse."""
CALM = 0.5
"""Seconds that a share must be clear at least before the alert ends."""


class AlertState:
    """State of one rule for one source.

    The alert begins at the first frame at which the share is over the threshold and has not been
    clear of it for as long as the rule says. It ends where the share has been clear for that long
    again, and for half a second at least. Between threshold and clear nothing changes.
    """

    def __init__(self, rule: AlertRule) -> None:
        self._rule = rule
        self.on = False
        self.since: float | None = None
        """Time of the source since when the share was over the threshold and not clear since."""
        self._clear_since: float | None = None

    def look(self, time: float, share: float) -> Literal["alert", "clear"] | None:
        """Take in the share at a time of the source; returns what begins, or ends, there."""
        rule = self._rule
        release = rule.threshold * (RELEASE if rule.above else 1 / RELEASE)
        over = share > rule.threshold if rule.above else share < rule.threshold
        clear = share <= release if rule.above else share >= release
        if over:
            self.since = time if self.since is None else self.since
            self._clear_since = None
        elif clear:
            self._clear_since = time if self._clear_since is None else self._clear_since
            if not self.on:
                self.since = None
        if not self.on and over and self.since is not None:
            if time - self.since >= rule.seconds - 1e-9:
                self.on = True
                return "alert"
        elif self.on and self._clear_since is not None:
            calm = max(rule.seconds, CALM)
            if time - self._clear_since >= calm - 1e-9:
                self.on, self.since, self._clear_since = False, None, None
                return "clear"
        return None

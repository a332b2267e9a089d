"""Damage record: the places of a file that could not be read whole, and the words for them."""

from __future__ import annotations

from app.sources.base import Damage

_MOST = 10_000
"""Places that are kept: a file of nothing but noise must not fill the memory."""
_NAMED = 3
"""Places that a sentence names."""


class DamageRecord:
    """Findings of several passes through one file; a place that is passed again counts once.

    Args:
        name: the file's, for the user.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._places: dict[int, Damage] = {}
        self._ending = ""
        self._absent = 0

    @property
    def unreadable(self) -> int:
        """Frames that are missing, as far as their number is known."""
        return sum(place.missing for place in self._places.values()) + self._absent

    def places(self) -> list[Damage]:
        """Return the places in the order of their times."""
        return [self._places[key] for key in sorted(self._places)]

    def add(self, place: Damage) -> None:
        """Note a place."""
        if len(self._places) < _MOST:
            self._places[round(place.start * 1000)] = place

    def break_off(self, last: float, *, count: int | None, stated: float, absent: int) -> None:
        """Note that the file ends before its own end.

        Args:
            last: where the last frame ends, in seconds.
            count: frames from the beginning to there; ``None`` where not all were read.
            stated: length that the file says it has, in seconds; 0 where it says none.
            absent: frames that it must have behind the end, as far as their number is known.
        """
        missing = absent + sum(self._places.pop(k).missing for k in self._at_end())
        self._absent = missing
        self.add(Damage(last, None, 0))
        of = f" of {stated:.1f}" if stated > last + 0.05 else ""
        after = f"after {_frames(count)}, " if count is not None else ""
        self._ending = (
            f"{self._name} ended early, {after}at {last:.1f}{of} s: the file is not complete."
        )

    def words(self, count: int | None) -> str:
        """Return what the user should know; empty where all is well.

        Args:
            count: frames from the beginning to the end; ``None`` where not all were read.
        """
        places = [place for place in self.places() if place.missing or place.incomplete]
        if not places:
            return self._ending
        missing = sum(place.missing for place in places)
        incomplete = sum(place.incomplete for place in places)
        lost = _frames(missing)
        if count is not None:
            lost = f"{missing} of {_frames(count + self.unreadable)}"
        parts = [f"{lost} could not be read"] if missing else []
        parts += [f"{_frames(incomplete)} could be read in part only"] if incomplete else []
        named = [f"{round(place.start, 2):g}" for place in places[:_NAMED]]
        rest = len(places) - len(named)
        where = f"{', '.join(named)} s" + (f" and {rest} more" if rest else "")
        sentence = f"{self._name} is damaged: {', '.join(parts)} (at {where})."
        return " ".join(part for part in (sentence, self._ending) if part)

    def _at_end(self) -> list[int]:
        return [key for key, place in self._places.items() if place.end is None]


def _frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"

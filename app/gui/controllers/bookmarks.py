"""Bookmarks: times of a clip that the user marks, in a file beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

from app.config.persistence import bookmarks_path
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec
from fastscnn.outputs import OutputError, write_json

_NEAR = 0.25
"""Seconds within which a bookmark is the one that is meant."""
_MOST, _MOST_BYTES = 1000, 1_000_000


class Bookmarks:
    """Bookmarks of what plays; those of files are kept beside them.

    Args:
        pipeline: the pipeline that plays it.
        notify: told what the user should know.
    """

    def __init__(self, pipeline: Pipeline, notify: Callable[[str], object]) -> None:
        self._pipeline, self._notify = pipeline, notify
        self._file: Path | None = None
        self.times: tuple[float, ...] = ()
        """In seconds, the first one first."""

    def use(self, spec: SourceSpec) -> None:
        """Read the bookmarks of a source that is about to play."""
        self._file, self.times = None, ()
        if spec.kind != "file":
            return
        self._file = bookmarks_path(Path(spec.value))
        try:
            self.times = _read(self._file)
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError):
            self._notify(
                f"{self._file.name} beside the clip holds no bookmarks and is left alone: new ones"
                " are kept until another source plays."
            )
            self._file = None

    def toggle(self) -> None:
        """Mark the time that is shown, or take its bookmark away."""
        status = self._pipeline.status()
        if not status.seekable or status.source is None or len(self.times) >= _MOST:
            return
        here = round(status.position, 3)
        others = tuple(time for time in self.times if abs(time - here) > _NEAR)
        self.times = others if others != self.times else tuple(sorted((*others, here)))
        if self._file is not None:
            try:
                write_json(self._file, {"bookmarks": list(self.times)})
            except OutputError as error:
                self._notify(f"{error} The bookmarks are kept until another source plays.")
                self._file = None

    def next(self) -> None:
        """Go to the next bookmark, from the last one to the first."""
        if not self.times:
            self._notify("There is no bookmark here: M sets one.")
            return
        here = self._pipeline.status().position
        later = [time for time in self.times if time > here + _NEAR]
        self._pipeline.session.seek(later[0] if later else self.times[0])


def _read(path: Path) -> tuple[float, ...]:
    """Return the times in a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds something else.
    """
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    said = json.loads(data) if len(data) <= _MOST_BYTES else None
    times = said.get("bookmarks") if isinstance(said, dict) else None
    if not isinstance(times, list) or len(times) > _MOST:
        raise ValueError("no list of bookmarks")
    if not all(type(t) in {int, float} and math.isfinite(t) and 0 <= t < 1e7 for t in times):
        raise ValueError("a bookmark that is no time")
    return tuple(sorted(float(time) for time in times))

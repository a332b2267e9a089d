"""Frame row: what the network saw in a frame, in numbers; the one place where it is made."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.frame import Result, SessionInfo
from app.rendering.overlay import shares

_PLACES = 6
"""Decimals of numbers: a pixel of a full HD picture is half a millionth of it."""

Value = str | int | float | bool | datetime | None

SHARE = "share_"
"""Columns of classes begin so, and go on with the class' name."""


@dataclass(frozen=True, slots=True)
class FrameRow:
    """Values of one frame, of the network's first pass where a view needs several.

    Attributes:
        source: what is open, as the window calls it; addresses without passwords.
        picture: what the frame is called in a folder of pictures, else empty.
        index: how many frames came before it since the source was opened.
        time: its place in the source, seconds.
        wall_time: when it was captured, UTC.
        width, height: of the frame, pixels.
        input_width, input_height: of what the network saw of it, pixels.
        skip: whether the skip connection contributed; ``None`` where there is none.
        confidence: mean over the network's output grid of the highest probability, 0–1; ``None``
            where a network gives none.
        latency: seconds from the capture to the drawn result.
        dropped: frames of the source since the row before that have no row.
        shares: by the class' name its part of the picture, 0–1.
    """

    source: str
    picture: str
    index: int
    time: float
    wall_time: datetime
    width: int
    height: int
    input_width: int
    input_height: int
    skip: bool | None
    confidence: float | None
    latency: float
    dropped: int
    shares: dict[str, float] = field(hash=False)

    def columns(self) -> dict[str, Value]:
        """Values by the names of columns, the shares last: the row of a table."""
        found: dict[str, Value] = {name: getattr(self, name) for name in COLUMNS}
        return found | {f"{SHARE}{name}": share for name, share in self.shares.items()}

    def as_json(self) -> dict[str, str | int | float | bool | None]:
        """The same with times as ISO 8601 text: what ``json.dumps`` takes."""
        return {name: as_text(value) for name, value in self.columns().items()}


COLUMNS: tuple[str, ...] = tuple(each.name for each in fields(FrameRow) if each.name != "shares")
"""Columns that every table has, in order."""


def as_text(value: Value) -> str | int | float | bool | None:
    """Return a value with a time as ISO 8601 text in UTC."""
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value


class RowMaker:
    """Maker of rows from results, which come in order."""

    def __init__(self) -> None:
        # By opened source: several may run beside each other.
        self._next: dict[tuple[int, int], tuple[int, SessionInfo | None]] = {}

    def row(self, result: Result) -> FrameRow:
        """Return the row of a result."""
        return row_of(result, self.missed(result))

    def missed(self, result: Result) -> int:
        """Return how many frames of its source never came since the result before."""
        frame = result.frame
        session = frame.segment[0], id(frame.session)
        expected, _ = self._next.get(session, (0, None))
        # The source is kept, or one that is opened later could have its number.
        self._next[session] = frame.index + 1, frame.session
        return frame.index - expected


def row_of(result: Result, dropped: int) -> FrameRow:
    """Return the row of a result before which so many frames were dropped."""
    frame, seen = result.frame, result.predictions[0]
    parts = shares(seen.labels, classes=len(seen.classes))
    return FrameRow(
        source=shown(frame.source),
        picture=shown(frame.name),
        index=frame.index,
        time=round(frame.time, _PLACES),
        wall_time=datetime.fromtimestamp(frame.wall_time, timezone.utc),
        width=frame.image.shape[1],
        height=frame.image.shape[0],
        input_width=seen.input_size[1],
        input_height=seen.input_size[0],
        skip=seen.skip,
        confidence=_confidence(seen.logits),
        latency=round(max(0.0, result.drawn - frame.captured), _PLACES),
        dropped=dropped,
        shares={
            name: round(part, _PLACES) for name, part in zip(seen.classes.names, parts, strict=True)
        },
    )


def _confidence(logits: NDArray[np.floating[Any]]) -> float | None:
    """Mean of the highest softmax probability over classes×h×w logits."""
    if not logits.size:
        return None
    odds = np.exp(logits - logits.max(axis=0), dtype=np.float32).sum(axis=0)
    mean = float((1 / odds).mean())
    return round(mean, _PLACES) if np.isfinite(mean) else None


def shown(name: str) -> str:
    """Return a name of a file with bytes that are no Unicode as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()

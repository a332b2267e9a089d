"""Units of work of a batch: drives, what is done with them, and what became of that."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["drive", "plan", "part", "join"]
State = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Drive:
    """A source of a batch.

    Attributes:
        source: an absolute path, or an address.
        name: its folder in the results.
        size: bytes.
        mtime: when it was changed, in seconds since 1970; 0 where that is unknown.
        error: why it cannot be read, as far as that was seen; empty elsewhere.
    """

    source: str
    name: str
    size: int = 0
    mtime: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a drive, from one key frame to another.

    Attributes:
        number: its place among the parts, from 0.
        start, end: seconds in the source; an end of ``None`` is the source's own.
        first: time of its first frame.
        origin: time in the source at which the recording of the whole begins.
    """

    number: int
    start: float
    end: float | None
    first: float
    origin: float


@dataclass(frozen=True, slots=True)
class Unit:
    """Unit of work, as it is handed to a worker.

    Attributes:
        name: the folder that it fills.
        drive: what it belongs to.
        key: hash of all that its result depends on.
        kind: ``drive`` is a whole one; ``plan`` looks where a drive may be cut, ``part`` is what it
            is cut into, ``join`` puts the parts together.
        part: which part.
        parts: folders that are put together, in order, and what is in them.
    """

    name: str
    drive: Drive
    key: str
    kind: Kind = "drive"
    part: Part | None = None
    parts: tuple[tuple[str, Part], ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """Outcome of a unit.

    Attributes:
        state: ``waiting`` where it was interrupted.
        error: why it failed, in a sentence.
        notice: what the user should know all the same: damage.
        frames: that went through the network.
        seconds: of work.
        length: seconds of video.
        facts: for the report, see ``run_facts``.
        cuts: parts of a drive, of a plan only.
        full: whether the disk of the results is full: no other unit will fare better.
        found: whether all of it was there already.
    """

    state: State
    error: str = ""
    notice: str = ""
    frames: int = 0
    seconds: float = 0.0
    length: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    cuts: tuple[Part, ...] = ()
    full: bool = False
    found: bool = False

    def as_json(self, key: str) -> dict[str, Any]:
        """The same as it lies in the folder of the unit, with the unit's key."""
        kept = asdict(self)
        for name in ("cuts", "full", "found", "state", "error"):
            del kept[name]
        return {"key": key, **kept}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Done:
        """Return what ``as_json`` has written, as of a unit that is found whole."""
        kept = {name: value for name, value in content.items() if name != "key"}
        return cls("done", found=True, **kept)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Recipe of a batch: what becomes of each drive.

    Attributes:
        arguments: of a headless run, by their names in the parser; files that are written are
            names in the drive's folder.
        out: the folder or address of all results.
        options: hash of what the results depend on, but the weights.
        weights: hash of the weights.
        part_length: seconds of the parts that long drives are cut into; ``None`` leaves them whole.
        checkpoints: for machines that do not have the files: content of those that the arguments
            name, by the argument.
    """

    arguments: dict[str, Any]
    out: str
    options: str
    weights: str
    part_length: float | None = None
    checkpoints: dict[str, bytes] = field(default_factory=dict)


def digest(values: Any) -> str:
    """A short hash of values that JSON can hold; others count by their text."""
    text = json.dumps(values, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else str(value)


def key_of(drive: Drive, recipe: Recipe, round: int, part: Part | None = None) -> str:
    """The hash of all that a unit's result depends on.

    Args:
        drive: the source.
        recipe: the options.
        round: how often the user has asked to do it again all the same.
        part: the part of it.
    """
    values: list[Any] = [
        drive.source,
        drive.size,
        drive.mtime,
        recipe.options,
        recipe.weights,
        round,
    ]
    if part is not None:
        values.append(asdict(part))
    return digest(values)

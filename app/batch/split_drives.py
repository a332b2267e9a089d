"""Splits: drives that are done in parts, and what of them is done."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.batch.manifest import Manifest, Row
from app.batch.storage import PARTS, Results
from app.batch.units import Part, Recipe, Unit, key_of


@dataclass(slots=True)
class _Split:
    """A drive that is done in parts.

    Attributes:
        whole: the drive.
        parts: folders of all parts, in order, and what is in them.
        left: folders of those that are not done.
    """

    whole: Unit
    parts: tuple[tuple[str, Part], ...]
    left: set[str]


class Splits:
    """Drives of a run that are done in parts.

    Args:
        manifest: has a row for each part too.
        recipe: what becomes of each drive.
        results: where parts lie until they are put together.
    """

    def __init__(self, manifest: Manifest, recipe: Recipe, results: Results) -> None:
        self._manifest, self._recipe, self._results = manifest, recipe, results
        self._splits: dict[str, _Split] = {}

    def begin(self, plan: Unit, cuts: tuple[Part, ...]) -> list[Unit]:
        """Return what is to be done of a drive: parts that are not done yet, or all of it."""
        rows = self._manifest.rows()
        round = rows[plan.name].round
        wanted = [self._row(plan, part, round) for part in cuts]
        keys = {row.name: row.key for row in wanted}
        old = [row for row in rows.values() if row.kind == "part" and row.drive == plan.name]
        gone = [row.name for row in old if row.key != keys.get(row.name)]
        kept = {row.name: row for row in old if row.name not in gone}
        self._manifest.forget(gone)
        for name in gone:
            self._results.remove(name)
        if not cuts:
            return [replace(plan, kind="drive")]
        self._manifest.put([row for row in wanted if row.name not in kept])
        done = {
            name
            for name, row in kept.items()
            if row.state == "done" and (self._results.marker(name) or {}).get("key") == row.key
        }
        split = _Split(plan, tuple(zip(keys, cuts, strict=True)), set(keys) - done)
        self._splits[plan.name] = split
        units = [
            Unit(row.name, plan.drive, row.key, "part", part)
            for row, part in zip(wanted, cuts, strict=True)
            if row.name in split.left
        ]
        return units or [self._joined(split)]

    def _row(self, plan: Unit, part: Part, round: int) -> Row:
        drive, recipe = plan.drive, self._recipe
        return Row(
            f"{PARTS}/{plan.name}/{part.number:05}",
            "part",
            plan.name,
            source=drive.source,
            size=drive.size,
            mtime=drive.mtime,
            options=recipe.options,
            weights=recipe.weights,
            key=key_of(drive, recipe, round, part),
            round=round,
        )

    def part_done(self, unit: Unit) -> list[Unit]:
        """Return what can be done now that a part is: putting all together, once all are."""
        split = self._splits.get(unit.drive.name)
        if split is None:
            return []  # another part has failed
        split.left.discard(unit.name)
        return [] if split.left else [self._joined(split)]

    def part_failed(self, unit: Unit) -> Unit | None:
        """Return the drive that fails with its part; ``None`` where it has already."""
        split = self._splits.pop(unit.drive.name, None)
        return split.whole if split is not None else None

    def _joined(self, split: _Split) -> Unit:
        del self._splits[split.whole.name]
        return replace(split.whole, kind="join", parts=split.parts)

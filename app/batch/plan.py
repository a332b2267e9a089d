"""Plan of a run: which drives are new, changed or were cut off, and which are done already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.batch.batch_options import BatchOptions
from app.batch.manifest import Manifest, Row, row_of
from app.batch.storage import Results
from app.batch.units import Done, Drive, Kind, Recipe, Unit, key_of


@dataclass(frozen=True, slots=True)
class Plan:
    """Plan of a run.

    Attributes:
        units: what is to be done.
        rows: what the manifest will have of it, once it can be begun.
        words: the same for the user.
    """

    units: list[Unit]
    rows: list[Row]
    words: str


def make_plan(
    drives: Iterable[Drive],
    manifest: Manifest,
    recipe: Recipe,
    results: Results,
    batch: BatchOptions,
) -> Plan:
    """Find out what is to be done."""
    rows = manifest.rows()
    units: list[Unit] = []
    changed: list[Row] = []
    counts: Counter[str] = Counter()
    for drive in drives:
        old = rows.get(drive.name)
        round = old.round + batch.force if old is not None else 0
        key = key_of(drive, recipe, round)
        why = _why(old, drive, key, recipe, results, batch)
        counts[why] += 1
        if why in {"done already", "failed before (--retry-failed)"}:
            continue
        row = row_of(drive, recipe, key, round)
        if old is not None and old.key == key:
            row = replace(row, attempts=old.attempts, lost=old.lost)
            marker = results.marker(drive.name) if old.state == "running" else None
            if marker is not None and marker.get("key") == key:
                manifest.ended(drive.name, Done.from_json(marker), old.worker)
                continue
        changed.append(row)
        if not drive.error:
            kind: Kind = "drive" if recipe.part_length is None else "plan"
            units.append(Unit(drive.name, drive, key, kind))
    listed = ", ".join(f"{number} {why}" for why, number in counts.items())
    total = sum(counts.values())
    return Plan(units, changed, f"{total} {'drive' if total == 1 else 'drives'}: {listed}.")


def _why(
    old: Row | None,
    drive: Drive,
    key: str,
    recipe: Recipe,
    results: Results,
    batch: BatchOptions,
) -> str:
    """Return in words why a drive is done, or that it is not."""
    if drive.error:
        return "that cannot be read"
    if old is None:
        return "new"
    if batch.force:
        return "once more"
    if old.key != key:
        if (old.size, old.mtime) != (drive.size, drive.mtime):
            return "changed"
        return "with other weights" if old.weights != recipe.weights else "with other options"
    if old.state == "failed":
        return "that failed" if batch.retry_failed else "failed before (--retry-failed)"
    if old.state != "done":
        return "cut off"
    return "done already" if results.has(drive.name) else "whose results are gone"

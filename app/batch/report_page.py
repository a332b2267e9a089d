"""Report of a batch: one page that needs nothing besides, and a table with a row a drive."""

from __future__ import annotations

import base64
import contextlib
import json
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from app.batch.manifest import Row
from app.batch.storage import Results
from app.batch.workers.run_facts import THUMBNAIL
from app.core.formatting import clock, percent
from app.errors import OutputError

PAGE, TABLE = "report.html", "summary.parquet"

_CARDS, _ROWS, _SLOWEST = 300, 200, 10
"""Drives that are shown, failures that are listed, and how many are the slowest."""
_WIDTH, _HEIGHT = 300.0, 100.0


def write_report_page(results: Results, rows: Sequence[Row]) -> None:
    """Write both into the results, each taking its name when it is whole.

    Args:
        results: of the batch.
        rows: all of its manifest.

    Raises:
        OSError: they cannot be written.
    """
    facts = {row.name: _facts(row) for row in rows}
    draft = results.draft()
    with tempfile.TemporaryDirectory(dir=draft) as folder:
        page = Path(folder, PAGE)
        page.write_text(_page(results, rows, facts), "utf-8", "replace")
        results.put(page, PAGE)
        if find_spec("pyarrow") is not None:  # an extra: the manifest has all of it too
            table = Path(folder, TABLE)
            _write_table(table, rows, facts)
            results.put(table, TABLE)
    draft.rmdir()


def _facts(row: Row) -> dict[str, Any]:
    found = json.loads(row.facts)
    return found if isinstance(found, dict) else {}


def _write_table(path: Path, rows: Sequence[Row], facts: dict[str, dict[str, Any]]) -> None:
    """Write a row a drive: the manifest's columns, and the mean share of each class."""
    import pyarrow as pa
    from pyarrow import parquet

    classes = sorted({name for found in facts.values() for name in found.get("shares", {})})
    columns: dict[str, list[Any]] = {}
    for name in (
        *("name", "source", "size", "mtime", "options", "weights", "state", "attempts", "lost"),
        *("error", "notice", "seconds", "frames", "length", "worker", "ended"),
    ):
        values = [getattr(row, name) for row in rows]
        columns[name] = [_text(each) if isinstance(each, str) else each for each in values]
    for name in classes:
        columns[f"share_{name}"] = [
            _mean(facts[row.name].get("shares", {}).get(name, [0.0])) if row.frames else None
            for row in rows
        ]
    parquet.write_table(pa.table(columns), path)


def _text(value: str) -> str:
    """Return a text with a question mark for each byte of a name that is no Unicode."""
    return value.encode("utf-8", "replace").decode()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))


def _page(results: Results, rows: Sequence[Row], facts: dict[str, dict[str, Any]]) -> str:
    done = [row for row in rows if row.state == "done"]
    failed = [row for row in rows if row.state == "failed"]
    shown = done[:_CARDS]
    colors = {n: c for row in shown for n, c in facts[row.name].get("colors", {}).items()}
    frames, seconds = sum(row.frames for row in done), sum(row.seconds for row in done)
    template = Environment(
        loader=PackageLoader("app.batch", "."), autoescape=True, trim_blocks=True
    ).get_template("report_page.html")
    return template.render(
        place=results.shown,
        when=f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC",
        done=len(done),
        total=len(rows),
        failed=failed,
        waiting=len(rows) - len(done) - len(failed),
        frames=f"{frames:,}",
        length=clock(sum(row.length for row in done)),
        work=clock(seconds),
        rate=_rate(frames, seconds),
        lost=sum(row.lost for row in rows),
        damaged=[row for row in done if row.notice],
        slowest=_slowest(done),
        legend=list(colors.items()),
        cards=[_card(row, facts[row.name], results) for row in shown],
        unshown=len(done) - len(shown),
        most=_ROWS,
    )


def _rate(frames: int, seconds: float) -> str:
    return f"{frames / seconds:.1f}" if seconds > 0 else "–"


def _slowest(rows: Iterable[Row]) -> list[dict[str, Any]]:
    found = sorted(rows, key=lambda row: -row.seconds)[:_SLOWEST]
    return [
        {
            "name": row.name,
            "source": row.source,
            "work": clock(row.seconds),
            "frames": row.frames,
            "rate": _rate(row.frames, row.seconds),
            "worker": row.worker,
        }
        for row in found
    ]


def _card(row: Row, facts: dict[str, Any], results: Results) -> dict[str, Any]:
    picture = ""
    with contextlib.suppress(OSError, OutputError):  # a drive without one is a drive all the same
        picture = base64.b64encode(results.read(f"{row.name}/{THUMBNAIL}")).decode()
    return {
        "name": row.name,
        "source": row.source,
        "picture": picture,
        "length": clock(row.length),
        "frames": f"{row.frames:,}",
        "rate": _rate(row.frames, row.seconds),
        "areas": _areas(facts),
    }


def _areas(facts: dict[str, Any]) -> list[dict[str, str]]:
    """Return the shares of the classes as areas over each other, the largest at the bottom."""
    times, shares = facts.get("times", []), facts.get("shares", {})
    if not times:
        return []
    span = max(times[-1] - times[0], 1e-6)
    xs = [_WIDTH * (time - times[0]) / span for time in times]
    if len(xs) == 1:
        xs = [0.0, _WIDTH]
    below = [0.0] * len(xs)
    areas = []
    for name in sorted(shares, key=lambda name: -_mean(shares[name])):
        values = shares[name] * 2 if len(times) == 1 else shares[name]
        above = [low + value for low, value in zip(below, values, strict=True)]
        up = _points(xs, above)
        down = _points(xs[::-1], below[::-1])
        areas.append(
            {
                "name": name,
                "color": facts["colors"][name],
                "mean": percent(_mean(shares[name])),
                "path": f"M{up}L{down}Z",
            }
        )
        below = above
    return areas


def _points(xs: Sequence[float], shares: Sequence[float]) -> str:
    pairs = zip(xs, shares, strict=True)
    return "L".join(f"{x:.1f} {_HEIGHT * (1 - min(1.0, share)):.1f}" for x, share in pairs)

"""Manifest of a batch: a row for each unit of work, in SQLite.

A row changes at a time and survives the death of the process, which a table of Parquet, written
whole or not at all, would not; what analyses want is in ``summary.parquet``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from app.batch.units import Done, Drive, Kind, Recipe, State
from app.errors import OutputError

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A unit as the manifest knows it.

    Attributes:
        name: the folder that it fills.
        kind: ``drive``, or ``part`` of one.
        drive: name of the drive that a part belongs to.
        source, size, mtime: what it is made of.
        options, weights: hashes of what it was made with.
        key: hash of all that.
        round: how often the user asked to do it again all the same.
        state: where it stands.
        attempts: how often it was begun.
        lost: how many workers died over it.
        error: why it failed.
        notice: what is to be known of a result: damage.
        seconds: of work.
        frames: that went through the network.
        length: seconds of video.
        worker: what did it.
        ended: when, UTC.
        facts: for the report.
    """

    name: str
    kind: Kind = "drive"
    drive: str = ""
    source: str = ""
    size: int = 0
    mtime: float = 0.0
    options: str = ""
    weights: str = ""
    key: str = ""
    round: int = 0
    state: State = "waiting"
    attempts: int = 0
    lost: int = 0
    error: str = ""
    notice: str = ""
    seconds: float = 0.0
    frames: int = 0
    length: float = 0.0
    worker: str = ""
    ended: str = ""
    facts: str = "{}"


_COLUMNS = tuple(each.name for each in fields(Row))
_KINDS = {"int": "INTEGER", "float": "REAL"}


class Manifest:
    """Rows of all units; used on one thread.

    Args:
        path: the file.

    Raises:
        OutputError: it is no manifest, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._in_words():
            self._base = sqlite3.connect(path, isolation_level=None)
            # A commit costs no wait for the disk: the death of this process loses none, and what
            # the machine's own death takes is found again in the folders of the results.
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            [version] = self._base.execute("PRAGMA user_version").fetchone()
            if version not in {0, _VERSION}:
                raise OutputError(
                    f"{path} was written by another version of the program: name another folder."
                )
            kinds = (f"{each.name} {_KINDS.get(str(each.type), 'TEXT')}" for each in fields(Row))
            self._base.execute(
                f"CREATE TABLE IF NOT EXISTS unit ({', '.join(kinds)}, PRIMARY KEY (name))"
            )
            self._base.execute(f"PRAGMA user_version={_VERSION}")

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutputError(
                f"{self._path} cannot be written ({error}): make room, or name another folder."
            ) from error

    def close(self) -> None:
        """Close the file, which is one file then."""
        with self._in_words():
            self._base.close()

    def rows(self) -> dict[str, Row]:
        """All rows by their names, in the order in which they came."""
        columns = ", ".join(_COLUMNS)
        with self._in_words():
            found = self._base.execute(f"SELECT {columns} FROM unit ORDER BY rowid")
            return {values[0]: Row(*values) for values in found}

    def put(self, rows: list[Row]) -> None:
        """Write rows, in place of those that have their names."""
        columns = ", ".join(_COLUMNS)
        marks = ", ".join("?" * len(_COLUMNS))
        updates = ", ".join(f"{name}=excluded.{name}" for name in _COLUMNS[1:])
        values = [[getattr(row, name) for name in _COLUMNS] for row in rows]
        with self._in_words():
            self._base.execute("BEGIN")
            self._base.executemany(
                f"INSERT INTO unit ({columns}) VALUES ({marks})"
                f" ON CONFLICT (name) DO UPDATE SET {updates}",
                values,
            )
            self._base.execute("COMMIT")

    def forget(self, names: list[str]) -> None:
        """Remove rows."""
        with self._in_words():
            self._base.executemany("DELETE FROM unit WHERE name=?", [(name,) for name in names])

    def begun(self, name: str) -> None:
        """Note that a worker has begun a unit."""
        self._set("state='running', attempts=attempts+1", name)

    def lost(self, name: str) -> None:
        """Note that the worker of a unit has died."""
        self._set("state='waiting', lost=lost+1", name)

    def interrupted(self, name: str) -> None:
        """Note that a unit was given up, which is none of its attempts."""
        self._set("state='waiting', attempts=attempts-1", name)

    def all_interrupted(self) -> None:
        """Note the same of all that is under way."""
        with self._in_words():
            self._base.execute(
                "UPDATE unit SET state='waiting', attempts=attempts-1 WHERE state='running'"
            )

    def ended(self, name: str, done: Done, worker: str = "") -> None:
        """Note how a unit has ended."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self._set(
            "state=?, error=?, notice=?, seconds=?, frames=?, length=?, facts=?, worker=?, ended=?",
            name,
            done.state,
            done.error,
            done.notice,
            done.seconds,
            done.frames,
            done.length,
            json.dumps(done.facts),
            worker,
            now,
        )

    def _set(self, changes: str, name: str, *values: Any) -> None:
        with self._in_words():
            self._base.execute(f"UPDATE unit SET {changes} WHERE name=?", (*values, name))


def row_of(drive: Drive, recipe: Recipe, key: str, round: int) -> Row:
    """A new row of a drive."""
    return Row(
        drive.name,
        source=drive.source,
        size=drive.size,
        mtime=drive.mtime,
        options=recipe.options,
        weights=recipe.weights,
        key=key,
        round=round,
        state="failed" if drive.error else "waiting",
        error=drive.error,
    )

"""Place of the manifest: in the results on a disk; elsewhere it is worked on here and copied there.

The copy is renewed while the batch runs: whoever goes on after the loss of this machine, on another
one, knows nearly all of it from there, and the rest from the folders of the results.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from app.batch.manifest import Manifest
from app.batch.storage import Results
from app.errors import OutputError

_log = logging.getLogger(__name__)

MANIFEST: Final = "manifest.sqlite"

EVERY = 30.0
"""Seconds between two copies."""
_SHARE = 20
"""Times that a copy takes, which pass at least until the next one."""


@contextlib.contextmanager
def opened_manifest(results: Results) -> Iterator[Manifest]:
    """Open the manifest of some results, or make it.

    Raises:
        OutputError: it cannot be read, or written to its place.
    """
    if not results.remote:
        with contextlib.closing(Manifest(results.local(MANIFEST))) as manifest:
            yield manifest
        return
    with tempfile.TemporaryDirectory(prefix="fastscnn-batch-") as folder:
        path = Path(folder, MANIFEST)
        with contextlib.suppress(FileNotFoundError):
            path.write_bytes(results.read(MANIFEST))
        with contextlib.closing(Manifest(path)) as manifest, _Copies(path, results):
            yield manifest


class _Copies(threading.Thread):
    """Thread that copies the manifest to its place now and then, and at the end.

    Args:
        path: the manifest on this machine.
        results: where it goes.
    """

    def __init__(self, path: Path, results: Results) -> None:
        super().__init__(name="manifest", daemon=True)
        self._path, self._results = path, results
        self._ended = threading.Event()

    def __enter__(self) -> None:
        self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self.join()
        try:
            with contextlib.closing(sqlite3.connect(self._path)) as base:
                self._copy(base)
        except Exception as trouble:  # of whatever library the address needs
            raise OutputError(
                f"The manifest cannot be copied to {self._results.shown} ({trouble}): run the same"
                " again; what is whole there is kept."
            ) from trouble

    def run(self) -> None:
        pause, last = EVERY, None
        with contextlib.closing(sqlite3.connect(self._path)) as base:
            while not self._ended.wait(pause):
                pause, version = EVERY, base.execute("PRAGMA data_version").fetchone()
                if version == last:
                    continue
                started = time.monotonic()
                try:
                    self._copy(base)
                    last = version
                except Exception as error:  # the next one, or the last, may fare better
                    _log.warning("the manifest could not be copied: %s", error)
                pause = max(EVERY, _SHARE * (time.monotonic() - started))

    def _copy(self, base: sqlite3.Connection) -> None:
        draft = self._path.with_name("copy.sqlite")
        draft.unlink(missing_ok=True)
        base.execute("VACUUM INTO ?", (str(draft),))
        self._results.put(draft, MANIFEST)

"""Listing of drives: files, folders, lists of paths, and addresses that fsspec knows."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from fnmatch import fnmatch
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from app.batch.storage import MARKER, file_system, is_address
from app.batch.units import Drive
from app.errors import SourceError, UsageError
from app.sources.playlist import VIDEO_SUFFIXES
from app.sources.urls import local_path, redact, scheme_of
from fastscnn.paths import expand_user, files_below, natural, not_readable
from fastscnn.suggestions import why_missing

LISTS = frozenset({".txt", ".lst", ".list"})
"""Names of files with a path or address on each line end in one of these."""

_MOST_BYTES = 100_000_000
_MOST_OF_MARKER = 1_000_000


class Found(NamedTuple):
    """A source, and the path that it has below the folder that was named."""

    source: str
    below: PurePosixPath
    size: int = 0
    mtime: float = 0.0
    error: str = ""


def find_sources(sources: Iterable[str], pattern: str | None, out: str) -> list[Found]:
    """Return the sources that are meant, each once; nothing is written.

    Args:
        sources: as the user names them.
        pattern: of the names of files in folders; ``None`` takes all videos.
        out: where results go, which are no drives themselves.

    Raises:
        SourceError: a source is not there or cannot be read, or there is none at all.
        UsageError: results would go in between the sources.
    """
    own = Path(os.path.realpath(out))
    found: dict[str, Found] = {}
    inside = ""
    for text in sources:
        for each in _found(text, pattern):
            path = Path(os.path.realpath(each.source))
            if own not in path.parents:
                found.setdefault(each.source, each)
                continue
            inside = inside or each.source
            if not is_address(each.source) and not _is_result(path, own):
                raise _in_between(out, each.source)
    if found:
        return list(found.values())
    if inside:
        raise _in_between(out, inside)
    wanted = f" like {pattern}" if pattern is not None else ""
    raise SourceError(f"There is no video{wanted} in what was named: name others.")


def _is_result(path: Path, own: Path) -> bool:
    """Return whether a file lies in a folder of results that is whole."""
    folders = (folder for folder in path.parents if folder.is_relative_to(own))
    return any((folder / MARKER).is_file() for folder in folders)


def _in_between(out: str, source: str) -> UsageError:
    shown = redact(out) if is_address(out) else out
    return UsageError(
        f"Results cannot go into {shown}, where what is to be read lies"
        f" ({PurePosixPath(source).name}): name another folder with -o."
    )


def named_drives(found: Iterable[Found], names: dict[str, str]) -> list[Drive]:
    """Return sources as drives, each with a folder of its own.

    Args:
        found: the sources.
        names: folders that sources had in earlier runs, by source.
    """
    naming = _Naming(names.values())
    return [
        Drive(each.source, names.get(each.source) or naming.new(each.below), *each[2:])
        for each in found
    ]


class _Naming:
    """Names of folders, of which none lies in another."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._names: set[str] = set()
        self._above: set[str] = set()
        for name in ("manifest.sqlite", "report.html", "summary.parquet", *taken):
            self._take(name.casefold())

    def new(self, below: PurePosixPath) -> str:
        """Return a name for what has this path below a folder: the same without its suffix."""
        parts = [part.lstrip(".") or "_" for part in below.with_suffix("").parts]
        name = "/".join(parts)
        count = 2
        while self._is_taken(name.casefold()):
            # The first part is counted up where it is a drive's own folder, else the last.
            place = 0 if self._is_below(name.casefold()) else -1
            counted = list(parts)
            counted[place] = f"{parts[place]}-{count}"
            name = "/".join(counted)
            count += 1
        self._take(name.casefold())
        return name

    def _is_taken(self, name: str) -> bool:
        return name in self._names or name in self._above or self._is_below(name)

    def _is_below(self, name: str) -> bool:
        return any(str(parent) in self._names for parent in PurePosixPath(name).parents)

    def _take(self, name: str) -> None:
        self._names.add(name)
        self._above |= {str(parent) for parent in PurePosixPath(name).parents}


def _found(text: str, pattern: str | None) -> Iterator[Found]:
    if scheme_of(text) == "file":
        text = local_path(urlsplit(text).path)
    if is_address(text):
        yield from _at_address(text, pattern)
        return
    path = Path(os.path.abspath(expand_user(text)))
    if os.path.isdir(path):
        yield from _in_folder(path, pattern)
    elif path.suffix.lower() in LISTS and os.path.isfile(path):
        for line in _lines(path):
            yield from _named_in_list(line, path, pattern)
    elif os.path.exists(path):
        yield _file(path, PurePosixPath(path.name))
    else:
        raise SourceError(why_missing(path, "").replace(str(path), text, 1))


def _named_in_list(line: str, path: Path, pattern: str | None) -> Iterator[Found]:
    """One line of a list; what is wrong with it costs that drive alone."""
    text = line if is_address(line) else str(path.parent / expand_user(line))
    try:
        yield from _found(text, pattern)
    except (SourceError, UsageError) as error:
        name = os.path.basename(text)
        if is_address(text):
            parts = urlsplit(text)
            name = parts.path.strip("/") or parts.hostname or "_"
        yield Found(text, PurePosixPath(PurePosixPath(name).name), error=str(error))


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(not_readable(error, path)) from error
    if len(data) > _MOST_BYTES or b"\0" in data:
        raise SourceError(f"{path} is no list of paths: write one a line, as text.")
    lines = [os.fsdecode(line).strip() for line in data.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _in_folder(folder: Path, pattern: str | None) -> Iterator[Found]:
    closed: list[OSError] = []
    paths = sorted(files_below(folder, closed.append), key=natural)
    for error in closed:
        if error.filename == str(folder):
            raise SourceError(not_readable(error, folder)) from error
        below = PurePosixPath(Path(error.filename).relative_to(folder).as_posix())
        yield Found(error.filename, below, error=not_readable(error, error.filename))
    markers = (path for path in paths if path.name == MARKER)
    results = {path.parent for path in markers if _marks_results(partial(_beginning, path))}
    for path in paths:
        if _matches(path.name, pattern) and path.parent not in results:
            yield _file(path, PurePosixPath(path.relative_to(folder).as_posix()))


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_OF_MARKER)


def _marks_results(read: Callable[[], bytes]) -> bool:
    """Return whether a file that is called so says of its folder that a batch has made it."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        content = json.loads(read())
        return isinstance(content, dict) and content.keys() >= {"key", "facts"}
    return False


def _matches(name: str, pattern: str | None) -> bool:
    if pattern is not None:
        return fnmatch(name, pattern)
    return PurePosixPath(name).suffix.lower() in VIDEO_SUFFIXES


def _file(path: Path, below: PurePosixPath) -> Found:
    try:
        facts = path.stat()
    except OSError as error:
        text = not_readable(error, path.name)
        return Found(str(path), below, error=text)
    return Found(str(path), below, facts.st_size, facts.st_mtime)


def _at_address(address: str, pattern: str | None) -> Iterator[Found]:
    system, root = file_system(address)
    try:
        if system.isfile(root):
            yield _remote(system, system.info(root), PurePosixPath(PurePosixPath(root).name))
            return
        listed: dict[str, dict[str, Any]] = system.find(root, detail=True)
    except Exception as error:  # of whatever library the address needs
        raise SourceError(f"{redact(address)} cannot be read ({error}): check it.") from error
    if not listed:
        raise SourceError(f"There is nothing at {redact(address)}: check the address.")
    markers = (PurePosixPath(path) for path in listed if PurePosixPath(path).name == MARKER)
    results = {
        path.parent
        for path in markers
        if _marks_results(partial(system.cat_file, str(path), end=_MOST_OF_MARKER))
    }
    for path in sorted(listed, key=lambda path: natural(Path(path))):
        where = PurePosixPath(path)
        if _matches(where.name, pattern) and where.parent not in results:
            below = PurePosixPath(os.path.relpath(path, root))
            yield _remote(system, listed[path], below)


def _remote(system: Any, facts: dict[str, Any], below: PurePosixPath) -> Found:
    stamps = (facts.get(name) for name in ("mtime", "LastModified", "updated", "created"))
    mtime = next((stamp for stamp in stamps if stamp), 0.0)
    if isinstance(mtime, datetime):
        mtime = mtime.timestamp()
    source = system.unstrip_protocol(facts["name"])
    known = float(mtime) if isinstance(mtime, int | float) else 0.0
    return Found(source, below, int(facts.get("size") or 0), known)

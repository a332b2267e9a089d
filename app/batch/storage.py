"""Storage of sources and results: this machine's disk, or wherever fsspec reaches."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from app.errors import OutputError, SourceError, UsageError
from app.sources.urls import local_path, redact, scheme_of

MARKER = "drive.json"
"""File that says of a folder that it is whole, and what was found in the drive."""

DRAFTS, PARTS = ".drafts", ".parts"
"""Folders of what is being written, and of parts that wait to be put together."""


def is_address(text: str) -> bool:
    """Return whether a text is an address that is no path on this machine."""
    return scheme_of(text) not in {None, "file"}


def lives_in_process(text: str) -> bool:
    """Return whether only this process sees what lies at an address."""
    return scheme_of(text) == "memory"


def file_system(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises:
        UsageError: there is none, or the library for it is not there.
    """
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        text = f"{redact(address)} cannot be used ({error})."
        raise UsageError(text) from error
    return system, str(path)


class Interrupted(Exception):
    """The copying was to end."""


def fetch(address: str, folder: Path, stopping: threading.Event) -> Path:
    """Copy what lies at an address into a folder of this machine.

    Raises:
        SourceError: it cannot be had.
        Interrupted: it is not wanted any longer.
    """
    from fsspec.callbacks import Callback

    def look(*_: object, **more: object) -> None:
        if stopping.is_set():
            raise Interrupted

    system, path = file_system(address)
    target = folder / PurePosixPath(path).name
    try:
        system.get_file(path, str(target), callback=Callback(hooks={"look": look}))
    except Interrupted:
        raise
    except Exception as error:  # of whatever library the address needs
        raise SourceError(f"{redact(address)} cannot be read ({error}): check it.") from error
    return target


def place_of(out: str) -> str:
    """Return a place of results as a path where it is on this machine, else as its address."""
    return local_path(urlsplit(out).path) if scheme_of(out) == "file" else out


class Results:
    """Folder of all results; what gets its name there is whole.

    Args:
        out: a path, or an address.

    Raises:
        OutputError: it cannot be used.
    """

    def __init__(self, out: str) -> None:
        self.out = place_of(out)
        self.remote = is_address(self.out)
        if self.remote:
            self._system, self._path = file_system(self.out)
            return
        self._folder = Path(os.path.abspath(self.out))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            text = f"{self.out} cannot be used ({error.strerror}): name another folder."
            places = (self._folder, *self._folder.parents)
            if file := next((path for path in places if path.is_file()), None):
                where = "" if file == self._folder else f"{self.out} cannot be used: "
                name = file.name if where else self.out
                text = f"{where}{name} is a file, and a folder is needed: name one with -o."
            raise OutputError(text) from error

    @property
    def shown(self) -> str:
        """The place as it may be shown."""
        return redact(self.out) if self.remote else self.out

    @contextlib.contextmanager
    def _reached(self) -> Iterator[Any]:
        """The file system of an address, whose library has errors of its own.

        Raises:
            OSError: it has refused something, or there is no such file.
            OutputError: it cannot be reached, or answers what nobody foresaw.
        """
        try:
            yield self._system
        except OSError:
            raise
        except Exception as error:
            text = f"{self.shown} cannot be used ({error}): check the address, and try again."
            raise OutputError(text) from error

    def draft(self) -> Path:
        """Make a folder to write in, on the same disk where the results are on one.

        Raises:
            OSError: it cannot be made.
        """
        if self.remote:
            return Path(tempfile.mkdtemp(prefix="fastscnn-batch-"))
        draft = self._folder / DRAFTS / uuid.uuid4().hex
        draft.mkdir(parents=True)
        return draft

    def commit(self, draft: Path, name: str) -> None:
        """Give a whole folder its name, in place of what has it.

        Raises:
            OSError: it cannot be written.
        """
        if self.remote:
            self._upload(draft, name)
            shutil.rmtree(draft, ignore_errors=True)
            return
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            old = self.draft()
            os.replace(target, old / "old")
            os.replace(draft, target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(draft, target)

    def _upload(self, draft: Path, name: str) -> None:
        """Copy a folder there; the file that says that it is whole comes last."""
        where = f"{self._path}/{name}"
        self.remove(name)
        files = sorted(path for path in draft.rglob("*") if path.is_file())
        with self._reached() as system:
            for file in sorted(files, key=lambda path: path.name == MARKER):
                below = file.relative_to(draft).as_posix()
                system.makedirs(f"{where}/{PurePosixPath(below).parent}", exist_ok=True)
                system.put_file(str(file), f"{where}/{below}")

    def marker(self, name: str) -> dict[str, Any] | None:
        """Return what a folder says of itself; ``None`` where it is not there or not whole."""
        with contextlib.suppress(OSError, ValueError):
            content = json.loads(self.read(f"{name}/{MARKER}"))
            return content if isinstance(content, dict) else None
        return None

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: it cannot be read.
        """
        if self.remote:
            with self._reached() as system:
                return bytes(system.cat_file(f"{self._path}/{name}"))
        return (self._folder / name).read_bytes()

    def get(self, name: str, folder: Path) -> Path:
        """Return a folder of the results on this machine, copied into ``folder`` if need be.

        Raises:
            OSError: it cannot be read.
        """
        if not self.remote:
            return self._folder / name
        target, where = folder / PurePosixPath(name).name, f"{self._path}/{name}"
        with self._reached() as system:
            for path in system.find(where):
                file = target / PurePosixPath(path).relative_to(where)
                file.parent.mkdir(parents=True, exist_ok=True)
                system.get_file(path, str(file))
        return target

    def put(self, file: Path, name: str) -> None:
        """Copy a file there, where it takes its name when it is whole.

        Raises:
            OSError: it cannot be written.
        """
        if self.remote:
            target = f"{self._path}/{name}"
            with self._reached() as system:
                system.makedirs(self._path, exist_ok=True)
                system.put_file(str(file), f"{target}.new")
                system.mv(f"{target}.new", target)
        else:
            os.replace(file, self._folder / name)

    def remove(self, name: str) -> None:
        """Remove a folder, if it is there."""
        if self.remote:
            with contextlib.suppress(FileNotFoundError), self._reached() as system:
                system.rm(f"{self._path}/{name}", recursive=True)
        else:
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def local(self, name: str) -> Path:
        """Return where a file of a local folder of results lies."""
        return self._folder / name

    def has(self, name: str) -> bool:
        """Return whether a folder that was whole is there still; of others' disks it is said so."""
        return self.remote or (self._folder / name / MARKER).is_file()

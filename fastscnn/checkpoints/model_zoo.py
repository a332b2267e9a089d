"""Model zoo: public checkpoints by name, fetched into the user's cache and verified.

Environment:
    FASTSCNN_CACHE: folder to keep checkpoints in, instead of the user's cache directory.
    FASTSCNN_MIRROR: address of a mirror. It takes the place of the original's scheme and host, the
        path stays: with ``https://mirror.example/weights``, ``https://github.com/a/b.pth`` is
        fetched from ``https://mirror.example/weights/a/b.pth``, and from nowhere else. It holds
        for the names of the zoo, not for addresses that the user gives.
    HTTP_PROXY, HTTPS_PROXY, NO_PROXY: proxies.

A checkpoint without a published checksum is *pinned*: its SHA-256 is remembered beside it when it
is first downloaded, and from then on it must be the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import os
import re
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

import platformdirs

from fastscnn.checkpoints.http_download import (
    DownloadError,
    Limits,
    Progress,
    check_address,
    discard,
    download,
    megabytes,
)
from fastscnn.checkpoints.zoo_catalog import ENTRIES, NAMES, Checksum, Entry, ZooError, _digest
from fastscnn.paths import expand_user
from fastscnn.suggestions import did_you_mean, did_you_mean_file

Say = Callable[[str], None]
"""Callback for sentences that the user should read."""


def cache_folder() -> Path:
    """Return the folder of fetched checkpoints."""
    chosen = os.environ.get("FASTSCNN_CACHE")
    if chosen:
        return expand_user(chosen)
    return platformdirs.user_cache_path("fastscnn-live", appauthor=False)


def listing(folder: Path | None = None) -> list[tuple[Entry, Path | None]]:
    """Return the zoo, each checkpoint with its file where it is already here."""
    folder = folder or cache_folder()
    rows: list[tuple[Entry, Path | None]] = []
    for entry in ENTRIES:
        path = folder / entry.file
        here = path.is_file() and (entry.checksum is not None or _pin(path).is_file())
        rows.append((entry, path if here else None))
    return rows


def fetch(
    name: str,
    progress: Progress | None = None,
    folder: Path | None = None,
    *,
    say: Say | None = None,
    limits: Limits | None = None,
) -> Path:
    """Return the file of a checkpoint of the zoo, downloaded where it is not here yet.

    Args:
        name: of the zoo.
        progress: called with the bytes here and in all; what it raises ends a download.
        folder: where to keep it; ``None`` is ``cache_folder()``.
        say: called with what the user should know of it.
        limits: what a download may take.

    Raises:
        ZooError: the name is not known, or the checkpoint cannot be had or verified.
    """
    for entry in ENTRIES:
        if entry.name == name:
            return obtain(entry, progress, folder, say=say, limits=limits)
    raise ZooError(
        f"{name} is not a checkpoint of the zoo: choose from {', '.join(NAMES)}."
        f"{did_you_mean(name, NAMES)}"
    )


def resolve(
    weights: str | Path,
    progress: Progress | None = None,
    folder: Path | None = None,
    *,
    say: Say | None = None,
    limits: Limits | None = None,
) -> Path:
    """Return the file that is meant by a name of the zoo, a path, or an http(s) address.

    A text with a path separator or a suffix is a path, so ``./mmseg`` is a file and ``mmseg`` is
    of the zoo. The arguments are those of ``fetch``. That a path exists is not checked.

    Raises:
        ZooError: the text means nothing, or the checkpoint cannot be had or verified.
    """
    meant = _meaning(weights)
    if isinstance(meant, Path):
        return meant
    return obtain(meant, progress, folder, say=say, limits=limits)


def file_of(weights: str | Path | None) -> Path:
    """Return where the checkpoint lies that is meant, or will lie once it is downloaded.

    Args:
        weights: as ``resolve`` takes it; ``None`` is the one that ships with the program.

    Raises:
        ZooError: the text means nothing.
    """
    meant = default_checkpoint() if weights is None else _meaning(weights)
    return meant if isinstance(meant, Path) else cache_folder() / meant.file


def default_checkpoint() -> Path:
    """Return the checkpoint that ships with the program."""
    return Path(str(resources.files("weights"))) / "fastscnn.pth"


def _meaning(weights: str | Path) -> Path | Entry:
    if isinstance(weights, Path):
        return weights
    if "://" in weights:
        return _entry_of(weights)
    path = Path(weights)
    if path.suffix or len(path.parts) != 1 or weights != path.name:
        return expand_user(path)
    if weights.lower() in NAMES:
        return next(entry for entry in ENTRIES if entry.name == weights.lower())
    if os.path.exists(path):  # also tells of a name that is too long
        return path
    raise ZooError(
        f"There is no checkpoint {weights}: give a file, an address or one of {', '.join(NAMES)}."
        f"{did_you_mean(weights, NAMES) or did_you_mean_file(path)}"
    )


def obtain(
    entry: Entry,
    progress: Progress | None = None,
    folder: Path | None = None,
    *,
    say: Say | None = None,
    limits: Limits | None = None,
) -> Path:
    """Return the file of any entry; arguments and errors are those of ``fetch``."""
    progress = progress or (lambda done, total: None)
    say = say or (lambda text: None)
    path = (folder or cache_folder()) / entry.file
    try:
        if _usable(entry, path):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path, progress):
            # Another process may have fetched it while this one waited.
            if not _usable(entry, path):
                _fetch(entry, path, progress, say, limits or Limits())
        return path
    except DownloadError as error:
        raise ZooError(f"{entry.name} cannot be downloaded: {error}") from error
    except OSError as error:
        raise ZooError(
            f"{path.parent} cannot hold checkpoints ({error.strerror or error}):"
            " set FASTSCNN_CACHE to another folder."
        ) from error


def _fetch(entry: Entry, path: Path, progress: Progress, say: Say, limits: Limits) -> None:
    address = _address(entry)
    partial = path.with_name(f"{path.name}.part")
    checked = entry.checksum is not None or _pin(path).is_file()
    said: list[bool] = []

    def announce(done: int, total: int | None) -> None:
        total = total or entry.size
        if True not in said:
            # The first call comes before the connection, when the size is seldom known.
            said.append(total is not None or bool(said))
            if said[-1]:
                size = f" ({megabytes(total)})" if total is not None else ""
                say(f"Downloading {entry.name}{size} from {urlsplit(address).netloc}…")
        progress(done, total)

    download(address, partial, limits=limits, progress=announce, checked=checked)
    ready = partial
    try:
        if urlsplit(address).path.endswith(".zip"):
            ready = path.with_name(f"{path.name}.unpacked")
            _unpack(partial, ready, unquote(_last(address)).removesuffix(".zip"), limits)
        _verify(entry, address, ready, path, say)
        os.replace(ready, path)
    finally:
        # Right or wrong, what was downloaded is used up: a wrong file is never gone on with.
        discard(partial)
        ready.unlink(missing_ok=True)


def _verify(entry: Entry, address: str, ready: Path, path: Path, say: Say) -> None:
    if entry.checksum is not None:
        if not entry.checksum.fits(ready):
            raise DownloadError(
                f"what {urlsplit(address).netloc} sent is not the published file (its checksum"
                " differs), so it was thrown away; try again or use another mirror."
            )
        return
    pinned = _pinned(path)
    if pinned is None:
        if not _plausible(ready):
            raise DownloadError(
                f"what {urlsplit(address).netloc} sent is not a checkpoint (perhaps a page to"
                " sign in): open the address in a browser."
            )
        value = _digest(ready, "sha256")
        _write_pin(path, value)
        say(
            f"{entry.name} has no published checksum: SHA-256 {value[:12]}… was remembered"
            " and must be the same from now on."
        )
    elif not pinned.fits(ready):
        raise DownloadError(
            f"what {urlsplit(address).netloc} sent differs from the first download;"
            f" if that is meant, delete {_pin(path)}."
        )


def _usable(entry: Entry, path: Path) -> bool:
    """Return whether the file is here and right; one that lost its pin is not.

    Raises:
        ZooError: a pinned file has changed.
    """
    if not path.is_file():
        return False
    if entry.checksum is not None:
        return entry.checksum.fits(path)  # a damaged one is simply downloaded again
    pinned = _pinned(path)
    if pinned is not None and not pinned.fits(path):
        raise ZooError(f"{path} has changed since its download: delete it to download it again.")
    return pinned is not None


# Checksums and pins


def _plausible(path: Path) -> bool:
    """Return whether a file begins as torch's archives or pickles do: else it gets no pin."""
    with path.open("rb") as file:
        return file.read(4).startswith((b"PK\3\4", b"\x80"))


def _pin(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _pinned(path: Path) -> Checksum | None:
    try:
        value = _pin(path).read_text("utf-8").split()[0]
    except FileNotFoundError:
        return None
    except (IndexError, UnicodeError):
        value = ""
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ZooError(f"{_pin(path)} is damaged: delete it to download the checkpoint again.")
    return Checksum("sha256", value)


def _write_pin(path: Path, value: str) -> None:
    pin = _pin(path)
    temporary = pin.with_name(f"{pin.name}.part")
    temporary.write_text(f"{value}  {path.name}\n", "utf-8")  # as sha256sum reads it
    os.replace(temporary, pin)


# Addresses


def _address(entry: Entry) -> str:
    address = check_address(entry.address)
    mirror = os.environ.get("FASTSCNN_MIRROR")
    if mirror and entry in ENTRIES:
        return check_address(mirror.rstrip("/") + urlsplit(address).path)
    return address


def _entry_of(address: str) -> Entry:
    """Return an entry for an address that the user gives."""
    try:
        asked = check_address(address)
    except DownloadError as error:
        raise ZooError(f"The checkpoint cannot be downloaded: {error}") from error
    name = _last(asked) or urlsplit(asked).netloc
    # The address may hold what no file name may, and two may end alike.
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name.removesuffix(".zip"))[-60:]
    return Entry(name, asked, f"{hashlib.sha256(asked.encode()).hexdigest()[:16]}-{plain}")


def _last(address: str) -> str:
    return urlsplit(address).path.rsplit("/", 1)[-1]


# Files


def _unpack(archive: Path, target: Path, member: str, limits: Limits) -> None:
    """Take the one file that is expected out of an archive, under a name of our own."""
    try:
        with zipfile.ZipFile(archive) as opened:
            if opened.namelist() != [member]:
                raise DownloadError(f"its archive does not hold {member} and nothing else.")
            with opened.open(member) as file, target.open("wb") as unpacked:
                _copy(file, unpacked, limits)
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,
        RuntimeError,  # it asks for a password
    ) as error:
        raise DownloadError("its archive is damaged.") from error


def _copy(file: IO[bytes], target: IO[bytes], limits: Limits) -> None:
    size = 0
    while piece := file.read(1 << 16):
        size += len(piece)
        if size > limits.size:
            raise DownloadError(
                "its archive unpacks to more than any Fast-SCNN checkpoint"
                f" (at most {megabytes(limits.size)})."
            )
        target.write(piece)
    target.flush()
    os.fsync(target.fileno())


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Keep other threads and processes from fetching the same file meanwhile.

    The system gives the lock back when a process ends in whatever way, so none is ever left over.
    Its file stays: deleting it could part two that wait.
    """
    with path.with_name(f"{path.name}.lock").open("ab") as file:
        while not _try_lock(file):
            progress(0, None)
            time.sleep(0.05)
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

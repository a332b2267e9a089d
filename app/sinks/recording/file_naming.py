"""Names of recordings by a pattern, and checks of outputs before any work."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from app.config.value_parsers import _SUFFIXES, PATTERN
from app.errors import OutputError, UsageError, outputs_of_app
from app.sinks.output_collisions import check_apart
from app.sources.source_spec import SourceSpec
from fastscnn.outputs import check_folder_of


def recording_path(
    folder: Path,
    source: SourceSpec | None = None,
    pattern: str = PATTERN,
    *,
    taken: Collection[Path] = (),
    beside: Collection[Callable[[Path], Path]] = (),
) -> Path:
    """A new name in a folder that no file has yet.

    Args:
        folder: where the recording goes.
        source: what is recorded.
        pattern: see ``check_pattern``.
        taken: names of recordings whose files are not made yet.
        beside: names of files that go with a recording; they must be free too.
    """
    now = datetime.now()
    stem = source.file_stem if source is not None else "fastscnn"
    name = pattern.format(source=stem, date=f"{now:%Y%m%d}", time=f"{now:%H%M%S}").strip()
    first = path = folder / name
    count = 2
    while path in taken or any(map(os.path.lexists, [path, *(name(path) for name in beside)])):
        path = first.with_stem(f"{first.stem}-{count}")
        count += 1
    return path


def labels_path(recording: Path) -> Path:
    """The file of labels that lies beside a recording."""
    return recording.with_suffix(".labels.mkv")


def raw_path(recording: Path) -> Path:
    """The file of pictures as they came that lies beside a recording."""
    return recording.with_suffix(f".raw{recording.suffix}")


def take_names(*files: Path) -> None:
    """Make files, empty, whose names nobody else can have then.

    Raises:
        FileExistsError: one of them was there; none is made.
        OSError: they cannot be made.
    """
    made: list[Path] = []
    try:
        for file in files:
            file.open("xb").close()
            made.append(file)
    except OSError:
        for file in made:
            file.unlink()
        raise


def make_folder(folder: Path) -> None:
    """Make a folder for recordings, where it is not there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made ({error.strerror}): name another one."
        ) from error


def check_output(
    path: Path, *, overwrite: bool, source: SourceSpec | None = None, labels: bool = False
) -> None:
    """Find out before any work whether a recording can go to ``path``.

    Args:
        path: where it is to go.
        overwrite: whether a file there may be replaced.
        source: what is recorded; its own file is never replaced, whatever it is called.
        labels: whether it is a file of labels.

    Raises:
        UsageError: its name does not end as that of a recording.
        OutputError: it cannot.
    """
    if source is not None and source.kind == "file":
        check_apart([path], [Path(source.value)])
    if path.suffix.lower() not in ((".mkv",) if labels else _SUFFIXES):
        what, end = ("hold labels", ".mkv") if labels else ("be recorded", ".mp4")
        or_folder = "" if labels else ", or in / for a folder of pictures"
        raise UsageError(f"{path} cannot {what}: the name must end in {end}{or_folder}.")
    if os.path.isdir(path):
        raise OutputError(f"{path} is a folder: give the recording a file name.")
    with outputs_of_app():
        check_folder_of(path)
    if os.path.exists(path) and not overwrite:
        raise OutputError(f"{path} exists: give another name, or --overwrite to replace it.")

"""Collisions of outputs with what a run reads and with each other, found before any work."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.config.persistence import bookmarks_path, config_folder, profile_path
from app.config.settings import ImageFolderOptions, Settings
from app.config.source_settings import settings_of_each
from app.errors import outputs_of_app
from app.rendering.palettes import PALETTES
from app.sinks.sink_factory import files_from
from app.sources.images.image_sequence import find_pictures
from app.sources.source_spec import SourceSpec
from fastscnn import outputs
from fastscnn.checkpoints.model_zoo import file_of
from fastscnn.checkpoints.zoo_catalog import ZooError
from fastscnn.paths import graph_words

_Found = tuple[Path, list[Path]]
"""Folder of a sequence, and its images."""


def check_collisions(settings: Settings) -> None:
    """Find out whether a run would replace what it reads, or one of its outputs another.

    Raises:
        OutputError: it would.
    """
    recording = settings.recording
    named = (recording.file, recording.labels, settings.run.stats_json, *files_from(settings))
    files = [path for path in named if path is not None]
    if files or settings.images:
        pictures = list(map(_pictures, settings.sources))
        images: list[Path] = []
        where: list[Path] = []
        for one in settings_of_each(settings):
            found = list(map(_pictures, one.sources)) if settings.beside else pictures
            images += (path for output in one.images for path in _images(found, output))
            where += (output.folder for output in one.images)
        check_apart([*files, *images], _inputs(settings, pictures), where)


def check_apart(
    files: Iterable[Path], inputs: Iterable[Path], folders: Iterable[Path] = ()
) -> None:
    """See ``fastscnn.outputs.check_apart``.

    Raises:
        OutputError: an output is an input, or two are one file.
    """
    with outputs_of_app():
        outputs.check_apart(files, inputs, folders)


def _inputs(settings: Settings, pictures: Iterable[_Found]) -> Iterator[Path]:
    for spec in settings.sources:
        if spec.kind == "file":
            yield from (Path(spec.value), bookmarks_path(Path(spec.value)))
    for _, found in pictures:
        yield from found
    if settings.source.labels is not None:
        yield from settings.source.labels.rglob("*.png")
    for weights in (settings.network.weights, settings.network.weights_b):
        with contextlib.suppress(ZooError):  # said when it is to be loaded
            file = file_of(weights)
            yield from (file, *([graph_words(file)] if file.suffix == ".onnx" else []))
    if settings.view.palette not in PALETTES:
        yield Path(settings.view.palette)
    serve = settings.serve
    yield from filter(None, (settings.run_file, serve.serve_cert, serve.serve_key))
    yield settings.window.keys or config_folder() / "keys.json"
    yield profile_path(settings.window.profile)


def _images(pictures: Iterable[_Found], output: ImageFolderOptions) -> set[Path]:
    """Return what images of images will be called; those of videos are numbered."""
    names = set()
    for root, found in pictures:
        names |= {(output.folder / path.relative_to(root)) for path in found}
    return {path.with_suffix(output.suffix) for path in names}


def _pictures(spec: SourceSpec) -> _Found:
    if spec.kind == "images":
        with contextlib.suppress(OSError):  # said when it is to be opened
            return find_pictures(spec.value)
    return Path(), []

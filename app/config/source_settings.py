"""Settings of one source among several that run beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.config.data_options import ObjectOptions
from app.config.settings import Settings
from app.sources.source_spec import SourceSpec


def settings_of_each(settings: Settings) -> tuple[Settings, ...]:
    """Return the settings of each source of a run; those of the run where it has one at a time."""
    if not settings.beside:
        return (settings,)
    sources = settings.sources
    return tuple(settings_beside(settings, spec, sources[:i]) for i, spec in enumerate(sources))


def settings_beside(settings: Settings, spec: SourceSpec, before: Sequence[SourceSpec]) -> Settings:
    """Return the settings of a source that runs beside others.

    A folder of pictures gets one of its own in it, a file of objects has its name in the file's.
    Where the run had one source at first, what is written of that has no place for another.

    Args:
        settings: of the run.
        spec: the source.
        before: those that were opened before it.
    """
    if not settings.beside:
        return replace(
            settings,
            sources=(spec,),
            recording=replace(settings.recording, file=None, labels=None),
            images=(),
            streams=(),
            objects=ObjectOptions(),
            run=replace(settings.run, virtual_camera=False),
        )
    names: list[str] = []
    for each in (*before, spec):
        names.append(_free(each.file_stem, names))
    name, objects = names[-1], settings.objects
    files = tuple(path.with_stem(f"{path.stem}-{name}") for path in objects.objects)
    return replace(
        settings,
        sources=(spec,),
        images=tuple(replace(each, folder=each.folder / name) for each in settings.images),
        objects=replace(objects, objects=files),
    )


def _free(name: str, taken: Sequence[str]) -> str:
    """Return a name, with a number behind it where it is taken on a system that ignores case."""
    used = {each.casefold() for each in taken}
    free, count = name, 2
    while free.casefold() in used:
        free = f"{name}-{count}"
        count += 1
    return free

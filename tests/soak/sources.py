"""Sources added beside another and removed, opened in turn, run in turn: memory by their number."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.config.settings import NetworkOptions, Settings, SourceOptions
from app.config.shortcuts import USUAL
from app.core.memory import resident_mb, return_freed_memory, share_heaps
from app.gui.grid.run_windows import RunWindows
from app.gui.grid.tile import Tile
from app.pipeline.pipeline import Pipeline
from app.sources.demo import DemoSource
from app.sources.source_spec import SourceSpec
from app.video import segment_video
from tests.support.media import write_clip
from tests.support.window_driver import application, play, wait_until, window

SETTINGS = Settings(network=NetworkOptions(device="cpu", input_size=(64, 128)))
_GROWTH, _NOISE = 0.2, 15.0
"""Megabytes that memory may seem to grow after the first third: by each source, and in all.

By each source it was 0.8 to 1.6 where threads had heaps of their own.
"""
_SIZE = 1280, 720


def sources(times: int, folder: Path) -> dict[str, object]:
    """Do each so many times in a process; returns figures.

    Raises:
        AssertionError: memory grows with the number of sources.
    """
    share_heaps()
    scene = DemoSource(SourceSpec("demo", width=_SIZE[0], height=_SIZE[1]))
    images = [scene.read().image for _ in range(20)]
    clip = write_clip(folder / "clip.mp4", 200, size=_SIZE, pictures=images)
    del scene, images
    application()
    figures: dict[str, object] = {"times": times}
    grown = []
    for kind in (_segmented, _run, _opened, _beside):
        memory: list[float] = []
        kind(clip, times, lambda memory=memory: memory.append(_megabytes()))
        first = memory[times // 3]
        figures[kind.__name__[1:]] = [round(each, 1) for each in (memory[0], first, memory[-1])]
        grown.append(memory[-1] - first)
    print(figures, flush=True)
    assert max(grown) < _NOISE + _GROWTH * times, grown
    return figures


def _megabytes() -> float:
    return_freed_memory()
    return resident_mb() or 0.0


def _segmented(clip: Path, times: int, look: Callable[[], None]) -> None:
    """``segment_video``, one call after the other."""
    for _ in range(times):
        for _ in segment_video(clip, input_size=(64, 128), device="cpu", most=4):
            pass
        look()


def _run(clip: Path, times: int, look: Callable[[], None]) -> None:
    """Runs without a window, as a batch worker does them."""
    for _ in range(times):
        pipeline = Pipeline(SETTINGS, display=False)
        pipeline.start()
        pipeline.open(SourceSpec("file", str(clip)))
        wait_until(lambda each=pipeline: each.stats.counters().processed >= 4, "frames")
        pipeline.stop()
        del pipeline
        look()


def _opened(clip: Path, times: int, look: Callable[[], None]) -> None:
    """Files in one window, one in place of the other."""
    with window(SETTINGS) as made:
        for number in range(times):
            path = clip.with_name(f"{number}.mp4")
            os.link(clip, path)
            play(made, SourceSpec("file", str(path)))
            look()


def _beside(clip: Path, times: int, look: Callable[[], None]) -> None:
    """A source added beside another, which goes on, and removed."""
    spec = SourceSpec("file", str(clip))
    beside = replace(SETTINGS, sources=(spec, spec), source=SourceOptions(grid=True, loop=True))
    run = RunWindows(beside, keys=USUAL, saved=None, made=lambda window: None)
    run.begin()
    try:
        grid = run.grid
        assert grid is not None
        for _ in range(times):
            wait_until(lambda: all(map(_labelled, grid.tiles)), "labels in both")
            leaving = grid.windows[1].pipeline
            grid.add(spec)
            grid.remove(grid.windows[1])
            wait_until(lambda each=leaving: each.left, "its end")
            del leaving
            look()
    finally:
        run.close()
        run.top.deleteLater()


def _labelled(tile: Tile) -> bool:
    return tile.result is not None and bool(tile.result.predictions)

"""Several sources in one window: tiles, one of them large, and what holds for all."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt

from app.config.settings import SourceOptions
from app.config.shortcuts import USUAL
from app.gui.grid.run_windows import RunWindows
from app.sources.source_spec import SourceSpec
from tests.support.media import write_clip
from tests.support.window_driver import (
    SMALL,
    application,
    click,
    drop,
    press,
    screenshot,
    street,
    wait_until,
)


@contextmanager
def running(*sources, settings=SMALL, made=lambda window: None):
    application()
    settings = replace(settings, sources=sources, source=SourceOptions(grid=True))
    run = RunWindows(settings, keys=USUAL, saved=None, made=made)
    run.begin()
    try:
        yield run
    finally:
        run.close()
        run.top.deleteLater()


@pytest.fixture
def three(tmp_path):
    """Three sources: one short, one that is no video."""
    wrong = tmp_path / "wrong.mp4"
    wrong.write_bytes(b"no video" * 99)
    short = write_clip(tmp_path / "short.mp4", 5)
    with running(street(), *(SourceSpec("file", str(path)) for path in (short, wrong))) as run:
        yield run


def labelled(tile):
    return tile.result is not None and tile.result.predictions


def test_each_source_has_a_tile_that_says_how_it_does(three):
    grid = three.grid
    wait_until(lambda: labelled(grid.tiles[0]) and labelled(grid.tiles[1]), "labels in both")
    wait_until(lambda: grid.tiles[1].words == "Ended", "the end of the short one")
    wait_until(lambda: "cannot be read as a video" in grid.tiles[2].words, "why one did not open")
    assert [tile.name for tile in grid.tiles] == ["1  street.mp4", "2  short.mp4", "3  wrong.mp4"]
    wait_until(lambda: not grid.tiles[0].figures.startswith("0.0"), "a rate")
    assert grid.tiles[0].words == ""  # the others' ends are none of its business
    assert "3 sources" in grid.windowTitle()
    assert len(set(map(bytes, screenshot(grid.tiles[0])[::9, ::9].reshape(-1, 4)))) > 20
    workers = [each for each in threading.enumerate() if each.name == "worker"]
    assert len(workers) == 1


def test_a_click_makes_one_large_and_escape_goes_back(three):
    grid = three.grid
    wait_until(lambda: labelled(grid.tiles[1]) and grid.tiles[1].words == "Ended", "the end")
    click(grid.tiles[1])
    window = grid.windows[1]
    assert grid.currentWidget() is window
    # Nothing new comes of it any more: its picture comes with it.
    wait_until(lambda: window.view.result is not None, "the picture")
    shown = window.pipeline.stats.counters().shown
    assert window.view.result.frame is grid.tiles[1].result.frame
    press(window, Qt.Key.Key_S)
    wait_until(lambda: window.pipeline.live.skip is False, "the switch of this one")
    assert three.first.pipeline.live.skip is True
    wait_until(lambda: window.view.result.skip is False, "its picture")
    press(window, Qt.Key.Key_Escape)
    assert grid.currentWidget() is not window
    assert grid.tiles[1].result.skip is False
    grid.enlarge(0)
    click(grid.windows[0].menu_bar.cornerWidget())
    assert grid.currentWidget() is not grid.windows[0]
    assert window.pipeline.stats.counters().shown == shown


def test_the_controls_of_the_grid_are_for_all(three):
    grid = three.grid
    wait_until(lambda: labelled(grid.tiles[0]), "labels")
    controls, pipelines = grid.controls, [window.pipeline for window in grid.windows]
    click(controls.skip)
    assert [pipeline.live.skip for pipeline in pipelines] == [False] * 3
    menu = controls.view.menu()
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == "labels").trigger()
    controls.alpha.sliderMoved.emit(80)
    assert {(p.view.view, p.view.alpha) for p in pipelines} == {("labels", 0.8)}
    click(controls.play)
    wait_until(lambda: pipelines[0].session.state == "paused", "the pause")
    wait_until(lambda: grid.tiles[0].words == "Paused", "its words")
    wait_until(lambda: controls.play.text() == "Play all", "the other name")


def test_what_is_dropped_with_shift_plays_beside(tmp_path):
    made = []
    short = write_clip(tmp_path / "short.mp4", 5)
    with running(street(), made=made.append) as run:
        assert run.grid is None
        wait_until(lambda: run.first.view.result is not None, "a picture")
        drop(run.first, short, shift=True)
        assert len(run.windows) == 2
        wait_until(lambda: all(map(labelled, run.grid.tiles)), "labels in both")
        assert run.first.pipeline.session.opened_spec.value == street().value
        drop(run.grid, short)  # over the tiles no Shift is needed
        assert len(run.windows) == len(made) == 3
        assert len({window.pipeline.worker for window in run.windows}) == 1


def test_what_makes_no_source_leaves_one_window(tmp_path):
    with running(street()) as run:
        drop(run.first, tmp_path / "weights.pth", shift=True)
        assert run.grid is None


def test_every_frame_is_accounted_for_when_the_window_closes():
    before = set(threading.enumerate())
    with running(street(), SourceSpec("demo", width=256, height=128), street()) as run:
        wait_until(lambda: all(map(labelled, run.grid.tiles)), "labels")
        click(run.grid.tiles[1])
        wait_until(lambda: run.windows[1].view.result is not None, "one large")
    for window in run.windows:
        counters = window.pipeline.stats.counters()
        assert counters.captured == counters.shown + counters.dropped_total
    wait_until(
        lambda: not {t.name for t in set(threading.enumerate()) - before} & {"worker", "capture"},
        "the end of all threads",
    )

"""Several sources in one window: tiles, one of them large, and what holds for all."""

import gc
import threading
import weakref
from contextlib import contextmanager
from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from app.cli.argument_parser import build_parser, settings_from
from app.config.settings import RunOptions, SourceOptions
from app.config.shortcuts import USUAL
from app.gui.grid.run_windows import RunWindows
from app.gui.window.saved_state import SavedState
from app.sinks.recording.file_naming import make_folder
from app.sources.source_spec import SourceSpec
from tests.support.media import count_by_opencv, write_clip
from tests.support.window_driver import (
    SMALL,
    application,
    click,
    drop,
    messages,
    press,
    screenshot,
    street,
    wait_until,
)


@contextmanager
def running(*sources, settings=SMALL, made=lambda window: None, saved=None):
    application()
    settings = replace(settings, sources=sources, source=SourceOptions(grid=True))
    run = RunWindows(settings, keys=USUAL, saved=saved, made=made)
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
    grid.enlarge(grid.windows[0])
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


def test_keys_over_the_tiles_are_for_all_sources(three):
    grid = three.grid
    wait_until(lambda: labelled(grid.tiles[0]), "labels")
    pipelines = [window.pipeline for window in grid.windows]
    tile = grid.tiles[0]
    tile.setFocus()
    for key in (Qt.Key.Key_S, Qt.Key.Key_V, Qt.Key.Key_V):
        press(tile, key)
    press(tile, Qt.Key.Key_Up, control=True)
    assert [pipeline.live.skip for pipeline in pipelines] == [False] * 3
    assert {(p.view.view, round(p.view.alpha, 2)) for p in pipelines} == {("confidence", 0.55)}
    press(tile, Qt.Key.Key_1)
    assert pipelines[0].networks.options.input_size == "quarter"
    press(tile, Qt.Key.Key_Space)
    wait_until(lambda: pipelines[0].session.state == "paused", "the pause")
    press(tile, Qt.Key.Key_Q, control=True)
    assert not grid.isVisible()


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


def notes(grid):
    return [each.text for each in grid.notifications.shown]


def entry(tile, text):
    """An entry of the menu that a right click on a tile opens."""
    tile.menu_asked.emit(tile.mapToGlobal(tile.rect().center()))
    menu = application().activePopupWidget()
    found = next(action for action in menu.actions() if action.text() == text)
    menu.close()
    return found


def test_a_source_is_removed_with_its_recording_whole_and_others_are_added(tmp_path):
    gone, clip = [], write_clip(tmp_path / "clip.mp4", 400, rate=20)
    with running(street(), SourceSpec("file", str(clip)), street()) as run:
        grid = run.grid
        grid.removed.connect(gone.append)
        wait_until(lambda: all(map(labelled, grid.tiles)), "labels")
        window = run.windows[1]
        window.pipeline.start_recording(tmp_path / "whole.mp4")
        wait_until(lambda: window.pipeline.stats.counters().recorded > 5, "a recording")
        entry(grid.tiles[1], "Remove").trigger()
        assert gone == [window]
        assert [tile.name[0] for tile in grid.tiles] == ["1", "3"]  # names stay what they were
        assert window not in run.windows
        counters = window.pipeline.stats.counters
        wait_until(lambda: any("whole.mp4" in text for text in notes(grid)), "what was saved")
        assert counters().recorded == count_by_opencv(tmp_path / "whole.mp4")
        assert counters().captured == counters().shown + counters().dropped_total
        drop(grid, clip)
        assert [tile.name for tile in grid.tiles][-1] == "4  clip.mp4"
        wait_until(lambda: all(map(labelled, grid.tiles)), "labels in all, the new one too")
        assert [each.pipeline for each in run.windows] == run.pipelines


@pytest.mark.parametrize("reported", [False, True])
def test_nothing_of_removed_sources_is_kept_but_what_a_report_tells(tmp_path, reported):
    """A file, one that is no video, and a street, each while the first goes on."""
    wrong = tmp_path / "wrong.mp4"
    wrong.write_bytes(b"no video" * 99)
    added = street(), SourceSpec("file", str(wrong)), SourceSpec("demo", width=256, height=128)
    options = RunOptions(stats_json=tmp_path / "stats.json" if reported else None)
    with running(street(), street(), settings=replace(SMALL, run=options)) as run:
        windows, pipelines = [], []
        for spec in added:
            window, tile = run.windows[1], run.grid.tiles[1]
            wait_until(lambda tile=tile: labelled(tile) or tile.error, "it")
            windows.append(weakref.ref(window))
            pipelines.append(weakref.ref(window.pipeline))
            run.grid.add(spec)
            run.grid.remove(window)
            del window, tile

        def kept():
            gc.collect()
            return [sum(each() is not None for each in kind) for kind in (windows, pipelines)]

        wait_until(lambda: kept() == [0, len(added) * reported], "their ends")
        assert len(run.pipelines) == 2 + len(added) * reported
        assert not reported or run.pipelines[1].stats.counters().shown


def test_the_first_is_removed_and_the_others_go_on(three):
    grid, network = three.grid, three.first.pipeline.networks
    wait_until(lambda: labelled(grid.tiles[0]), "labels")
    grid.enlarge(grid.windows[0])
    three.first.actions_by_name["remove"].trigger()
    assert [tile.name for tile in grid.tiles] == ["2  short.mp4", "3  wrong.mp4"]
    assert grid.currentWidget() not in (three.first, *grid.windows)  # the tiles are seen
    wait_until(lambda: three.first.pipeline.left, "its end")
    wait_until(lambda: grid.tiles[0].words == "Ended", "the end of the short one")
    wait_until(lambda: grid.controls.play.text() == "Play all", "the name of the button")
    click(grid.controls.play)
    before = grid.windows[0].pipeline.stats.counters().shown
    wait_until(lambda: grid.windows[0].pipeline.stats.counters().shown > before, "a picture")
    network.tell_once("This network is green.")
    wait_until(lambda: "This network is green." in notes(grid), "what is said of all")
    press(grid.tiles[0], Qt.Key.Key_Delete)
    assert len(grid.tiles) == 1
    press(grid.tiles[0], Qt.Key.Key_Delete)  # the last one stays
    assert len(grid.tiles) == 1
    assert not entry(grid.tiles[0], "Remove").isEnabled()


def test_a_window_of_one_source_has_nothing_to_remove():
    with running(street()) as run:
        run.first.actions_by_name["remove"].trigger()
        assert any("Nothing runs beside" in text for text in messages(run.first))
        assert run.grid is None


def test_whatever_can_be_opened_can_be_added_beside():
    with running(street()) as run:
        menu = run.first.open_menu.beside_menu(run.first, run.first.actions_by_name)
        entries = {action.text(): action for action in menu.actions()}
        assert list(entries) == ["Add files beside…", "URL…", "Camera", "Demo street"]
        entries["URL…"].trigger()
        run.first.open_menu.address.textValueSelected.emit("gopher://x")
        assert run.grid is None
        assert any("gopher://x cannot be read" in text for text in messages(run.first))
        entries["Demo street"].trigger()
        run.grid.controls.add.menu().actions()[1].trigger()
        run.first.open_menu.address.textValueSelected.emit(street().value)
        wait_until(lambda: all(map(labelled, run.grid.tiles)), "labels in all")
        names = [tile.name for tile in run.grid.tiles]
        assert names == ["1  street.mp4", "2  demo street", "3  street.mp4"]


def test_a_right_click_opens_a_menu_and_shows_nothing_large(three):
    grid = three.grid
    wait_until(lambda: labelled(grid.tiles[0]), "labels")
    QTest.mouseClick(grid.tiles[0], Qt.MouseButton.RightButton)
    assert grid.currentWidget() not in grid.windows
    entry(grid.tiles[0], "Pause").trigger()
    wait_until(lambda: three.first.pipeline.session.state == "paused", "the pause of one")
    entry(grid.tiles[0], "Play").trigger()
    wait_until(lambda: three.first.pipeline.session.state == "playing", "the end of it")
    entry(grid.tiles[0], "Show large").trigger()
    assert grid.currentWidget() is three.first


def test_a_checkpoint_dropped_over_the_tiles_is_offered_as_weights(three, tmp_path):
    weights = tmp_path / "mine.pth"
    weights.write_bytes(b"x")
    drop(three.grid, weights)
    (note,) = three.grid.notifications.shown
    assert "mine.pth is a checkpoint" in note.text
    assert list(note.actions_by_name) == ["Use as weights"]


def test_in_a_folder_each_source_is_recorded_from_its_first_frame_on(tmp_path):
    """Two of one name among them, one that is no video, and one that is added later."""
    wrong = tmp_path / "wrong.mp4"
    wrong.write_bytes(b"no video" * 99)
    paths = [tmp_path / name for name in ("clip.mp4", "b/clip.mp4", "later.mp4")]
    paths[1].parent.mkdir()
    for count, path in enumerate(paths, 6):
        write_clip(path, count)
    out = tmp_path / "out"
    line = [str(each) for each in (paths[0], "--grid", paths[1], wrong, "-o", f"{out}/")]
    chosen = settings_from(build_parser().parse_args([*line, "--input-size", "64x96"]))
    make_folder(out)
    with running(*chosen.sources, settings=chosen) as run:
        drop(run.grid, paths[2])
        recorded = ("clip.mp4", "clip-2.mp4", "later.mp4")
        counts = [w.pipeline.stats.counters for n, w in enumerate(run.windows) if n != 2]
        wait_until(lambda: [each().recorded for each in counts] == [6, 7, 8], "all frames")
    assert sorted(each.name for each in out.iterdir()) == sorted(recorded)
    assert sorted(map(count_by_opencv, out.iterdir())) == [6, 7, 8]
    assert {"record_dir", "record_name"} <= chosen.given  # what was saved takes nothing's place


def test_what_is_drawn_in_any_source_is_kept_for_it(tmp_path):
    path, gate = tmp_path / "settings.ini", ((0.2, 0.3), (0.8, 0.3), (0.8, 0.7))
    sources = [SourceSpec("file", str(write_clip(tmp_path / f"{n}.mp4", 5))) for n in "ab"]
    with running(*sources, saved=SavedState(path)) as run:
        wait_until(lambda: all(labelled(tile) for tile in run.grid.tiles), "labels in both")
        run.windows[1].drawn.watch.add_zone("gate", gate)
        run.windows[1].drawn.regions.add(gate)
    with running(*sources, saved=SavedState(path)) as run:
        wait_until(lambda: all(labelled(tile) for tile in run.grid.tiles), "labels in both")
        first, second = (window.drawn.watch.own.zones for window in run.windows)
        assert first == ()
        assert [zone.name for zone in second] == ["gate"]
        lives = [window.pipeline.live for window in run.windows]
        assert [live.drawn_for(s) for live, s in zip(lives, sources, strict=True)] == [(), (gate,)]

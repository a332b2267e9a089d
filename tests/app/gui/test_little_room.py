"""Little room: in small windows, and beside long names, everything can still be read."""

from shutil import copy
from typing import get_args

import pytest
from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QFontMetrics
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLabel, QScrollArea, QWidget

from app.config.shortcuts import USUAL
from app.core.stats import Counters, LossCause
from app.gui.feedback.shortcuts_dialog import ShortcutsDialog
from app.gui.grid.all_controls import AllControls
from app.gui.grid.tile import Tile
from app.gui.panels.bottom_panel import PAGES, BottomPanel
from app.gui.panels.performance_panel import frame_facts
from app.pipeline.status import PipelineStatus
from app.sources.source_spec import SourceSpec
from tests.support.media import write_clip
from tests.support.window_driver import application, play, street, wait_until, window

LONG = "A drive through the city on a rainy evening, camera front left, part 0001 of 0017.mp4"


def place_in(inner: QWidget, outer: QWidget) -> QRect:
    return QRect(inner.mapTo(outer, inner.rect().topLeft()), inner.size())


@pytest.mark.parametrize("width", [800, 960, 1100, 1500])
def test_the_controls_above_the_tiles_are_crushed_at_no_width(width):
    with window() as w:
        controls = AllControls([w])
        controls.setMinimumWidth(800)  # as the window of the grid
        controls.show()
        controls.resize(width, 60)
        QTest.qWait(50)
        parts = [each for each in controls.findChildren(QWidget) if not each.findChildren(QWidget)]
        assert len(parts) >= 9
        for part in parts:
            assert part.width() >= part.minimumSizeHint().width(), part
        places = [place_in(part, controls) for part in parts]
        assert all(controls.rect().contains(place) for place in places)
        assert not any(a.intersects(b) for a in places for b in places if a is not b)
        controls.deleteLater()


def test_a_tile_keeps_the_ends_of_a_long_name_and_lets_figures_go(tmp_path):
    clip = copy(street().value, tmp_path / LONG)
    with window() as w:
        play(w, SourceSpec("file", str(clip)))
        tile = Tile(w.pipeline, 1)
        tile.refresh()
        for width in (240, 320, 900):
            name, figures = tile.line_texts(width)
            assert name.startswith("1  A")
            assert name.endswith(".mp4")
            assert len(name) >= 11
            assert tile.figures.startswith(figures)
        assert figures == tile.figures  # there is room for all
        assert LONG in tile.toolTip()
        assert tile.figures in tile.toolTip()


def test_a_long_name_takes_no_room_from_what_is_in_use(tmp_path):
    clip = write_clip(tmp_path / LONG, 5)
    with window() as w:
        w.resize(800, 500)
        play(w, SourceSpec("file", str(clip)))
        text = w.status_bar.text
        wait_until(lambda: "cpu" in text.text(), "the network's device")
        metrics, elide = QFontMetrics(text.font()), Qt.TextElideMode.ElideRight
        shown = metrics.elidedText(text.text(), elide, text.width())
        for word in ("A drive", "0017.mp4", "h264", "cpu"):
            assert word in shown
        assert LONG in text.toolTip()


@pytest.mark.parametrize("first", PAGES)
def test_the_names_of_all_panels_are_seen_whichever_is_open(first):
    application()
    panel = BottomPanel()
    panel.resize(800, 226)
    panel.show_page(first)
    for page in (*PAGES, first):
        panel.show_page(page)
        QTest.qWait(20)
        assert panel.tabs.tabRect(0).left() >= 0
        assert panel.tabs.tabRect(2).right() <= panel.tabs.width()
    panel.deleteLater()


@pytest.mark.parametrize("cause", get_args(LossCause))
def test_frames_that_were_not_recorded_are_told_by_cause_in_words(cause):
    counters = Counters(captured=9, not_recorded={cause: 3, "stopped": 4})
    facts = frame_facts(PipelineStatus("ended", None, None, None, 0, 0, 0, counters))
    rows = {name: (count, words) for name, count, words in facts}
    assert rows["not recorded"][0] == str(counters.not_recorded_total)
    count, words = rows[f"  {cause}"]
    assert count == str(counters.not_recorded[cause])
    assert words.startswith(f"{cause}: ")


@pytest.mark.parametrize(("width", "columns"), [(640, 1), (800, 1), (1200, 2)])
def test_the_table_of_keys_is_read_without_scrolling_sideways(width, columns):
    application()
    dialog = ShortcutsDialog(USUAL)
    dialog.resize(width, 480)
    dialog.show()
    area = dialog.findChild(QScrollArea)
    headings = [each for each in dialog.findChildren(QLabel) if each.objectName() == "heading"]
    wait_until(lambda: len({place_in(each, dialog).left() for each in headings}) == columns)
    wait_until(lambda: area.horizontalScrollBar().maximum() == 0)
    dialog.deleteLater()

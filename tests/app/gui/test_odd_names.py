"""Names of files and classes that look like markup are shown as they are."""

import re
from html import unescape
from shutil import copy

import pytest
from PyQt6.QtCore import Qt

from app.gui.grid.tile import Tile
from app.gui.widgets.controls import plain_tip
from app.sources.source_spec import SourceSpec
from tests.support.window_driver import play, street, wait_until, window

NAMES = ["<h1>x.mp4", "a <b>y.mp4", '<img src="x">.mp4']


def shown(tip):
    """Return what a tooltip shows."""
    if not Qt.mightBeRichText(tip):
        return tip
    return unescape(re.sub(r"<[^>]*>", "", tip))


@pytest.mark.parametrize("text", [*NAMES, "plain.mp4", "1 < 2 & 3", "two\nlines"])
def test_a_tooltip_shows_the_text_as_it_is(text):
    assert shown(plain_tip(text)) == text


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_file_is_no_markup_anywhere_in_the_window(tmp_path, name):
    clip = copy(street().value, tmp_path / name)
    with window() as w:
        play(w, SourceSpec("file", str(clip)))
        wait_until(lambda: name in shown(w.status_bar.text.toolTip()), "the bottom line")
        tile = Tile(w.pipeline, 1)
        tile.refresh()
        assert name in shown(tile.toolTip())
        assert w.progress_strip.text.textFormat() == Qt.TextFormat.PlainText

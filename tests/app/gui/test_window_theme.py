"""Dark and light."""

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from app.gui.widgets import theme as style
from tests.support.window_driver import press, screenshot, window


@pytest.fixture(autouse=True)
def dark_afterwards():
    yield
    style.choose("system")


def test_every_theme_names_every_colour():
    names = {name for name in vars(style)["__annotations__"] if name.isupper()}
    names -= {"THEMES", "CHOICES", "STAGES"}
    for theme, colors in style.THEMES.items():
        assert set(colors) == names, theme


def test_the_light_theme_reaches_what_qt_paints_and_what_we_paint():
    with window() as w:
        style.choose("dark")
        dark = {part: screenshot(part) for part in (w, w.panel.skip, w.invitation, w.bar.record)}
        style.choose("light")
        QTest.qWait(20)
        assert style.theme() == "light"
        for part, before in dark.items():
            after = screenshot(part)
            assert np.median(after[..., :3]) > 200 > 60 > np.median(before[..., :3]), part
        style.choose("dark")
        assert (screenshot(w.panel.skip) == dark[w.panel.skip]).all()


def test_the_mark_of_the_focus_is_whole():
    with window() as w:
        w.panel.skip.setFocus(Qt.FocusReason.TabFocusReason)
        press(w.panel.skip, Qt.Key.Key_Tab)
        w.panel.skip.setFocus(Qt.FocusReason.TabFocusReason)
        assert w.panel.skip.rect().toRectF().contains(w.panel.skip.ring())

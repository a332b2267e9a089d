"""Dark and light."""

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from app.gui.widgets import theme
from tests.support.window_driver import press, screenshot, window


@pytest.fixture(autouse=True)
def dark_afterwards():
    yield
    theme.choose("system")


def test_every_theme_names_every_colour():
    names = {name for name in vars(theme)["__annotations__"] if name.isupper()}
    names -= {"THEMES", "CHOICES", "STAGES"}
    for name, colors in theme.THEMES.items():
        assert set(colors) == names, name


def test_the_light_theme_reaches_what_qt_paints_and_what_we_paint():
    with window() as w:
        theme.choose("dark")
        dark = {
            part: screenshot(part)
            for part in (w, w.view_panel.skip, w.welcome_page, w.transport_bar.record)
        }
        theme.choose("light")
        QTest.qWait(20)
        assert theme.theme() == "light"
        for part, before in dark.items():
            after = screenshot(part)
            assert np.median(after[..., :3]) > 200 > 60 > np.median(before[..., :3]), part
        theme.choose("dark")
        assert (screenshot(w.view_panel.skip) == dark[w.view_panel.skip]).all()


def test_the_mark_of_the_focus_is_whole():
    with window() as w:
        w.view_panel.skip.setFocus(Qt.FocusReason.TabFocusReason)
        press(w.view_panel.skip, Qt.Key.Key_Tab)
        w.view_panel.skip.setFocus(Qt.FocusReason.TabFocusReason)
        assert w.view_panel.skip.rect().toRectF().contains(w.view_panel.skip.ring())

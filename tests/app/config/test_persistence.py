"""Profiles that earlier versions wrote are read on."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.config.settings import Settings
from app.gui.window.saved_state import SavedState
from app.rendering.view_options import ViewOptions, parse_side

WRITTEN_BEFORE = Path(__file__).with_name("settings_0_1.ini")
"""Written by the version before options were declared once."""


@pytest.fixture
def saved(tmp_path):
    return SavedState(Path(shutil.copy(WRITTEN_BEFORE, tmp_path)))


def test_every_option_comes_back(saved):
    settings = saved.apply(Settings())
    assert settings.network.input_size == (360, 640)
    assert settings.network.weights == "gluoncv"
    assert settings.view == ViewOptions(
        view="wipe",
        left=parse_side("skip-on"),
        right=parse_side("skip-off"),
        alpha=0.3,
        contours=True,
        hidden=frozenset({0, 10}),
    )


def test_the_state_of_the_window_comes_back(saved):
    assert (saved.theme, saved.page, saved.folder) == ("light", "log", "/videos")
    assert saved.by_share
    assert saved.greeted
    assert saved.geometry.data() == b"\x01\xd9\xd0\xcb"
    addresses = [spec.value for spec in saved.recent]
    assert addresses == ["rtsp://example.org/cam", "https://example.org/drive.mp4"]


def test_what_is_changed_now_is_written_beside_it(saved, tmp_path):
    before = saved.apply(Settings())
    now = replace(before, view=replace(before.view, alpha=0.6))
    saved.keep(now, before)
    saved.sync()
    again = SavedState(tmp_path / WRITTEN_BEFORE.name)
    assert again.apply(Settings()) == now
    assert again.theme == "light"

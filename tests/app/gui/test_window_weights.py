"""The weights can be chosen in the window, live."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PyQt6.QtWidgets import QMenu

from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.checkpoints.zoo_catalog import ENTRIES
from fastscnn.model.fast_scnn import FastSCNN
from tests.support.window_driver import SMALL, hold, messages, play, wait_until, window


@pytest.fixture
def other(tmp_path):
    torch.manual_seed(4)
    save(Checkpoint(FastSCNN().eval(), origin="another program"), tmp_path / "other.pth")
    return tmp_path / "other.pth"


def _entries(made):
    made.view_panel.weights.fill(made.view_panel.weights.menu)
    return {a.text(): a for a in made.view_panel.weights.menu.actions() if a.text()}


def test_the_menu_offers_the_shipped_weights_the_zoo_and_files():
    with window() as made:
        wait_until(lambda: made.pipeline.status().network, "the network")
        wait_until(lambda: made.view_panel.weights.button.text() == "Default model")
        entries = _entries(made)
        assert entries["Default model"].isChecked()
        assert "Open checkpoint…" in entries
        for entry in ENTRIES:
            assert any(text.startswith(entry.name) for text in entries)


def test_a_chosen_file_is_used_at_once_also_on_a_paused_picture(other):
    with window() as made:
        play(made)
        hold(made)
        before = made.view.result
        made.view_panel.weights.ask_for_file()
        dialog = made.view_panel.weights.dialog
        dialog.fileSelected.emit(str(other))
        dialog.close()
        wait_until(lambda: made.view.result is not before, "the new labels")
        assert made.view.result.frame is before.frame
        assert not np.array_equal(made.view.result.labels, before.labels)
        wait_until(lambda: made.view_panel.weights.button.text() == "other.pth")
        assert "another program" in made.view_panel.weights.button.toolTip()
        _entries(made)["Default model"].trigger()
        wait_until(lambda: np.array_equal(made.view.result.labels, before.labels), "the old labels")


def test_a_second_checkpoint_from_the_menu_stands_beside_the_first_under_a_divider(other):
    with window() as made:
        play(made)
        hold(made)
        made.network_commands.use_weights(str(other))
        [menu] = [m for m in made.findChildren(QMenu) if m.title() == "Compare with"]
        menu.aboutToShow.emit()
        entries = {action.text(): action for action in menu.actions()}
        assert "Open checkpoint…" in entries
        assert all(any(text.startswith(entry.name) for text in entries) for entry in ENTRIES)
        entries["Default model"].trigger()
        wait_until(
            lambda: (
                made.view.result.captions == ("other.pth", "Default model")
                and len(made.view.result.predictions) == 2
            ),
            "both checkpoints",
        )
        assert made.view.divider() is not None
        first, second = made.view.result.predictions
        assert (first.labels != second.labels).any()


def test_a_file_that_is_no_checkpoint_is_refused_in_words_and_the_picture_goes_on(tmp_path):
    (tmp_path / "notes.pth").write_text("no weights")
    with window() as made:
        play(made)
        made.network_commands.use_weights(str(tmp_path / "notes.pth"))
        wait_until(lambda: any("notes.pth" in text for text in messages(made)), "the banner")
        before = made.view.result
        wait_until(lambda: made.view.result is not before, "the next picture")
        assert made.view_panel.weights.button.text() == "Default model"


def test_after_weights_that_failed_at_the_start_others_bring_the_picture(tmp_path, other):
    settings = replace(SMALL, network=replace(SMALL.network, weights=str(tmp_path / "none.pth")))
    with window(settings) as made:
        wait_until(lambda: made.pipeline.status().broken, "the error")
        made.network_commands.use_weights(str(other))
        play(made)

"""The table of keys, files that change it, and what the keys do in the window."""

import json
from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence

from app.config.reference_tables import TABLES, updated
from app.config.shortcuts import COMMANDS, USUAL, load_keys, parse_key
from app.errors import UsageError
from tests.support.cli_process import run_main
from tests.support.media import ROOT
from tests.support.window_driver import (
    SMALL,
    application,
    hold,
    messages,
    play,
    press,
    wait_until,
    window,
)


def test_every_usual_key_belongs_to_one_command_and_is_one_that_qt_knows():
    application()
    keys = [key for command in COMMANDS for key in command.keys]
    assert len(keys) == len(set(keys)) > 30
    for key in keys:
        assert parse_key(key) == key
        assert QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText) == key


@pytest.mark.parametrize("name", TABLES)
def test_the_documents_show_the_table_in_force(name):
    """``python -m app.config.reference_tables`` brings them up to date."""
    assert updated(name) == (ROOT / "docs" / name).read_text("utf-8")


def test_a_file_gives_commands_other_keys_and_takes_them_from_those_that_had_them(tmp_path):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"record": "s", "snapshot": ["ctrl+p", "F9"], "quit": []}))
    keys = load_keys(file)
    assert keys["record"] == ("S",)
    assert keys["skip"] == ()
    assert keys["snapshot"] == ("Ctrl+P", "F9")
    assert keys["quit"] == ()
    assert keys["play"] == USUAL["play"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "one object"),
        ('{"recrod": "S"}', "do you mean record?"),
        ('{"record": "Banana"}', "no key"),
        ('{"record": "Hyper+S"}', "no key"),
        ('{"record": 5}', "text or a list"),
        ('{"record": "S", "quit": "S"}', "both record and quit"),
        ("[" * 90_000, "not JSON"),
        (" " * 200_000, "too large"),
    ],
    ids=["broken", "list", "unknown", "nokey", "modifier", "number", "twice", "deep", "large"],
)
def test_a_file_of_keys_that_makes_no_sense_is_refused_in_one_sentence(tmp_path, text, words):
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        load_keys(file)
    assert words in str(refused.value)
    assert "keys.json" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_of_keys_ends_the_program_with_a_sentence_and_code_2(tmp_path):
    done = run_main("--keys", str(tmp_path / "none.json"))
    assert done.returncode == 2
    assert done.stderr.startswith("Error: The keys in ")
    assert "Traceback" not in done.stderr


def test_other_keys_work_in_the_window_and_the_help_shows_them():
    keys = {**USUAL, "skip": ("X",)}
    with window(SMALL, keys=keys) as w:
        press(w, Qt.Key.Key_S)
        assert w.pipeline.live.skip
        press(w, Qt.Key.Key_X)
        assert not w.pipeline.live.skip
        press(w, Qt.Key.Key_F1)
        assert w.help_menu.keys_dialog.isVisible()
        labels = {
            label.text()
            for label in w.help_menu.keys_dialog.findChildren(type(w.status_bar.counts))
        }
        assert "X" in labels
        assert {command.text for command in COMMANDS} <= labels
        press(w.help_menu.keys_dialog, Qt.Key.Key_Escape)
        assert not w.help_menu.keys_dialog.isVisible()


def test_s_says_so_where_the_comparison_leaves_the_switch_nothing_to_do():
    with window() as w:
        press(w, Qt.Key.Key_W)
        press(w, Qt.Key.Key_S)
        assert w.pipeline.live.skip
        assert "does not go by the switch" in messages(w)[-1]
        assert not w.view_panel.skip.isEnabled()
        press(w, Qt.Key.Key_W)
        press(w, Qt.Key.Key_S)
        assert not w.pipeline.live.skip
        assert w.view_panel.skip.isEnabled()


def test_the_list_of_keys_fits_the_screen():
    with window() as w:
        press(w, Qt.Key.Key_F1)
        room = w.help_menu.keys_dialog.screen().availableSize()
        assert w.help_menu.keys_dialog.width() <= room.width()
        assert w.help_menu.keys_dialog.height() <= room.height()


def test_the_number_keys_change_the_input_size_of_a_held_picture():
    with window(replace(SMALL, network=replace(SMALL.network, input_size="quarter"))) as w:
        play(w)
        hold(w)
        assert w.pipeline.status().network_size == (256, 512)
        press(w, Qt.Key.Key_2)
        wait_until(lambda: w.pipeline.status().network_size == (512, 1024), "the other size")
        wait_until(lambda: w.view_panel.network.button.text().startswith("half"), "the words")


def test_v_c_w_and_b_change_the_view():
    with window() as w:
        press(w, Qt.Key.Key_C)
        assert w.pipeline.view.view == "confidence"
        press(w, Qt.Key.Key_C)
        assert w.pipeline.view.view == "overlay"
        press(w, Qt.Key.Key_W)
        assert w.pipeline.view.view == "wipe"
        assert [side.skip for side in w.pipeline.view.sides] == [True, False]
        press(w, Qt.Key.Key_W)
        press(w, Qt.Key.Key_B)
        assert w.pipeline.view.view == "overlay"
        assert w.pipeline.view.contours
        press(w, Qt.Key.Key_V)
        assert w.pipeline.view.view == "labels"


def test_w_goes_from_another_comparison_to_skip_on_and_off():
    with window() as w:
        w.view_commands.compare("raw | overlay")
        press(w, Qt.Key.Key_W)
        assert w.pipeline.view.view == "wipe"
        assert [side.skip for side in w.pipeline.view.sides] == [True, False]
        press(w, Qt.Key.Key_W)
        assert w.pipeline.view.view == "overlay"


def test_arrow_keys_belong_to_a_slider_while_it_has_the_focus():
    with window() as w:
        play(w)
        hold(w)
        before = w.pipeline.status().position
        w.view_panel.alpha.setFocus()
        press(w.view_panel.alpha, Qt.Key.Key_Right)
        assert w.view_panel.alpha.value() == 51
        assert w.pipeline.status().position == before
        w.transport_bar.play.setFocus()
        press(w.transport_bar.play, Qt.Key.Key_Right)
        assert w.view_panel.alpha.value() == 51
        wait_until(lambda: w.pipeline.status().position > before + 4, "the place")

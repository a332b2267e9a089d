"""What the window keeps from one run to the next."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt

from app.cli import argument_parser as cli
from app.config.persistence import profile_path
from app.config.run_file import with_run_file
from app.config.settings import NetworkOptions, Settings
from app.config.value_parsers import is_public
from app.errors import UsageError
from app.gui.window.saved_state import SavedState
from app.rendering.view_options import Side, ViewOptions
from app.sources.source_spec import SourceSpec
from tests.support.media import ROOT, write_clip
from tests.support.waiting import PATIENCE
from tests.support.window_driver import (
    SMALL,
    click,
    drop,
    messages,
    play,
    press,
    shows,
    street,
    wait_until,
    window,
)


def _chosen(*arguments):
    parser = cli.build_parser()
    return cli.settings_from(parser.parse_args(arguments))


def _with_weights(weights):
    return Settings(network=NetworkOptions(weights=weights))


def test_view_classes_input_size_and_panel_come_back(tmp_path):
    path = tmp_path / "settings.ini"
    with window(SMALL, saved=SavedState(path)) as w:
        wait_until(lambda: w.pipeline.status().network, "the network")
        w.view_panel.alpha.setValue(80)
        press(w, Qt.Key.Key_B)
        press(w, Qt.Key.Key_V)
        click(w.legend.rows[8])
        press(w, Qt.Key.Key_1)
        press(w, Qt.Key.Key_E)
        w.set_theme("light")
        w.resize(800, 650)
        wait_until(lambda: w.pipeline.status().network.options.input_size == "quarter", "it")
        w.set_theme("system")
    saved = SavedState(path)
    settings = saved.apply(_chosen("--device", "cpu"))
    assert (settings.view.view, settings.view.alpha) == ("labels", 0.8)
    assert settings.view.contours
    assert settings.view.hidden == {8}
    assert settings.network.input_size == "quarter"
    with window(settings, saved=saved) as w:
        assert (w.width(), w.height()) == (800, 650)
        assert w.bottom_panel.page == "log"
        assert w.view_panel.percent.text() == "80 %"
        wait_until(lambda: not w.legend.rows[8].isChecked(), "the hidden class")


def test_what_is_compared_and_the_order_of_the_classes_come_back(tmp_path):
    path = tmp_path / "settings.ini"
    with window(SMALL, saved=SavedState(path)) as w:
        press(w, Qt.Key.Key_W)
        w.view_commands.set_measure("entropy")
        click(w.legend.sort)
    settings = SavedState(path).apply(_chosen())
    assert settings.view.view == "wipe"
    assert [side.skip for side in settings.view.sides] == [True, False]
    assert settings.view.measure == "entropy"
    with window(settings, saved=SavedState(path)) as w:
        assert w.legend.by_share
        assert w.view_panel.pair.text() == "skip on | skip off"
    assert SavedState(path).apply(_chosen("--left", "labels")).view.right == Side("overlay")


def test_a_second_checkpoint_is_not_kept(tmp_path):
    saved = SavedState(tmp_path / "settings.ini")
    both = replace(ViewOptions(), view="wipe", left=Side(weights="a"), right=Side(weights="b"))
    saved.keep_view(both, ViewOptions())
    assert not saved.apply(_chosen()).view.compares_weights


def test_the_same_file_by_two_names_is_offered_once(tmp_path, monkeypatch):
    clip = write_clip(tmp_path / "a.mp4", 2)
    monkeypatch.chdir(tmp_path)
    saved = SavedState(tmp_path / "settings.ini")
    for name in (str(clip), "a.mp4", f"../{tmp_path.name}/a.mp4"):
        saved.keep_recent(SourceSpec("file", name))
    assert [spec.value for spec in saved.recent] == [str(clip)]


def test_what_the_command_line_says_wins_and_is_not_kept(tmp_path):
    path = tmp_path / "settings.ini"
    with window(SMALL, saved=SavedState(path)) as w:
        w.view_panel.alpha.setValue(80)
        press(w, Qt.Key.Key_V)
    settings = SavedState(path).apply(_chosen("--alpha", "0.5", "--input-size", "64x128"))
    assert settings.view.alpha == 0.5
    assert settings.view.view == "labels"
    assert settings.network.input_size == (64, 128)
    with window(settings, saved=SavedState(path)) as w:
        wait_until(lambda: w.pipeline.status().network, "the network")
    again = SavedState(path).apply(_chosen())
    assert again.view.alpha == 0.8
    assert again.network.input_size == "auto"


def test_weights_are_kept_while_their_file_is_there(tmp_path):
    weights = tmp_path / "mine.pth"
    weights.write_bytes(b"weights")
    saved = SavedState(tmp_path / "settings.ini")
    saved.keep(_with_weights(str(weights)), Settings())
    assert saved.apply(_chosen()).network.weights == str(weights)
    assert saved.apply(_chosen("--weights", "gluoncv")).network.weights == "gluoncv"
    weights.unlink()
    assert saved.apply(_chosen()).network.weights is None


def test_the_empty_window_shows_the_files_opened_last_with_their_first_picture(tmp_path):
    clips = [write_clip(tmp_path / f"{name}.mp4", 5) for name in "ab"]
    saved = SavedState(tmp_path / "settings.ini")
    for path in (*clips, tmp_path / "gone.mp4"):
        saved.keep_recent(SourceSpec("file", str(path)))
    with window(SMALL, saved=saved) as w:
        cards = w.welcome_page.cards
        assert [card.spec.name for card in cards] == ["b.mp4", "a.mp4"]
        wait_until(lambda: cards[0].icon().availableSizes(), "the picture")
        for size in ((800, 500), (1280, 800)):  # the names have their place in small windows too
            w.resize(*size)
            wait_until(lambda: all(c.height() >= c.sizeHint().height() for c in cards), "the names")
        click(cards[1])
        wait_until(lambda: shows(w, SourceSpec("file", str(clips[0]))), "the clip")


def test_files_that_were_opened_are_offered_again_and_can_be_forgotten(tmp_path):
    clips = [write_clip(tmp_path / f"{name}.mp4", 30) for name in "ab"]
    saved = SavedState(tmp_path / "settings.ini")
    with window(SMALL, saved=saved) as w:
        drop(w, tmp_path / "settings.ini")  # no video: it is not offered again
        wait_until(lambda: messages(w), "the error")
        for clip in clips:
            drop(w, clip)
            wait_until(lambda clip=clip: shows(w, SourceSpec("file", str(clip))), "the clip")
        wait_until(lambda: [spec.name for spec in saved.recent] == ["b.mp4", "a.mp4"], "the list")
        menu = w.open_menu.recent_menu(w)
        menu.actions()[1].trigger()
        wait_until(lambda: shows(w, SourceSpec("file", str(clips[0]))), "the first clip")
        menu.actions()[-1].trigger()
        assert saved.recent == []


@pytest.mark.parametrize(
    "address",
    ["rtsp://me:secret@10.0.0.1/live", "https://example.org/v.mp4?token=secret"],
    ids=["password", "token"],
)
def test_an_address_with_a_secret_is_never_written_down(tmp_path, address):
    path = tmp_path / "settings.ini"
    saved = SavedState(path)
    assert not is_public(address)
    saved.keep_recent(SourceSpec("stream", address))
    saved.keep(_with_weights(address), Settings())
    saved.keep_recent(SourceSpec("stream", "rtsp://10.0.0.1/live"))
    saved.sync()
    assert "secret" not in path.read_text()
    assert [spec.value for spec in saved.recent] == ["rtsp://10.0.0.1/live"]


@pytest.mark.parametrize("text", ["", "\x00\xff", "[", '{"alpha": "x"}', '{"hidden": [99, "a"]}'])
def test_settings_that_make_no_sense_are_as_good_as_none(tmp_path, text):
    path = tmp_path / "settings.ini"
    path.write_text(f"[picture]\nview={json.dumps(text)}\n[open]\nrecent={text}\n")
    saved = SavedState(path)
    assert saved.apply(Settings()) == Settings()
    assert saved.recent == []


def test_each_profile_has_its_own_settings_and_odd_names_are_refused():
    assert profile_path("night") != profile_path(None) != profile_path("day")
    for name in ("../evil", "", ".hidden", "a/b", "x" * 99):
        with pytest.raises(UsageError):
            profile_path(name)


def test_the_keys_are_told_at_the_first_picture_and_never_again(tmp_path):
    saved = SavedState(tmp_path / "settings.ini")
    street()  # made before: it takes a while
    with window(SMALL, saved=saved) as w:
        play(w)
        wait_until(lambda: messages(w), "the hint")
        assert "F1 shows all keys" in messages(w)[0]
        w.notifications.clear()
        play(w)
        assert messages(w) == []


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
def test_the_program_keeps_settings_resets_them_and_says_an_error_in_the_terminal_at_once(tmp_path):
    environment = os.environ | {"FASTSCNN_CONFIG": str(tmp_path)}
    saved = SavedState(tmp_path / "profile-night.ini")
    saved.folder = "/somewhere"
    saved.sync()
    arguments = ["nosuch.mp4", "--profile", "night", "--reset-settings"]
    with subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        line = process.stderr.readline()  # while the window is still there
        assert process.poll() is None
        assert line.startswith("Error: There is no file nosuch.mp4")
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=PATIENCE)
    # The network was still being loaded: what was left of that ended with the process.
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert "Fatal" not in rest
    assert SavedState(tmp_path / "profile-night.ini").folder == ""


def test_the_settings_of_a_run_are_saved_and_repeat_it(tmp_path):
    path = tmp_path / "run.toml"
    with window() as w:
        play(w)
        press(w, Qt.Key.Key_S)
        press(w, Qt.Key.Key_V)
        w.actions_by_name["run-settings"].trigger()
        w.run_settings.dialog.fileSelected.emit(str(path))
        assert f"--config {path}" in messages(w)[-1]
        w.run_settings.save(tmp_path / "no" / "run.toml")
        assert "cannot be written" in messages(w)[-1]
    again = cli.settings_from(with_run_file(cli.build_parser().parse_args(["--config", str(path)])))
    assert again.first_source == street()
    assert (again.view.view, again.network.skip) == ("labels", False)
    assert again.network.input_size == (64, 128)

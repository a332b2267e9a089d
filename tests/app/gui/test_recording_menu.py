"""The arrow beside the record button: what flags can do for a recording, by clicks."""

from pathlib import Path

import av
import pytest
from PyQt6.QtWidgets import QMenu

from app.cli.argument_parser import build_parser, settings_from
from app.config.settings import EncoderChoice
from app.gui.window.saved_state import SavedState
from tests.support.media import count_by_opencv
from tests.support.window_driver import SMALL, click, messages, play, wait_until, window


def _choose(made, *texts):
    """Click through the menu of the arrow: the entries that begin with these texts."""
    menu = top = QMenu()
    made.recording_menu.fill(top)
    for text in texts:
        entry = next(e for e in menu.actions() if e.text().startswith(text))
        menu = entry.menu() or menu
    entry.trigger()


def _answer(made, text):
    made.recording_menu.dialog.setTextValue(text)
    made.recording_menu.dialog.accept()


def _settings(path, *arguments):
    return SavedState(path).apply(settings_from(build_parser().parse_args(arguments)))


def test_what_is_chosen_is_recorded(tmp_path):
    with window(SMALL, recordings=tmp_path) as w:
        play(w)
        _choose(w, "Codec", "AV1")
        _choose(w, "Names", "Other")
        _answer(w, "drive.mp4")
        _choose(w, "Labels beside")
        _choose(w, "Raw picture")
        click(w.transport_bar.record)
        wait_until(lambda: (r := w.pipeline.status().recording) and r.frames > 3, "frames")
        click(w.transport_bar.record)
        wait_until(lambda: any("Saved" in text for text in messages(w)), "the end")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"drive.mp4", "drive.raw.mp4", "drive.labels.mkv"}
    for name in ("drive.mp4", "drive.raw.mp4"):
        with av.open(str(tmp_path / name)) as container:
            assert container.streams.video[0].codec_context.codec.canonical_name == "av1"


def test_record_as_takes_a_file_of_ones_own(tmp_path):
    with window(SMALL, recordings=tmp_path) as w:
        play(w)
        _choose(w, "Record as")
        w.recording_menu.dialog.fileSelected.emit(str(tmp_path / "mine.mp4"))
        wait_until(lambda: (r := w.pipeline.status().recording) and r.frames > 3, "frames")
    assert count_by_opencv(tmp_path / "mine.mp4") > 3


def test_the_options_come_back_and_the_command_line_wins(tmp_path):
    path = tmp_path / "settings.ini"
    folder = tmp_path / "drives"
    folder.mkdir()
    with window(SMALL, saved=SavedState(path)) as w:
        _choose(w, "Folder", "Choose")
        w.recording_menu.dialog.fileSelected.emit(str(folder))
        _choose(w, "Codec", "HEVC")
        _choose(w, "Quality", "4 Mbit")
        _choose(w, "Encoder's speed", "medium")
        _choose(w, "Sound")
        _choose(w, "Raw")
        _choose(w, "Continue")
    recording = _settings(path).recording
    assert recording.record_dir == folder
    assert recording.encoder == EncoderChoice("hevc", "auto", None, 4_000_000, "medium")
    assert (recording.audio, recording.record_raw, recording.record_labels) == (False, True, False)
    assert recording.on_switch == "continue"
    recording = _settings(path, "--codec", "av1", "--on-switch", "close").recording
    assert recording.encoder == EncoderChoice("av1")
    assert recording.on_switch == "close"
    assert recording.record_raw
    folder.rmdir()
    assert _settings(path).recording.record_dir is None


@pytest.mark.parametrize(
    ("entry", "said", "words"),
    [
        ("Names", "a/{source}.mp4", "--record-dir"),
        ("Names", "{place}.mp4", "means nothing"),
        ("Quality", "99", "whole number from 0 to"),
        ("Quality", "52", "from 0 to 51"),
        ("Quality", "4T", "4T must be"),
    ],
)
def test_what_makes_no_sense_is_said_and_changes_nothing(entry, said, words):
    with window() as w:
        before = w.recording.options
        _choose(w, entry, "Other")
        _answer(w, said)
        assert words in messages(w)[-1]
        assert w.recording.options == before


@pytest.mark.parametrize(("said", "quality"), [("18", (18, None)), ("2500k", (None, 2_500_000))])
def test_any_quality_can_be_entered(said, quality):
    with window() as w:
        _choose(w, "Quality", "Other")
        _answer(w, said)
        encoder = w.recording.options.encoder
        assert (encoder.crf, encoder.bitrate) == quality


def test_a_folder_that_is_gone_and_values_that_are_none_are_as_good_as_not_there(tmp_path):
    path = Path(tmp_path, "settings.ini")
    path.write_text(
        "[output]\nrecord_dir=/no/such\nrecord_name=a/b.mp4\naudio=perhaps\ncodec=mpeg2\n"
        "on_switch=explode\n"
    )
    assert _settings(path).recording == settings_from(build_parser().parse_args([])).recording
    path.write_text("[output]\ncodec=h264\nencoder=libsvtav1\nrecord_raw=True\n")
    recording = _settings(path).recording
    assert recording.encoder == EncoderChoice()
    assert recording.record_raw

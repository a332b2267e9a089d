"""Several sources on the command line make a playlist, in the window alone."""

import cv2
import pytest

from app.cli import argument_parser as cli
from app.errors import UsageError
from app.sources.source_spec import SourceSpec
from tests.support.media import picture, write_clip
from tests.support.window_driver import shows, wait_until, window


def settings(*arguments):
    return cli.settings_from(cli.build_parser().parse_args(list(arguments)))


def test_files_and_a_folder_of_videos_play_one_after_the_other(tmp_path):
    (tmp_path / "more").mkdir()
    paths = [write_clip(tmp_path / name, 6) for name in ("b.mp4", "more/2.mp4", "more/10.mp4")]
    chosen = settings(str(paths[0]), str(tmp_path / "more"), "--input-size", "64x128")
    assert [spec.value for spec in chosen.sources] == [str(p) for p in paths]
    with window(chosen) as w:
        wait_until(lambda: shows(w, SourceSpec("file", str(paths[2]))), "the last of them")
        wait_until(lambda: "(3 of 3)" in w.windowTitle(), "the title")


def test_a_folder_of_pictures_is_one_source(tmp_path):
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture(index))
    write_clip(tmp_path / "making of.mp4", 2)
    chosen = settings(str(tmp_path), "--fps", "5")
    assert (chosen.first_source.kind, chosen.first_source.rate, chosen.sources[1:]) == (
        "images",
        5,
        (),
    )


@pytest.mark.parametrize(
    "words", [["--camera", "0", "a.mp4"], ["--demo", "a.mp4"], ["--camera", "0", "--demo"]]
)
def test_sources_of_two_kinds_exclude_each_other_but_in_a_grid(words):
    with pytest.raises(UsageError, match="exclude each other: name one, or add --grid"):
        settings(*words)
    kinds = [spec.kind for spec in settings(*words, "--grid").sources]
    assert kinds == [k for k, w in (("camera", "--camera"), ("demo", "--demo")) if w in words] + [
        "file"
    ] * ("a.mp4" in words)


def test_without_a_window_a_folder_of_videos_is_refused_in_words(tmp_path):
    for name in "ab":
        write_clip(tmp_path / f"{name}.mp4", 2)
    with pytest.raises(UsageError, match="one source is processed at a time"):
        settings(str(tmp_path), "--headless")


def test_the_last_of_a_time_s_parts_are_below_sixty():
    with pytest.raises(SystemExit):
        settings("a.mp4", "--start", "1:99")
    assert settings("a.mp4", "--start", "1:59").first_source.start == 119


@pytest.mark.parametrize("words", [["0", "0"], ["--camera", "0", "0"]])
def test_a_camera_is_opened_once(words):
    with pytest.raises(UsageError, match="can be opened once"):
        settings(*words, "--grid")


def test_what_fits_some_of_several_sources_is_asked_of_those():
    words = ["--camera", "0", "a.mp4", "rtsp://host/a", "--grid", "--start", "3", "--width", "640"]
    camera, file, stream = settings(*words).sources
    assert (camera.width, file.width, stream.width) == (640, None, None)
    assert (camera.start, file.start, stream.start) == (0, 3, 0)
    with pytest.raises(UsageError, match="--video-stream is for files"):
        settings("--camera", "0", "--camera", "1", "--video-stream", "0")

"""Names that a file system gives and that are no Unicode go into every file, message and run."""

import json
import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QUrl

from app.cli.launcher import main as live
from app.core.frame import Frame, Result
from app.gui.controllers.screenshot import save_pictures
from app.gui.window.drag_and_drop import parse_mime_data
from app.gui.window.saved_state import SavedState
from app.rendering.view_options import ViewOptions
from app.sources.source_spec import SourceSpec, parse_source
from fastscnn.checkpoints.checkpoint import load
from fastscnn.checkpoints.http_download import check_address
from fastscnn.data.dataset_factory import open_frames
from fastscnn.data.splits import fold_of
from fastscnn.evaluate import main as evaluate
from fastscnn.export import main as export
from fastscnn.outputs import as_json
from fastscnn.pretrain import main as pretrain
from fastscnn.segmenter import default_checkpoint
from fastscnn.soup import main as soup
from fastscnn.train import main as train
from fastscnn.training.run_log import RunLog
from tests.support.labelled_data import labelled_folder
from tests.support.media import count_by_opencv, picture, write_clip

ODD = os.fsdecode(b"stra\xdfe")
SMALL = ["--steps", "1", "--batch", "2", "--crop", "64x96", "--device", "cpu"]


@pytest.fixture
def odd(tmp_path):
    """A folder of such a name."""
    try:
        (tmp_path / ODD).mkdir()
    except OSError:
        pytest.skip("this file system knows Unicode alone")
    return tmp_path / ODD


def labelled(odd):
    # OpenCV crashes over such names.
    return labelled_folder(odd.parent / "data", 2).rename(odd / "data")


def test_json_gives_such_a_name_back():
    written = as_json({ODD: [ODD, "\\", "\\" + ODD, "Straße"]})
    assert json.loads(written.decode("utf-8")) == {ODD: [ODD, "\\", "\\" + ODD, "Straße"]}
    assert "Straße".encode() in written


def test_an_evaluation_writes_all_that_it_can_write(odd):
    data = labelled(odd)
    for path in [*data.glob("*/0.*")]:
        path.rename(path.with_stem(f"{ODD}_0"))
    outputs = {option: odd / f"{ODD}{option}" for option in ("--json", "--pictures", "--labels")}
    words = [word for option, path in outputs.items() for word in (option, str(path))]
    words += ["--confusion", str(odd / f"{ODD}.png"), "--worst", "2", "--by-drive"]
    assert evaluate([str(data), "--input-size", "64x96", "--device", "cpu", *words]) == 0
    figures = json.loads(outputs["--json"].read_text("utf-8"))
    assert os.fsencode(figures["data"]) == os.fsencode(data)
    assert len(list(outputs["--labels"].iterdir())) == 2
    assert len(list(outputs["--pictures"].iterdir())) == 2
    assert (odd / f"{ODD}.png").stat().st_size > 0
    assert len(open_frames(f"{data}?drives={ODD}&without=1")) == 1
    assert len(open_frames(f"{data}?fold={fold_of(ODD, 2)}/2")) >= 1


def test_a_training_runs_resumes_and_repeats_by_its_config(odd):
    data, run = labelled(odd), odd / ODD
    spec = ["--data", f"folder:{data}"]
    assert train(["--run", str(run), "--preset", "cpu", *spec, "--val", str(data), *SMALL]) == 0
    assert json.loads((run / "config.json").read_text("utf-8"))["data"] == [f"folder:{data}"]
    assert load(run / "last.pth").info["data"] == [f"folder:{data}"]
    assert train(["--run", str(run), "--resume"]) == 0
    again = ["--run", str(odd / "again"), "--config", str(run), "--start", str(run)]
    assert train([*again, "--device", "cpu"]) == 0


def test_a_curve_has_a_title(odd):
    pytest.importorskip("matplotlib")
    for name in (ODD, "costs $1 and $2_"):
        log = RunLog(odd / name, ["mean IoU"], 10)
        log.add((1, 0.5, 0.1, 1.0, 0), {"mean IoU": 0.5})
        log.draw()
        assert (odd / name / "curve.png").stat().st_size > 0


def test_a_pre_training_reads_such_pictures(odd):
    for kind in ("a", "b"):
        (odd / kind).mkdir()
        ok, data = cv2.imencode(".png", np.zeros((70, 80, 3), np.uint8))
        assert ok
        (odd / kind / f"{ODD}.png").write_bytes(data.tobytes())
    crop = ["--steps", "1", "--batch", "2", "--crop", "64x64", "--device", "cpu"]
    assert pretrain(["--data", str(odd), "--run", str(odd.parent / "run"), *crop]) == 0


def test_checkpoints_are_averaged_and_exported(odd):
    weights = odd / f"{ODD}.pth"
    weights.write_bytes(default_checkpoint().read_bytes())
    assert soup([str(weights), str(weights), "-o", str(odd / "mean.pth")]) == 0
    assert export([str(odd / f"{ODD}.ts"), "--weights", str(weights)]) == 0
    assert (odd / f"{ODD}.ts").stat().st_size > 0


def test_a_clip_is_recorded_and_reported(odd):
    clip, report = write_clip(odd.parent / "a.mp4", 4), odd / f"{ODD}.json"
    clip = clip.rename(odd / f"{ODD}.mp4")
    words = ["-o", str(odd / "o.mp4"), "--stats-json", str(report), "--save-labels", str(odd / "l")]
    words += ["--headless", "--input-size", "64x96", "--device", "cpu"]
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert live([str(clip), *words]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    found = json.loads(report.read_text("utf-8"))
    assert os.fsencode(found["source"]["name"]) == os.fsencode(clip.name)
    assert os.fsencode(found["recordings"][0]["path"]) == os.fsencode(odd / "o.mp4")
    assert len(list((odd / "l").iterdir())) == 4
    assert count_by_opencv((odd / "o.mp4").rename(odd.parent / "o.mp4")) == 4


def test_the_window_s_settings_give_such_names_back(odd):
    def saved():
        return SavedState(odd.parent / "settings.ini")

    state = saved()
    for text in (str(odd), '"quoted"', str(odd.parent / "Straße"), ""):
        state.folder = text
        state.keep_recent(SourceSpec("file", str(odd / "clip.mp4")))
        state.sync()
        # A copy, since Qt keeps what it knows of a file.
        copied = SavedState(Path(shutil.copy(odd.parent / "settings.ini", odd.parent / "b.ini")))
        assert (copied.folder, copied.recent[0].value) == (text, str(odd / "clip.mp4"))
        (odd.parent / "b.ini").unlink()


def test_an_address_of_such_a_file_means_it(odd):
    clip = odd / "clip.mp4"
    clip.touch()
    address = "file://" + quote(os.fsencode(clip))
    assert parse_source(address).value == str(clip)
    data = QMimeData()
    data.setUrls([QUrl(address)])
    assert [spec.value for spec in parse_mime_data(data).entries] == [str(clip)]
    assert check_address(f"http://host/{ODD}.pth") == "http://host/stra%DFe.pth"


def test_a_screenshot_is_saved_in_such_a_folder(odd):
    image, made = picture(1), []
    result = Result(Frame(image, 0, 0.0, 0.0), (), (image,), ("raw",), ViewOptions(), True)
    for parts in (False, True):
        save_pictures(
            result, image, odd, ODD, parts=parts, done=lambda files, error: made.extend(files)
        ).join()
    assert len(made) == 4
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in made)

"""Every example runs on the demo street, without a download."""

import csv
import json
import re
import runpy
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastscnn.labels import CLASS_NAMES
from tests.support.media import ROOT, read_clip, write_clip
from tests.support.waiting import PATIENCE

EXAMPLES = ROOT / "examples"
MOST_LINES = 40


def run_example(name: str, *arguments: object) -> None:
    before = sys.argv
    sys.argv = [name, *map(str, arguments)]
    try:
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    finally:
        sys.argv = before


@pytest.fixture(scope="module")
def street():
    from fastscnn.data.street import Street

    return Street(77, 192, 96)


def test_an_image_is_segmented(tmp_path, street, capsys):
    image = street.render(3.0)[0]
    cv2.imwrite(str(tmp_path / "street.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    run_example("segment_image.py", tmp_path / "street.png", tmp_path / "out.png")
    assert cv2.imread(str(tmp_path / "out.png")).shape == image.shape
    assert "road" in capsys.readouterr().out


def test_a_video_is_segmented_frame_by_frame(tmp_path, street):
    stamps = [0.0, 0.1, 0.3]
    pictures = [street.render(stamp)[0] for stamp in stamps]
    clip = write_clip(tmp_path / "in.mp4", stamps, size=(192, 96), pictures=pictures)
    run_example("segment_video.py", clip, tmp_path / "out.mp4")
    times, images = read_clip(tmp_path / "out.mp4")
    assert times == pytest.approx(stamps, abs=0.001)
    assert images[0].shape == (96, 192, 3)


def test_a_function_gets_every_result_while_the_source_runs(capsys):
    run_example("live_callback.py", "demo", 4)
    lines = [line for line in capsys.readouterr().out.splitlines() if "person" in line]
    assert [line.split(":")[0] for line in lines] == [f"frame {index}" for index in range(4)]


def test_a_source_of_ones_own_gives_all_its_images(capsys):
    run_example("custom_source.py")
    assert capsys.readouterr().out.count("mostly") == 8


def test_both_settings_of_the_skip_connection_are_judged(capsys):
    run_example("compare_skip.py", 1, 256)
    words = capsys.readouterr().out.split("mean IoU")[1].split()
    assert all(0 < float(word.rstrip("%")) < 100 for word in words[:2])


def test_class_shares_become_a_table(tmp_path):
    run_example("class_shares_csv.py", "demo", tmp_path / "shares.csv", 2)
    header, *rows = csv.reader((tmp_path / "shares.csv").read_text("utf-8").splitlines())
    assert header == ["time", *CLASS_NAMES]
    assert [sum(map(float, row[1:])) for row in rows] == pytest.approx([1, 1], abs=0.01)


def test_regions_of_people_are_counted_by_the_minute(capsys):
    run_example("count_people.py", "demo", 3)
    assert re.fullmatch(r"0:00  mean \d+\.\d, at most \d+\n", capsys.readouterr().out)


def test_a_camera_that_sees_somebody_posts_an_alert(tmp_path):
    posted = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((128, 256, 3), np.uint8))
    from fastscnn.data.street import Street

    crowd = Street(2, 1024, 512).render(48.0)[0]
    for name, image in {"1": crowd, "2": crowd, "3": np.zeros_like(crowd)}.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), image[..., ::-1])
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_address[1]}/hook"
            run_example("watch_camera.py", tmp_path, address)
        finally:
            server.shutdown()
            thread.join()
    assert [(post["person"], post["frame"]) for post in posted] == [(True, 1), (False, 3)]
    assert posted[0]["share"] > 0.02


def test_a_time_lapse_has_a_frame_for_every_so_many_seconds(tmp_path):
    run_example("vegetation_timelapse.py", "demo", tmp_path / "t.mp4", 0.1, 3)
    times, images = read_clip(tmp_path / "t.mp4")
    assert times == pytest.approx([0, 0.04, 0.08])
    assert images[0].shape == (512, 1024, 3)


def test_pictures_become_labels_to_begin_with(tmp_path, street):
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), street.render(3.0)[0][..., ::-1])
    with pytest.raises(SystemExit) as end:
        run_example("cvat_prelabels.py", tmp_path / "in", tmp_path / "a.zip", "road,sky")
    assert end.value.code == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        found = json.loads(archive.read("annotations/instances_default.json"))
    assert [image["file_name"] for image in found["images"]] == ["a.png"]
    assert {each["name"] for each in found["categories"]} == {"road", "sky"}
    assert {each["category_id"] for each in found["annotations"]} == {7, 23}


@pytest.mark.parametrize(
    "name", ["class_shares_csv", "count_people", "cvat_prelabels", "segment_video", "watch_camera"]
)
def test_what_an_example_needs_is_said(name):
    with pytest.raises(SystemExit, match=rf"python examples/{name}.py"):
        run_example(f"{name}.py")


@pytest.mark.slow
def test_a_tiny_network_is_trained(tmp_path):
    script = str(EXAMPLES / "train_tiny.sh")
    subprocess.run(["sh", script, str(tmp_path), "2"], cwd=ROOT, check=True, timeout=PATIENCE)
    assert len(read_clip(tmp_path / "demo.mp4")[0]) == 20


@pytest.mark.parametrize(
    "path", sorted(p for p in EXAMPLES.iterdir() if p.is_file()), ids=lambda p: p.name
)
def test_an_example_is_short_and_listed(path: Path):
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES
    assert path.name == "README.md" or f"]({path.name})" in (EXAMPLES / "README.md").read_text()

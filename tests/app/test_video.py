"""Videos in a program: results frame by frame, and nothing left open."""

import contextlib
import doctest
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

import app.video
from app.errors import SourceError, WeightsError
from app.video import segment_video
from fastscnn import Segmenter
from fastscnn.labels import CLASS_NAMES
from tests.support.media import write_clip


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter.from_checkpoint(device="cpu", input_size=(64, 96))


def open_files(name):
    """How often this process has a file open."""
    return sum(
        os.path.basename(os.readlink(link)) == name
        for link in Path("/proc/self/fd").iterdir()
        if os.path.lexists(link)
    )


def test_every_frame_comes_with_its_time_picture_and_labels(tmp_path, segmenter):
    stamps = [0.0, 0.1, 0.3, 0.9]
    clip = write_clip(tmp_path / "c.mp4", stamps)
    seen = list(segment_video(clip, weights=segmenter, skip=False))
    assert [result.time for result in seen] == pytest.approx(stamps, abs=1e-3)
    assert [result.index for result in seen] == [0, 1, 2, 3]
    for result in seen:
        assert (result.labels == segmenter(result.image, skip=False)).all()
        assert result.image.shape == (96, 160, 3)
        assert sum(result.shares.values()) == pytest.approx(1)
        road, rest = result.mask("road"), result.mask(*CLASS_NAMES[1:])
        assert (road ^ rest).all()
        assert (road == (result.labels == 0)).all()


def test_a_part_of_a_file_and_every_so_many_seconds(tmp_path, segmenter):
    clip = write_clip(tmp_path / "c.mp4", 60)
    part = segment_video(clip, weights=segmenter, start=0.5, end=1.5, every=0.25)
    assert [result.time for result in part] == pytest.approx([0.5, 0.766, 1.033, 1.3], abs=0.04)
    assert len(list(segment_video(clip, weights=segmenter, most=3))) == 3


def test_a_class_that_is_none_is_named_and_another_suggested(tmp_path, segmenter):
    result = next(segment_video(write_clip(tmp_path / "c.mp4", 1), weights=segmenter))
    with pytest.raises(ValueError, match=r"'roda' is no class: .* Did you mean road\?"):
        result.mask("sky", "roda")
    with pytest.raises(ValueError, match="'unicorn' is no class"):
        result.mask("unicorn")
    assert (result.mask("flat") == result.mask("road", "sidewalk")).all()
    assert not result.mask().any()


@pytest.mark.parametrize(
    "wrong",
    [{"every": -1.0}, {"every": float("nan")}, {"start": -0.5}, {"end": -2.0}, {"most": -1}],
)
def test_a_time_that_cannot_be_is_refused_before_anything_is_opened(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must be 0 or more"):
        segment_video("nowhere.mp4", **wrong)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are not told here")
@pytest.mark.parametrize("leave", ["end", "break", "error", "close", "unused"])
def test_what_was_opened_is_closed_however_it_ends(tmp_path, segmenter, leave):
    clip = write_clip(tmp_path / "c.mp4", 4)
    results = segment_video(clip, weights=segmenter)
    assert open_files("c.mp4") == 0  # nothing is opened before it is asked for
    if leave == "unused":
        del results
    elif leave == "close":
        next(results)
        assert open_files("c.mp4") == 1
        results.close()
    else:
        with contextlib.suppress(KeyError):
            for _ in results:
                if leave == "break":
                    break
                if leave == "error":
                    raise KeyError
        del results  # as at the end of a function
    assert open_files("c.mp4") == 0


def test_a_notebook_shows_the_overlay(segmenter):
    [result] = segment_video("demo", weights=segmenter, most=1)
    shown = cv2.imdecode(np.frombuffer(result._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    assert (shown[..., ::-1] == result.overlay).all()
    assert (result.overlay != result.image).any()


def test_pictures_have_names_and_a_path_may_be_one(tmp_path, segmenter):
    for name in ("b", "a"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((32, 48, 3), np.uint8))
    assert [result.name for result in segment_video(tmp_path, weights=segmenter)] == ["a", "b"]


def test_what_cannot_be_had_is_said_in_a_sentence_when_it_is_asked_for(tmp_path):
    with pytest.raises(SourceError, match="nosuch"):
        next(segment_video(tmp_path / "nosuch.mp4"))
    clip = write_clip(tmp_path / "c.mp4", 2)
    results = segment_video(clip, weights=tmp_path / "nosuch.pth")
    with pytest.raises(WeightsError, match="There is no checkpoint"):
        next(results)
    with pytest.raises(SourceError, match="addresses begin with"):
        segment_video("gopher://x")


def test_the_example_of_the_module_is_true():
    assert doctest.testmod(app.video) == (0, 2)

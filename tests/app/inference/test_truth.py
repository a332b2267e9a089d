"""The truth of a source: which labels belong to which frame, and the figures that follow."""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.cli.argument_parser import build_parser, settings_from
from app.config.settings import NetworkOptions, Settings, SourceOptions
from app.headless import run_headless
from app.pipeline.pipeline import Pipeline
from app.rendering.overlay import WRONG
from app.rendering.view_options import Side, ViewOptions
from app.sources.source_spec import SourceSpec
from app.sources.video_file import VideoFileSource
from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.data.class_sets import class_set
from fastscnn.data.dataset_factory import open_frames
from fastscnn.data.label_sets import TargetSets, read_sets
from fastscnn.evaluation.class_merging import PLAIN, merging_of, unmerged
from fastscnn.evaluation.evaluator import Evaluator, evaluate_settings
from fastscnn.evaluation.scores import Setting
from fastscnn.evaluation.video_evaluator import LabelledClip, evaluate_clip
from fastscnn.labels import CLASS_NAMES, UNKNOWN
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.model.model_config import FastSCNNConfig
from fastscnn.segmenter import Segmenter
from tests.support.labelled_data import street_frames, write_exact_clip, write_truth
from tests.support.media import write_clip
from tests.support.waiting import wait_until

SIZE = (64, 128)
STAMPS = (0, 50, 70, 400, 410, 800)
"""Milliseconds: no rate tells the number of a frame."""
ERRORS = ViewOptions(view="errors")


@pytest.fixture(scope="module")
def street():
    return street_frames(len(STAMPS))


@pytest.fixture
def clip(tmp_path, street):
    """A clip of uneven pace and the folder of its labels, some of which are unknown."""
    path = write_exact_clip(tmp_path / "clip.mkv", [image for image, _ in street], STAMPS)
    labels = [truth.copy() for _, truth in street]
    labels[1][:40] = UNKNOWN
    names = [f"frame{number:03d}" for number in range(len(street))]
    return path, write_truth(tmp_path / "labels", labels, names)


@pytest.fixture
def pictures(tmp_path, street):
    """A folder of pictures and one of labels that are named alike."""
    for number, (image, _) in enumerate(street):
        (tmp_path / "data" / "images").mkdir(parents=True, exist_ok=True)
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        assert cv2.imwrite(str(tmp_path / "data" / "images" / f"p{number}.png"), bgr)
    names = [f"p{number}" for number in range(len(street))]
    write_truth(tmp_path / "data" / "labels", [truth for _, truth in street], names)
    return tmp_path / "data"


def settings(labels=None, *, view=ERRORS, merge=None, **network):
    network = {"device": "cpu", "input_size": SIZE, "runtime": "torch", **network}
    return Settings(
        network=NetworkOptions(**network),
        view=view,
        source=SourceOptions(labels=labels, merge=merge),
    )


@contextmanager
def opened(spec, made, *, display=False):
    """A pipeline with a source, and all results so far."""
    found = []
    pipeline = Pipeline(replace(made, sources=(spec,)), display=display)

    class Keep:
        def deliver(self, result):
            if result.predictions:  # before the network is there, the picture comes alone
                found.append(result)

        def end_of_source(self, end):
            pass

        def interrupted(self):
            pass

    pipeline._feed.handlers = (*pipeline._feed.handlers, Keep())
    pipeline.start()
    pipeline.open(spec)
    try:
        yield pipeline, found
    finally:
        pipeline.stop()


def judged(spec, made):
    """All results of a source, to its end."""
    with opened(spec, made) as (pipeline, found):
        wait_until(lambda: pipeline.session.state in {"ended", "failed"}, "the end")
    return found, [e for e in iter_events(pipeline) if e.kind == "error"]


def iter_events(pipeline):
    while not pipeline.events.empty():
        yield pipeline.events.get()


def segmenter():
    return Segmenter.from_checkpoint(device="cpu", input_size=SIZE, runtime="torch")


@pytest.mark.parametrize("merge", [None, "camvid"])
def test_a_clip_played_to_its_end_has_the_figures_of_the_evaluation(clip, merge):
    path, labels = clip
    merging = merging_of(read_sets(merge)) if merge else PLAIN
    sets = TargetSets()
    if merge:  # its own values: what is none of them is unknown
        for file in labels.iterdir():
            plain = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
            table = np.full(256, UNKNOWN, np.uint8)
            table[[*merging.table.sets]] = [*merging.table.sets]
            cv2.imwrite(str(file), table[plain])
    frames = LabelledClip(path, labels, sets, merging.table)
    (report,) = evaluate_clip(Evaluator(segmenter(), sets, merging), frames, [Setting(SIZE)])
    found, errors = judged(SourceSpec("file", str(path)), settings(labels, merge=merge))
    assert not errors
    verdict = found[-1].judgement.verdicts[0]
    assert verdict.frames == len(STAMPS)
    assert verdict.so_far == pytest.approx(report.mean_iou_occurring, abs=1e-12)
    assert 0.05 < verdict.so_far < 0.95
    assert list(verdict.class_iou) == list(report.class_iou)
    np.testing.assert_allclose([*verdict.class_iou.values()], [*report.class_iou.values()])


def test_a_folder_of_pictures_has_the_figures_of_the_evaluation(pictures):
    frames = open_frames(str(pictures))
    (report,) = evaluate_settings(
        Evaluator(segmenter(), frames.sets, PLAIN), frames, [Setting(SIZE)]
    )
    found, errors = judged(SourceSpec("images", str(pictures / "images")), settings(pictures))
    assert not errors
    assert found[-1].judgement.verdicts[0].so_far == pytest.approx(
        report.mean_iou_occurring, abs=1e-12
    )


def test_labels_are_those_of_the_frame_wherever_one_goes(clip, street):
    path, labels = clip
    made = settings(labels)
    with opened(SourceSpec("file", str(path)), made, display=True) as (pipeline, found):
        wait_until(lambda: pipeline.session.state == "ended", "the end")
        for stamp in (0.4, 0.0, 0.8, 0.05, 0.07):
            del found[:]
            pipeline.session.seek(stamp)
            wait_until(lambda s=stamp: any(r.frame.time == pytest.approx(s) for r in found))
        pipeline.session.set_loop("whole")
        pipeline.play()
        wait_until(lambda: {r.frame.segment for r in found} > {found[0].frame.segment}, "a loop")
        pipeline.session.pause()
        by_stamp = dict(zip(STAMPS, street, strict=True))
        for result in found:
            stamp = min(STAMPS, key=lambda s: abs(s / 1000 - result.frame.time))
            truth = by_stamp[stamp][1].copy()
            if stamp == STAMPS[1]:
                truth[:40] = UNKNOWN
            assert (result.judgement.truth == truth).all(), stamp
        # however often a frame was shown, it counts once
        assert found[-1].judgement.verdicts[0].frames <= len(STAMPS)


def test_times_of_frames_are_those_at_which_they_come(tmp_path, clip):
    odd = write_clip(tmp_path / "b.mp4", [0, 0.1, 0.15, 0.5, 0.52, 1, 1.2, 1.3])  # with B-frames
    for path in (clip[0], odd):
        source = VideoFileSource(SourceSpec("file", str(path)))
        times = source.times()
        came = []
        while (picture := source.read()) is not None:
            came.append(picture.time)
        source.close()
        assert times == pytest.approx(came)


def test_errors_mark_what_is_wrong_darken_what_is_right_and_leave_what_is_not_judged(clip):
    path, labels = clip
    found, _ = judged(SourceSpec("file", str(path)), settings(labels))
    result = found[1]
    drawn, truth = result.sides[0].astype(int), result.judgement.truth
    wrong, unknown = result.judgement.verdicts[0].wrong > 0, truth == UNKNOWN
    right = ~wrong & ~unknown
    assert wrong.any()
    assert right.any()
    assert unknown[:40].all()
    assert not (wrong & unknown).any()
    assert (drawn[unknown] == result.frame.image[unknown]).all()
    assert (np.abs(drawn[wrong] - WRONG).max(axis=1) <= 70).all()
    assert (drawn[right].max(axis=1) <= 128).all()
    assert (drawn[right].max(axis=1) == drawn[right].min(axis=1)).all()
    expected = (result.predictions[0].labels != truth) & (truth != UNKNOWN)
    assert (wrong == expected).all()


def test_both_sides_of_a_wipe_are_judged_each_by_its_own_network(clip):
    path, labels = clip
    sides = {"left": Side("errors", skip=True), "right": Side("errors", skip=False)}
    found, _ = judged(
        SourceSpec("file", str(path)), settings(labels, view=ViewOptions(view="wipe", **sides))
    )
    result = found[-1]
    on, off = (result.verdict_at(side) for side in (0, 1))
    assert on.so_far != off.so_far
    assert on.frames == off.frames == len(STAMPS)
    assert result.captions[0].startswith("errors · skip on · IoU ")
    assert (result.sides[0] != result.sides[1]).any()


def test_the_demo_street_is_judged_by_its_own_labels_while_that_is_looked_at():
    made = replace(settings(), view=ViewOptions(), source=SourceOptions())
    spec = SourceSpec("demo", width=256, height=128)
    with opened(spec, made, display=True) as (pipeline, found):
        wait_until(lambda: any(r.predictions for r in found), "labels")
        assert all(r.judgement is None for r in found)
        pipeline.session.pause()
        pipeline.view = replace(pipeline.view, view="truth")
        wait_until(lambda: found[-1].judgement is not None, "the truth")
        result = found[-1]
        assert (result.judgement.truth == result.frame.truth).all()


def test_labels_may_be_chosen_while_a_picture_stands(clip):
    path, labels = clip
    spec = SourceSpec("file", str(path))
    with opened(spec, settings(), display=True) as (pipeline, found):
        wait_until(lambda: pipeline.session.state == "ended", "the end")
        assert found[-1].judgement is None
        assert (found[-1].sides[0] == found[-1].frame.image).all()
        pipeline.truth.choose(spec, labels)
        wait_until(lambda: found[-1].judgement is not None, "the truth")
        assert (found[-1].sides[0] != found[-1].frame.image).any()


def test_ignored_regions_are_not_judged(clip):
    path, labels = clip
    region = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))
    made = settings(labels)
    made = replace(made, source=replace(made.source, ignore_region=(region,)))
    sets = TargetSets()
    frames = LabelledClip(path, labels, sets)
    (report,) = evaluate_clip(
        Evaluator(segmenter(), sets, PLAIN, [region]), frames, [Setting(SIZE)]
    )
    found, _ = judged(SourceSpec("file", str(path)), made)
    assert found[-1].judgement.verdicts[0].so_far == pytest.approx(
        report.mean_iou_occurring, abs=1e-12
    )


def _drop(labels):
    (labels / "frame005.png").unlink()


def _add(labels):
    (labels / "frame006.png").write_bytes((labels / "frame005.png").read_bytes())


def _shrink(labels):
    cv2.imwrite(str(labels / "frame000.png"), np.zeros((5, 7), np.uint8))


def _strange(labels):
    cv2.imwrite(str(labels / "frame000.png"), np.full((128, 256), 77, np.uint8))


def _damage(labels):
    (labels / "frame000.png").write_bytes(b"no picture")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_drop, "has more frames than"),
        (_add, "ends after 6 frames"),
        (_shrink, "7×5 pixels, its frame"),
        (_strange, "holds 77, which is no label"),
        (_damage, "cannot be read as a PNG"),
    ],
)
def test_labels_that_do_not_match_are_told_once_and_the_picture_goes_on(clip, spoil, words):
    path, labels = clip
    spoil(labels)
    found, errors = judged(SourceSpec("file", str(path)), settings(labels))
    assert [words in error.text for error in errors] == [True]
    assert errors[0].exit_code == 3
    assert len(found) == len(STAMPS)


def test_pictures_without_labels_of_their_names_are_told(pictures):
    (pictures / "labels" / "p3.png").unlink()
    spec = SourceSpec("images", str(pictures / "images"))
    _, (error,) = judged(spec, settings(pictures))
    assert "lacks labels for 1 of 6 pictures, the first is p3" in error.text


def test_pictures_in_folders_have_their_labels_in_folders_of_these_names(tmp_path, street):
    for number, (image, _) in enumerate(street[:2]):
        place = tmp_path / "images" / f"city{number}"
        place.mkdir(parents=True)
        cv2.imwrite(str(place / "a.png"), image[..., ::-1])
    labels = write_truth(
        tmp_path / "truth", [truth for _, truth in street[:2]], ["city0/a", "city1/a"]
    )
    found, errors = judged(SourceSpec("images", str(tmp_path / "images")), settings(labels))
    assert not errors
    for result, (_, truth) in zip(found, street[:2], strict=True):
        assert (result.judgement.truth == truth).all()


def test_merged_classes_are_shown_in_the_colour_of_the_class_that_names_them(clip):
    path, labels = clip
    made = settings(labels, merge="wall+fence=building")
    found, _ = judged(SourceSpec("file", str(path)), made)
    seen = {CLASS_NAMES[n] for r in found for n in np.unique(r.judgement.truth) if n < 19}
    assert "building" in seen
    assert not seen & {"wall", "fence"}


def test_a_folder_that_is_not_there_is_told(tmp_path, clip):
    _, (error,) = judged(SourceSpec("file", str(clip[0])), settings(Path(tmp_path, "none")))
    assert "is not there" in error.text


def test_a_network_of_own_classes_is_judged_by_labels_of_their_values(tmp_path, street):
    classes = class_set(
        {"classes": ["way", "else"], "ids": {"way": [7], "else": [3, 4]}, "ignore": [0]}
    )
    weights = tmp_path / "own.pth"
    torch.manual_seed(2)
    network = FastSCNN(FastSCNNConfig(num_classes=2)).eval()
    save(Checkpoint(network, classes=classes), weights)
    images = [image for image, _ in street[:3]]
    path = write_exact_clip(tmp_path / "clip.mkv", images, STAMPS[:3])
    labels = [np.where(truth == 0, 7, np.where(truth < 9, 3, 0)) for _, truth in street[:3]]
    write_truth(tmp_path / "labels", labels, "abc")
    made = settings(tmp_path / "labels", weights=str(weights))
    found, errors = judged(SourceSpec("file", str(path)), made)
    assert not errors
    judgement = found[-1].judgement
    assert judgement.classes.names == ("way", "else")
    assert (judgement.truth == np.where(street[2][1] == 0, 0, np.where(labels[2], 1, 255))).all()
    sets = TargetSets(classes)
    seen = Segmenter.from_checkpoint(weights, device="cpu", input_size=SIZE, runtime="torch")
    frames = LabelledClip(path, tmp_path / "labels", sets)
    (report,) = evaluate_clip(Evaluator(seen, sets, unmerged(classes)), frames, [Setting(SIZE)])
    assert judgement.verdicts[0].so_far == pytest.approx(report.mean_iou_occurring, abs=1e-12)


def test_a_run_without_a_window_ends_with_the_figures(clip, tmp_path, capsys):
    path, labels = clip
    report = tmp_path / "report.json"
    words = f"{path} --headless --labels {labels} --device cpu --input-size 64x128"
    arguments = build_parser().parse_args([*words.split(), "--stats-json", str(report)])
    assert run_headless(settings_from(arguments)) == 0
    said = json.loads(report.read_text("utf-8"))["truth"]
    assert said["frames"] == len(STAMPS)
    assert 0.05 < said["mean_iou_occurring"] < 0.95
    assert said["class_iou"]["train"] is None
    mean = f"mean IoU {100 * said['mean_iou_occurring']:.1f} % over 6 frames"
    said = capsys.readouterr()
    assert mean in said.out
    assert "Nothing was written" not in said.err

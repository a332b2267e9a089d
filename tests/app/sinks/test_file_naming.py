"""Names of recordings: taken in the step in which they are found free."""

import threading
from dataclasses import replace

import pytest

from app.config.settings import RecordingOptions
from app.pipeline.pipeline import Pipeline
from app.sinks.recording.file_naming import labels_path, take_names
from app.sources.source_spec import SourceSpec
from tests.support.media import count_by_opencv, picture, write_clip
from tests.support.pipeline_driver import TINY
from tests.support.recordings import recorder_for, result
from tests.support.waiting import wait_until


@pytest.mark.parametrize("labels", [None, "labels.mkv"])
def test_recordings_that_begin_at_once_under_one_pattern_get_a_file_each(tmp_path, labels):
    clip = write_clip(tmp_path / "front.mp4", 8)
    out = tmp_path / "out"
    out.mkdir()
    options = RecordingOptions(record_dir=out, record_name="{source}.mp4")
    if labels:
        options = replace(options, labels=out / labels)
    pipelines = [Pipeline(replace(TINY, recording=options), display=False) for _ in range(3)]
    for pipeline in pipelines:  # none is made before its first frame, which takes a network
        pipeline.start()
        pipeline.open(SourceSpec("file", str(clip)))
        pipeline.start_recording(pipeline.recording_path(out), renames=True)
    for pipeline in pipelines:
        wait_until(lambda p=pipeline: p.status().state == "ended")
        pipeline.stop()
    made = sorted(path.name for path in out.glob("*.mp4"))
    assert made == ["front-2.mp4", "front-3.mp4", "front.mp4"]
    assert {count_by_opencv(path) for path in out.glob("*.mp4")} == {8}
    assert len(list(out.glob("*.labels.mkv"))) == (3 if labels else 0)
    said = {info.path for p in pipelines for info, error in p.recordings.all() if not error}
    assert said == set(out.glob("*.mp4"))


def test_of_two_recordings_to_one_name_given_by_the_user_the_first_stays(tmp_path):
    path = tmp_path / "o.mp4"
    recorders = [recorder_for(path) for _ in range(2)]
    for recorder in recorders:
        recorder.start()
        for index in range(5):
            recorder.put(result(picture(index), index / 30, index=index), wait=True)
        recorder.finish()
        recorder.join()
    assert recorders[0].error is None
    assert f"{path} exists by now" in str(recorders[1].error)
    assert count_by_opencv(path) == 5


@pytest.mark.parametrize("labels", ["o.labels.mkv", "elsewhere.mkv"])
def test_a_name_is_not_taken_by_half(tmp_path, labels):
    recorder = recorder_for(tmp_path / "o.mp4", labels=tmp_path / labels)
    (tmp_path / labels).write_bytes(b"another's")
    recorder.start()
    recorder.put(result(picture(0), 0.0), wait=True)
    recorder.join()
    assert f"{tmp_path / labels} exists by now" in str(recorder.error)
    assert [file.name for file in tmp_path.iterdir()] == [labels]
    assert (tmp_path / labels).read_bytes() == b"another's"


def test_a_name_belongs_to_one_of_many(tmp_path):
    won = []

    def take(number):
        for name in range(40):
            path = tmp_path / f"{name}.mp4"
            try:
                take_names(path, labels_path(path))
            except FileExistsError:
                continue
            won.append((name, number))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({name for name, _ in won}) == len(won)


def test_an_encoder_that_does_not_work_leaves_no_file(tmp_path):
    recorder = recorder_for(tmp_path / "o.mp4", labels=tmp_path / "l.mkv", choice=_no_encoder())
    recorder.start()
    recorder.put(result(picture(0), 0.0), wait=True)
    recorder.join()
    assert recorder.error is not None
    assert list(tmp_path.iterdir()) == []


def _no_encoder():
    return replace(RecordingOptions().encoder, preset="no such preset")

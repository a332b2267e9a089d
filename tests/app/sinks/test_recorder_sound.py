"""Sound in recordings: in time with the picture, by what is seen and heard in the finished file."""

from fractions import Fraction

import av
import numpy as np
import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.pipeline.pipeline import Pipeline
from app.sinks.recording.audio_track import open_sound
from app.sources.source_spec import SourceSpec
from app.sources.video_file import VideoFileSource
from tests.support.media import write_clip
from tests.support.recordings import record, recorder_for, reopened, result
from tests.support.waiting import PATIENCE, wait_until

RATE = 48000
MARKS = [0.4, 1.2, 1.6, 2.8]
"""Seconds at which the picture turns white for 0.1 s and a tone of 0.1 s begins."""

KINDS = {
    "aac.mp4": ("libx264", "aac", "copied (aac)"),
    "aac.ts": ("libx264", "aac", "as AAC (aac)"),
    "opus.webm": ("libvpx", "libopus", "copied (opus)"),
    "mp3.avi": ("mpeg4", "libmp3lame", "copied (mp3)"),
    "pcm.mkv": ("libx264", "pcm_s16le", "as AAC (pcm_s16le)"),
    "mp2.mkv": ("libx264", "mp2", "as AAC (mp2)"),
}


def _marked(path, video, audio, *, seconds=3.2, late=0.0, layout="stereo"):
    """A clip of 25 frames a second with marks to be seen and heard; the sound may begin late."""
    total = round(seconds * RATE)
    at = np.arange(total) / RATE
    tone = sum(((at >= m) & (at < m + 0.1)) * np.sin(2 * np.pi * 1000 * (at - m)) for m in MARKS)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(video, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream(audio, rate=RATE)
        sound.layout = layout
        packets = []
        for index in range(round(seconds * 25)):
            bright = any(m <= index / 25 + 1e-6 < m + 0.1 for m in MARKS)
            image = np.full((48, 64, 3), 255 if bright else 0, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        size = sound.codec_context.frame_size or 1024
        for begin in range(round(late * RATE), total, size):
            piece = (tone[begin : begin + size] * 20000).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(
                np.repeat(piece, 2)[None], format="s16", layout="stereo"
            )
            frame.sample_rate, frame.pts, frame.time_base = RATE, begin, Fraction(1, RATE)
            packets += sound.encode(frame)
        packets += sound.encode(None)
        packets.sort(key=lambda p: float((p.dts or 0) * p.time_base))
        for packet in packets:
            container.mux(packet)
    return path


def _seen(path):
    """Seconds at which the picture turns white."""
    with av.open(str(path)) as container:
        frames = [(f.time, f.to_ndarray(format="gray").mean()) for f in container.decode(video=0)]
    pairs = zip([(0.0, 0.0), *frames], frames, strict=False)
    return [time for (_, before), (time, now) in pairs if now > 128 > before]


def _heard(path):
    """Seconds at which a tone begins, and the whole time from the first to the last sample."""
    with av.open(str(path)) as container:
        found, quiet, first, last = [], 0.0, None, 0.0
        resampler = av.AudioResampler(format="s16", layout="mono")
        for frame in container.decode(audio=0):
            time = frame.time
            for piece in resampler.resample(frame):
                samples = np.abs(piece.to_ndarray()[0].astype(int))
                for offset in np.flatnonzero(samples > 3000):
                    at = time + offset / piece.sample_rate
                    if not found or at - quiet > 0.05:
                        found.append(at)
                    quiet = at
                first = time if first is None else first
                last = time + len(samples) / piece.sample_rate
    return found, (first, last)


def _record(clip, out, *, moves=(), **more):
    """Record a file frame by frame; ``moves`` are (after so many frames, seconds to seek to)."""
    source = VideoFileSource(SourceSpec("file", str(clip)))

    def frames():
        wanted, segment, index = dict(moves), 0, 0
        while (shown := source.read()) is not None:
            yield result(shown.image, shown.time, index=index, segment=(1, segment))
            index += 1
            if index in wanted:
                source.seek(wanted[index])
                segment += 1

    recorder = record(out, frames(), rate=25, sound=lambda opening: clip, **more)
    source.close()
    assert recorder.error is None, recorder.error
    return recorder


@pytest.mark.parametrize("name", KINDS)
def test_sound_is_copied_or_encoded_in_time_with_the_picture(tmp_path, name):
    video, audio, words = KINDS[name]
    clip = _marked(tmp_path / name, video, audio)
    recorder = _record(clip, tmp_path / "o.mp4")
    assert words in recorder.info().encoder
    times, _ = reopened(tmp_path / "o.mp4")
    seen, (heard, (first, last)) = _seen(tmp_path / "o.mp4"), _heard(tmp_path / "o.mp4")
    assert len(seen) == len(heard) == len(MARKS)
    assert heard == pytest.approx(seen, abs=0.04)
    # No worse than the source itself, whose encoder may have moved the sound already.
    given = np.subtract(_heard(clip)[0], _seen(clip))
    assert np.subtract(heard, seen) == pytest.approx(given, abs=0.012)
    assert first == pytest.approx(0, abs=0.04)
    assert last == pytest.approx(times[-1] + 1 / 25, abs=0.07)


def test_sound_that_begins_late_stays_late(tmp_path):
    clip = _marked(tmp_path / "c.mp4", "libx264", "aac", late=1.0)
    _record(clip, tmp_path / "o.mp4")
    heard, (first, _) = _heard(tmp_path / "o.mp4")
    assert first == pytest.approx(1.0, abs=0.04)
    assert heard == pytest.approx(_seen(tmp_path / "o.mp4")[1:], abs=0.04)


@pytest.mark.parametrize("name", ["aac.mp4", "opus.webm", "pcm.mkv"])
def test_sound_follows_the_picture_through_seeks(tmp_path, name):
    video, audio, _ = KINDS[name]
    clip = _marked(tmp_path / name, video, audio)
    # From 1.0 on to 2.6, from 3.0 back to 0.2, and from there to the end.
    _record(clip, tmp_path / "o.mp4", moves=[(25, 2.6), (35, 0.2)])
    times, _ = reopened(tmp_path / "o.mp4")
    assert np.diff(times) == pytest.approx([1 / 25] * (len(times) - 1), abs=1e-3)
    seen, (heard, _) = _seen(tmp_path / "o.mp4"), _heard(tmp_path / "o.mp4")
    # 0.4 | 2.8 | 0.4, 1.2, 1.6, 2.8
    assert seen == pytest.approx([0.4, 1.2, 1.6, 2.4, 2.8, 4.0], abs=0.01)
    assert heard == pytest.approx(seen, abs=0.04)


def test_a_recording_begun_in_the_middle_has_the_sound_of_there(tmp_path):
    clip = _marked(tmp_path / "c.mp4", "libx264", "aac")
    source = VideoFileSource(SourceSpec("file", str(clip)))
    source.seek(1.4)
    shown = iter(source.read, None)
    later = [result(p.image, p.time, index=35 + i) for i, p in enumerate(shown)]
    source.close()
    record(tmp_path / "o.mp4", later, rate=25, sound=lambda opening: clip)
    heard, (first, _) = _heard(tmp_path / "o.mp4")
    assert first == pytest.approx(0, abs=0.04)
    assert heard == pytest.approx(_seen(tmp_path / "o.mp4"), abs=0.04)
    assert len(heard) == 2


def test_pictures_of_another_source_have_no_sound_and_this_is_said(tmp_path):
    clip, said = _marked(tmp_path / "c.mp4", "libx264", "aac"), []
    white = np.full((48, 64, 3), 255, np.uint8)
    first = [result(white, i / 25, index=i) for i in range(40)]
    second = [result(white, i / 25, index=i, segment=(2, 0)) for i in range(40)]
    record(tmp_path / "o.mp4", first + second, rate=25, sound=lambda opening: clip, say=said.append)
    heard, (_, last) = _heard(tmp_path / "o.mp4")
    assert heard == pytest.approx(MARKS[:2], abs=0.03)
    assert last == pytest.approx(1.6, abs=0.05)
    assert len(reopened(tmp_path / "o.mp4")[0]) == 80
    assert ["silently" in text for text in said] == [True]


def test_a_kill_does_not_lose_pictures_to_sound_that_ended_early(tmp_path):
    """Muxers hold pictures back until the sound for them is there."""
    clip = _marked(tmp_path / "c.mp4", "libx264", "aac", seconds=3.2)
    white = np.full((48, 64, 3), 255, np.uint8)
    recorder = recorder_for(tmp_path / "o.mp4", rate=25, sound=lambda opening: clip)
    recorder.start()
    for index in range(250):  # ten seconds: the sound has ended long before
        recorder.put(result(white, index / 25, index=index), wait=True)
    wait_until(lambda: recorder.frames == 250)
    (tmp_path / "killed.mp4").write_bytes((tmp_path / "o.mp4").read_bytes())
    recorder.finish()
    recorder.join(PATIENCE)
    assert len(reopened(tmp_path / "killed.mp4")[0]) >= 250 - 25 - 25 - 12


def test_files_without_sound_or_with_a_sound_that_is_broken_are_recorded_all_the_same(tmp_path):
    silent = write_clip(tmp_path / "s.mp4", 5)
    assert open_sound(silent) is None
    clip = _marked(tmp_path / "c.mkv", "libx264", "mp2")
    content = bytearray(clip.read_bytes())
    rng = np.random.default_rng(3)
    for at in rng.integers(2000, len(content), 200):
        content[at] = rng.integers(256)
    (tmp_path / "broken.mkv").write_bytes(content)
    white = np.full((48, 64, 3), 255, np.uint8)
    shown = [result(white, i / 25, index=i) for i in range(70)]
    recorder = record(
        tmp_path / "o.mp4", shown, rate=25, sound=lambda opening: tmp_path / "broken.mkv"
    )
    assert recorder.error is None
    assert len(reopened(tmp_path / "o.mp4")[0]) == 70


def test_sound_that_changes_its_kind_on_the_way_does_not_end_the_recording(tmp_path):
    stereo = _marked(tmp_path / "s.ts", "mpeg2video", "mp2", seconds=1.6)
    mono = _marked(tmp_path / "m.ts", "mpeg2video", "mp2", seconds=1.6, layout="mono")
    both = tmp_path / "both.ts"
    both.write_bytes(stereo.read_bytes() + mono.read_bytes())
    black = np.zeros((48, 64, 3), np.uint8)
    shown = [result(black, i / 25, index=i) for i in range(80)]
    recorder = record(tmp_path / "o.mp4", shown, rate=25, sound=lambda opening: both)
    assert recorder.error is None
    assert len(reopened(tmp_path / "o.mp4")[0]) == 80
    assert len(_heard(tmp_path / "o.mp4")[0]) >= 2


def test_sound_of_an_unknown_kind_is_left_out(tmp_path):
    clip = _marked(tmp_path / "c.mkv", "libx264", "pcm_s16le")
    content = clip.read_bytes()
    assert b"A_PCM/INT/LIT" in content
    clip.write_bytes(content.replace(b"A_PCM/INT/LIT", b"A_QQQ/INT/LIT"))
    assert open_sound(clip) is None


@pytest.mark.parametrize(("more", "tracks"), [((), 1), (("--no-audio",), 0)])
def test_without_audio_there_is_no_track(tmp_path, more, tracks):
    clip = _marked(tmp_path / "c.mp4", "libx264", "aac", seconds=0.8)
    arguments = [str(clip), "--device", "cpu", "--input-size", "64x96", *more]
    pipeline = Pipeline(settings_from(build_parser().parse_args(arguments)), display=False)
    pipeline.start()
    pipeline.open(SourceSpec("file", str(clip)))
    pipeline.start_recording(tmp_path / "o.mp4")
    wait_until(lambda: pipeline.status().state == "ended")
    pipeline.stop()
    assert len(reopened(tmp_path / "o.mp4")[0]) == 20
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert len(container.streams.audio) == tracks

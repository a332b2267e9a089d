"""Sound that MP4 does not take, that changes, breaks off or begins anew: recorded, or said."""

import io
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from app.pipeline.pipeline import Pipeline
from app.sinks.recording.audio_mixer import AudioMixer
from app.sinks.recording.audio_track import open_sound
from app.sources.source_spec import SourceSpec
from app.sources.video_file import VideoFileSource
from tests.support.http_server import content, serving
from tests.support.pipeline_driver import TINY
from tests.support.recordings import record, reopened, result
from tests.support.waiting import wait_until

RATE = 25
BLACK = np.zeros((48, 64, 3), np.uint8)


def _tone(hz, seconds, rate):
    return (np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate) * 16000).astype("i2")


def _packets(container, codec, samples, rate, layout, late=0.0):
    stream = container.add_stream(codec, rate=rate)
    stream.layout = layout
    stream.codec_context.open()
    kind = stream.codec_context.format.name
    resampler = av.AudioResampler(format=kind, layout=layout, rate=rate)
    size = stream.codec_context.frame_size or 1024
    packets = []
    for begin in range(0, len(samples), size):
        piece = samples[None, begin : begin + size]
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = begin + round(late * rate)
        for made in resampler.resample(frame):
            packets += stream.encode(made)
    return packets + stream.encode(None)


def _clip(
    to,
    *,
    sound,
    rate=44100,
    hz=500,
    seconds=2.0,
    heard=None,
    video="mpeg2video",
    kind=None,
    layout="mono",
    late=0.0,
):
    """Write pictures of some seconds with a tone; its sound may begin late and last longer."""
    with av.open(to, "w", format=kind) as container:
        stream = container.add_stream(video, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        packets = []
        for index in range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(BLACK, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        samples = _tone(hz, (heard or seconds) - late, rate)
        packets += _packets(container, sound, samples, rate, layout, late)
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            container.mux(packet)
    return to


def _part(**more):
    data = io.BytesIO()
    _clip(data, **more)
    return data.getvalue()


def _record(clip, out, *, frames=None, seek=None, **more):
    """Record a file; all of it, or some frames from a place on."""
    source = VideoFileSource(SourceSpec("file", str(clip)))
    if seek is not None:
        source.seek(seek)
    first = 0 if seek is None else 1  # only the first frame of a file keeps its lead
    said = []
    shown = (
        result(p.image, p.time, index=i + first) for i, p in enumerate(iter(source.read, None))
    )
    wanted = (one for _, one in zip(range(frames or 10**6), shown, strict=False))
    recorder = record(out, wanted, rate=RATE, sound=lambda opening: clip, say=said.append, **more)
    source.close()
    assert recorder.error is None, recorder.error
    reopened(out)
    return recorder, said


def _pitch(path, at, length=0.2):
    """The strongest tone in Hz of the sound at a time; 0 where it is silent."""
    with av.open(str(path)) as container:
        heard = np.zeros(0)
        for frame in container.decode(audio=0):
            begin = round(frame.time * frame.sample_rate)
            samples = frame.to_ndarray().astype(float)[0]
            heard = np.pad(heard, (0, max(0, begin - len(heard))))[: max(begin, 0)]
            heard = np.concatenate([heard, samples[max(0, -begin) :]])
    rate = frame.sample_rate
    piece = heard[round(at * rate) : round((at + length) * rate)]
    if len(piece) < 10 or piece.std() < 0.02 * 0.5:
        return 0
    return float(np.argmax(np.abs(np.fft.rfft(piece * np.hanning(len(piece)))))) * rate / len(piece)


def _is(path, at, hz):
    assert _pitch(path, at) == pytest.approx(hz, abs=10)


@pytest.mark.parametrize(
    ("codec", "rate", "words"),
    [
        ("libmp3lame", 12000, "as AAC (mp3)"),
        ("libmp3lame", 8000, "as AAC (mp3)"),
        ("libmp3lame", 44100, "copied (mp3)"),
        ("flac", 96000, "(flac)"),
        ("ac3", 32000, "copied (ac3)"),
        ("libopus", 48000, "copied (opus)"),
    ],
)
def test_sound_is_heard_whether_mp4_takes_it_or_not(tmp_path, codec, rate, words):
    _clip(str(tmp_path / "c.mkv"), sound=codec, rate=rate, video="mpeg4")
    recorder, _ = _record(tmp_path / "c.mkv", tmp_path / "o.mp4")
    assert recorder.frames == 50
    assert words in recorder.info().encoder
    _is(tmp_path / "o.mp4", 0.3, 500)
    _is(tmp_path / "o.mp4", 1.6, 500)
    with av.open(str(tmp_path / "o.mp4")) as made:
        assert made.duration == pytest.approx(2_000_000, abs=100_000)


@pytest.mark.parametrize("codec", ["ac3", "eac3", "libmp3lame", "aac"])
def test_a_recording_that_ends_before_the_sound_begins_is_whole(tmp_path, codec):
    _clip(str(tmp_path / "c.mkv"), sound=codec, late=1.2, video="mpeg4")
    recorder, _ = _record(tmp_path / "c.mkv", tmp_path / "o.mp4", frames=10)
    assert recorder.frames == 10
    recorder, _ = _record(tmp_path / "c.mkv", tmp_path / "p.mp4")
    assert recorder.frames == 50
    _is(tmp_path / "p.mp4", 1.5, 500)
    assert _pitch(tmp_path / "p.mp4", 0.5) == 0


@pytest.mark.parametrize("codec", ["ac3", "pcm_s16le", "aac"])
def test_a_recording_begun_behind_the_end_of_the_sound_is_whole(tmp_path, codec):
    _clip(str(tmp_path / "c.mkv"), sound=codec, heard=0.5, video="mpeg4")
    recorder, _ = _record(tmp_path / "c.mkv", tmp_path / "o.mp4", seek=1.5)
    assert recorder.frames == 13


@pytest.mark.parametrize(
    ("kind", "sound"), [("mpegts", "aac"), ("mpegts", "mp2"), ("vob", "mp2"), ("mpegts", "ac3")]
)
def test_sound_follows_a_clock_that_begins_anew(tmp_path, kind, sound):
    parts = [_part(sound=sound, hz=hz, seconds=1.6, kind=kind) for hz in (300, 900, 2700)]
    (tmp_path / "joined").write_bytes(b"".join(parts))
    recorder, _ = _record(tmp_path / "joined", tmp_path / "o.mp4")
    assert recorder.frames >= 115
    for at, hz in ((0.7, 300), (2.4, 900), (4.0, 2700)):
        _is(tmp_path / "o.mp4", at, hz)


@pytest.mark.parametrize(("place", "hz"), [(0.6, 300), (2.2, 900), (3.9, 2700)])
def test_a_recording_begun_in_the_middle_of_joined_parts_has_the_sound_of_there(
    tmp_path, place, hz
):
    parts = [_part(sound="mp2", hz=hz, seconds=1.6, kind="mpegts") for hz in (300, 900, 2700)]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    _record(tmp_path / "joined.ts", tmp_path / "o.mp4", seek=place, frames=20)
    _is(tmp_path / "o.mp4", 0.2, hz)
    _is(tmp_path / "o.mp4", 0.5, hz)


def test_sound_of_joined_parts_stays_with_the_pictures_where_it_lasts_longer_than_they(tmp_path):
    parts = [
        _part(sound="mp2", hz=hz, seconds=1.6, heard=2.0, kind="mpegts")
        for hz in (300, 900, 1500, 2700)
    ]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    # A source may close the breaks of its clock itself: then the times go on.
    source = VideoFileSource(SourceSpec("file", str(tmp_path / "joined.ts")))
    count = sum(1 for _ in iter(source.read, None))
    source.close()
    shown = [result(BLACK, i / RATE, index=i) for i in range(count)]
    clip = tmp_path / "joined.ts"
    record(tmp_path / "o.mp4", shown, rate=RATE, sound=lambda opening: clip)
    for number, hz in enumerate((300, 900, 1500, 2700)):
        _is(tmp_path / "o.mp4", 1.6 * number + 0.6, hz)
        _is(tmp_path / "o.mp4", 1.6 * number + 1.3, hz)


@pytest.mark.parametrize(
    ("sound", "formats"),
    [
        ("aac", [(44100, "mono"), (48000, "mono")]),
        ("mp2", [(48000, "stereo"), (32000, "mono"), (44100, "stereo")]),
        ("ac3", [(48000, "stereo"), (48000, "5.1"), (44100, "mono")]),
        ("libmp3lame", [(48000, "mono"), (32000, "stereo")]),
    ],
)
def test_every_piece_of_sound_is_heard_by_its_own_rate_and_layout(tmp_path, sound, formats):
    parts = [
        _part(sound=sound, rate=rate, layout=layout, hz=440, seconds=1.6, kind="mpegts")
        for rate, layout in formats
    ]
    (tmp_path / "broadcast.ts").write_bytes(b"".join(parts))
    _record(tmp_path / "broadcast.ts", tmp_path / "o.mp4")
    for number in range(len(formats)):
        _is(tmp_path / "o.mp4", 1.6 * number + 0.4, 440)
        _is(tmp_path / "o.mp4", 1.6 * number + 1.1, 440)


def test_copied_sound_that_goes_over_to_another_rate_is_left_out_from_there_and_this_is_said(
    tmp_path,
):
    clips = [
        _clip(str(tmp_path / f"{rate}.avi"), sound="libmp3lame", rate=rate, video="mpeg4")
        for rate in (48000, 32000)
    ]
    with (
        av.open(clips[0]) as first,
        av.open(clips[1]) as second,
        av.open(str(tmp_path / "c.mkv"), "w") as container,
    ):
        ways = {s.type: container.add_stream_from_template(s) for s in first.streams}
        for begin, source in ((0, first), (2, second)):
            for packet in filter(bytes, source.demux()):
                made = av.Packet(bytes(packet))
                made.time_base, made.is_keyframe = packet.time_base, packet.is_keyframe
                made.pts = made.dts = packet.dts + round(begin / packet.time_base)
                made.stream = ways[packet.stream.type]
                container.mux(made)
    recorder, said = _record(tmp_path / "c.mkv", tmp_path / "o.mp4")
    assert recorder.frames == 100
    _is(tmp_path / "o.mp4", 1.0, 500)
    assert ["32000 Hz" in text and "silently" in text for text in said] == [True]


@pytest.mark.parametrize(
    ("kind", "sound"),
    [("mkv", "aac"), ("mkv", "ac3"), ("mkv", "mp2"), ("avi", "libmp3lame"), ("ts", "aac")],
)
def test_behind_a_broken_packet_the_sound_goes_on(tmp_path, kind, sound):
    clip = tmp_path / f"c.{kind}"
    video = "mpeg2video" if kind == "ts" else "mpeg4"
    _clip(str(clip), sound=sound, seconds=4.0, video=video)
    content = clip.read_bytes()
    with av.open(str(clip)) as container:
        packets = [p for p in container.demux(audio=0) if p.size]
        hurt = [p for p in packets if 1.4 < float((p.pts or p.dts) * p.time_base) % 2.8 < 1.55]
        broken = [bytes(p) for p in hurt]
    assert broken
    rng = np.random.default_rng(5)
    for data in broken:
        at = content.find(data[8:24] if kind == "ts" else data)
        if at >= 0:
            length = 16 if kind == "ts" else len(data)
            noise = rng.integers(0, 256, length, np.uint8).tobytes()
            content = content[:at] + noise + content[at + length :]
    assert content != clip.read_bytes()
    clip.write_bytes(content)
    recorder, _ = _record(clip, tmp_path / "o.mp4")
    assert recorder.frames >= 95
    _is(tmp_path / "o.mp4", 0.5, 500)
    _is(tmp_path / "o.mp4", 3.3, 500)


@pytest.mark.parametrize("sound", ["mp2", "aac"])
def test_a_file_at_an_address_is_recorded_with_its_sound(tmp_path, sound):
    _clip(str(tmp_path / "c.mkv"), sound=sound, video="mpeg4")
    pipeline = Pipeline(TINY, display=False)
    with serving() as server:
        server.pages["/c.mkv"] = content((tmp_path / "c.mkv").read_bytes())
        pipeline.start()
        pipeline.open(replace(SourceSpec("stream", f"{server.url}/c.mkv"), start=1.0))
        pipeline.start_recording(tmp_path / "o.mp4")
        wait_until(lambda: pipeline.status().state in {"ended", "failed"})
        pipeline.stop()
    assert len(reopened(tmp_path / "o.mp4")[0]) == 25
    _is(tmp_path / "o.mp4", 0.5, 500)


def test_a_rate_that_no_sound_has_fills_no_memory():
    with av.open(io.BytesIO(), "w", format="mp4") as container:
        out = container.add_stream("aac", rate=48000)
        out.layout = "mono"
        mixer = AudioMixer(out)
        for rate in (1, 30, 10**9):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), "i2"), "s16", "mono")
            frame.sample_rate = rate
            assert list(mixer.add(frame, 0.0)) == []


def test_an_address_that_answers_once_is_recorded_silently_and_this_is_said():
    said = []
    assert open_sound("http://user:secret@127.0.0.1:9/c.mkv", say=said.append) is None
    assert ["without" in text and "secret" not in text for text in said] == [True]


def test_why_sound_is_left_out_is_said(tmp_path):
    clip = tmp_path / "c.mkv"
    _clip(str(clip), sound="pcm_s16le", video="mpeg4")
    clip.write_bytes(clip.read_bytes().replace(b"A_PCM/INT/LIT", b"A_QQQ/INT/LIT"))
    said = []
    assert open_sound(clip, say=said.append) is None
    assert said == ["The sound of c.mkv cannot be decoded here: it is recorded without."]

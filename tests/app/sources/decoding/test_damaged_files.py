"""Damage costs what it hit, and is said with its place; whole and cut files are told apart."""

import struct

import av
import numpy as np
import pytest

from app.errors import SourceError
from app.sources import open_source
from app.sources.base import Damage
from app.sources.source_spec import SourceSpec
from tests.support.awkward_clips import NO_B, cut_off, make_clip, spoil
from tests.support.media import picture

REALTIME = {"deadline": "realtime", "cpu-used": "8"}
B_FRAMES = {"x264-params": "bframes=2:b-adapt=0", "crf": "28"}
X265 = {"x265-params": "log-level=none:bframes=0"}


def _open(path):
    return open_source(SourceSpec("file", str(path)))


def _read(source):
    pictures = list(iter(source.read, None))
    source.close()
    return pictures


def _times(numbers):
    return pytest.approx([number / 20 for number in numbers], abs=2e-3)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("d.mkv", "libx264", NO_B),
        ("d.mp4", "libx264", NO_B),
        ("d.flv", "libx264", NO_B),
        ("d.webm", "libvpx-vp9", REALTIME),
        ("d.avi", "mjpeg", {}),
        ("d.mov", "png", {}),
        ("d2.mkv", "mpeg2video", {}),
    ],
)
def test_a_packet_that_cannot_be_decoded_costs_its_own_frame(tmp_path, name, codec, options):
    source = _open(spoil(make_clip(tmp_path / name, codec, options=options), 12, 25))
    pictures = _read(source)
    assert [p.time for p in pictures] == _times(n for n in range(60) if n not in {12, 25})
    assert source.notice == f"{name} is damaged: 2 of 60 frames could not be read (at 0.6, 1.25 s)."
    assert source.unreadable == 2
    assert source.damage == [
        Damage(pytest.approx(0.6, abs=2e-3), pytest.approx(0.65, abs=2e-3), 1),
        Damage(pytest.approx(1.25, abs=2e-3), pytest.approx(1.3, abs=2e-3), 1),
    ]


def test_a_frame_between_others_is_missed_at_the_time_of_its_showing(tmp_path):
    clip = make_clip(tmp_path / "b.mp4", options=B_FRAMES)
    with av.open(str(clip)) as container:
        stamps = [p.pts * p.time_base for p in container.demux(video=0) if p.size]
    source = _open(spoil(clip, 11, 30))
    times = [p.time for p in _read(source)]
    assert len(times) == 58
    assert times == sorted(times)
    missing = sorted(float(stamps[number]) for number in (11, 30))
    assert [d.start for d in source.damage if d.missing] == pytest.approx(missing)


def test_frames_that_a_decoder_drops_without_a_word_are_missed_too(tmp_path):
    # HEVC goes on at the next key frame, and never says that it left anything out.
    source = _open(spoil(make_clip(tmp_path / "h.mkv", "libx265", options=X265), 30, begin=8))
    pictures = _read(source)
    assert [p.time for p in pictures] == _times([*range(30), *range(40, 60)])
    assert source.notice.startswith("h.mkv is damaged: 10 of 60 frames could not be read (at 1.5 s")


@pytest.mark.parametrize("options", [NO_B, B_FRAMES])
@pytest.mark.parametrize("name", ["e.mkv", "e.mp4"])
def test_damage_at_the_end_costs_no_frame_that_could_be_had(tmp_path, name, options):
    clip = make_clip(tmp_path / name, options=options)
    source = _open(spoil(clip, 57, 58))
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        alone = 0
        for packet in container.demux(stream):
            try:
                alone += len(packet.decode())
            except av.error.FFmpegError:
                continue
    assert len(_read(source)) == alone >= 56
    assert source.unreadable == 60 - alone


def test_a_damaged_beginning_is_passed_over_and_said(tmp_path):
    source = _open(spoil(make_clip(tmp_path / "f.mkv", options=NO_B), 0))
    there = len(_read(source))
    assert 40 <= there < 60
    missing = 60 - there
    assert source.unreadable == missing
    assert f"f.mkv is damaged: {missing} of 60 frames could not be read (at 0 s" in source.notice


def test_a_file_of_nothing_but_damage_is_refused(tmp_path):
    clip = spoil(make_clip(tmp_path / "n.avi", "mjpeg", 8), *range(8))
    with pytest.raises(SourceError, match="is damaged"):
        _open(clip)


@pytest.mark.parametrize(
    ("name", "codec", "options"), [("p.mp4", "mpeg4", {}), ("p.avi", "mpeg4", {"bf": "2"})]
)
def test_frames_that_are_made_up_in_part_are_said(tmp_path, name, codec, options):
    source = _open(spoil(make_clip(tmp_path / name, codec, options=options), 12, begin=20))
    assert len(_read(source)) == 60
    assert source.unreadable == 0
    assert "could be read in part only (at 0." in source.notice


@pytest.mark.parametrize(
    ("name", "codec", "format"),
    [("g.mkv", "libx264", None), ("g.webm", "libvpx-vp9", None), ("g.ts", "libx264", "mpegts")],
)
def test_what_a_reader_of_the_container_passes_over_is_missed(tmp_path, name, codec, format):
    options = NO_B if codec == "libx264" else REALTIME
    clip = make_clip(tmp_path / name, codec, options=options, format=format)
    data = bytearray(clip.read_bytes())
    at, size = len(data) // 2, max(2000, len(data) // 10)
    data[at : at + size] = np.random.default_rng(1).integers(0, 256, size, np.uint8).tobytes()
    clip.write_bytes(data)
    source = _open(clip)
    there = len(_read(source))
    assert 0 < there < 60
    if source.notice.startswith(f"{name} is damaged"):
        assert there + source.unreadable == 60
    else:  # nothing behind it was found again
        assert f"{name} ended early, after {there} frames" in source.notice


def test_seeking_in_a_damaged_file_is_exact_and_counts_nothing_twice(tmp_path):
    source = _open(spoil(make_clip(tmp_path / "s.mkv", options=NO_B), 12, 25))
    _read_on = list(iter(source.read, None))
    for seconds in (1.6, 0.5, 1.25, 0.0):
        source.seek(seconds)
        expected = 1.2 if seconds == 1.25 else seconds
        assert source.read().time == pytest.approx(expected, abs=2e-3)
    assert len(list(iter(source.read, None))) == len(_read_on) - 1
    source.close()
    assert source.unreadable == 2
    assert source.notice == "s.mkv is damaged: 2 frames could not be read (at 0.6, 1.25 s)."


@pytest.mark.parametrize(
    ("name", "codec", "arguments"),
    [
        ("sound.avi", "mpeg4", {"sound": "libmp3lame"}),  # states a frame more than it has
        ("long.mkv", "libx264", {"sound": "ac3", "seconds": 6.0}),
        ("long.mp4", "libx264", {"sound": "aac", "seconds": 6.0}),
        ("long.avi", "mpeg4", {"sound": "libmp3lame", "seconds": 6.0}),
        ("cut.mov", "libx264", {"back": 1.5, "muxer": {"avoid_negative_ts": "disabled"}}),
        ("live.mkv", "libx264", {"muxer": {"live": "1"}}),
        ("live.flv", "libx264", {"muxer": {"flvflags": "no_duration_filesize"}}),
        ("part.mp4", "libx264", {"muxer": {"movflags": "frag_keyframe+empty_moov"}}),
        ("b.ts", "libx264", {"format": "mpegts", "sound": "aac", "options": B_FRAMES}),
        ("b.mpg", "mpeg2video", {"format": "mpeg", "options": {"bf": "2"}}),
        ("w.wmv", "wmv2", {}),
        ("v.webm", "libvpx", {"options": {"auto-alt-ref": "1", "lag-in-frames": "16"}}),
    ],
)
def test_a_whole_file_is_not_called_damaged(tmp_path, name, codec, arguments):
    arguments = {"options": NO_B if codec == "libx264" else {}} | arguments
    source = _open(make_clip(tmp_path / name, codec, **arguments))
    pictures = _read(source)
    assert len(pictures) == (30 if name == "cut.mov" else 60)
    assert source.notice == ""
    assert source.damage == []


def test_a_subtitle_behind_the_last_frame_does_not_make_a_file_incomplete(tmp_path):
    clip = tmp_path / "s.mkv"
    plain = make_clip(tmp_path / "plain.mkv", options=NO_B)
    with av.open(str(plain)) as read, av.open(str(clip), "w") as written:
        video = written.add_stream_from_template(read.streams.video[0])
        words = written.add_mux_stream("subrip")
        for packet in read.demux(video=0):
            if packet.size:
                packet.stream = video
                written.mux(packet)
        line = av.Packet(b"the end")
        line.stream, line.pts, line.dts, line.duration = words, 9000, 9000, 2000
        line.time_base = read.streams.video[0].time_base
        written.mux(line)
    source = _open(clip)
    assert len(_read(source)) == 60
    assert source.notice == ""


@pytest.mark.parametrize("stated", [41, 1000])
def test_a_count_that_an_avi_states_is_no_promise(tmp_path, stated):
    clip = make_clip(tmp_path / "c.avi", "mjpeg", 40)
    data = bytearray(clip.read_bytes())
    at = data.index(b"avih") + 8 + 16  # dwTotalFrames
    data[at : at + 4] = stated.to_bytes(4, "little")
    clip.write_bytes(data)
    source = _open(clip)
    assert len(_read(source)) == 40
    assert source.notice == ""


@pytest.mark.parametrize("name", ["d.mkv", "d.flv"])
def test_a_length_that_a_container_states_is_no_promise(tmp_path, name):
    # A key frame each, so that the index is as long as it can be.
    clip = make_clip(tmp_path / name, gop=1, count=150, options=NO_B, sound="aac")
    data = bytearray(clip.read_bytes())
    if name == "d.mkv":
        at = data.index(b"\x44\x89\x88") + 3  # Duration, a float of eight bytes
        data[at : at + 8] = struct.pack(">d", 60_000.0)
    else:
        at = data.index(b"duration\x00") + 9
        data[at : at + 8] = struct.pack(">d", 60.0)
    clip.write_bytes(data)
    source = _open(clip)
    assert source.info.duration == pytest.approx(60, abs=0.1)
    assert len(_read(source)) == 150
    assert source.notice == ""


@pytest.mark.parametrize("name", ["o.flv", "o.mkv", "o.ts", "o.mp4"])
def test_a_file_whose_clock_does_not_begin_at_zero_is_whole(tmp_path, name):
    kind = "mpegts" if name == "o.ts" else None
    clip = make_clip(tmp_path / name, options=NO_B, back=-100.0, format=kind)
    source = _open(clip)
    pictures = _read(source)
    assert len(pictures) == 60
    assert pictures[0].time == pytest.approx(0, abs=0.1)
    assert source.notice == ""


@pytest.mark.parametrize(
    ("name", "codec", "arguments"),
    [
        ("t.mkv", "libx264", {}),
        ("t.mkv", "libx264", {"sound": "ac3"}),
        ("t.webm", "libvpx-vp9", {"options": REALTIME}),
        ("t.mp4", "libx264", {"muxer": {"movflags": "faststart"}}),
        ("t.mp4", "libx264", {"muxer": {"movflags": "faststart"}, "sound": "aac"}),
        ("t.mp4", "libx264", {"muxer": {"movflags": "frag_keyframe+empty_moov"}}),
        ("t.avi", "mpeg4", {"sound": "libmp3lame"}),
        ("t.avi", "mjpeg", {}),
        ("t.flv", "libx264", {}),
        ("t.wmv", "wmv2", {}),
    ],
)
@pytest.mark.parametrize("share", [0.6, 0.9])
def test_a_file_that_was_cut_off_says_so(tmp_path, name, codec, arguments, share):
    arguments = {"options": NO_B if codec == "libx264" else {}} | arguments
    source = _open(cut_off(make_clip(tmp_path / name, codec, **arguments), share))
    pictures = _read(source)
    assert 20 < len(pictures) <= (60 if name.endswith("wmv") else 59)
    assert f"{name} ended early, after {len(pictures)} frames, at {pictures[-1].time:.0f}"[:-1] in (
        source.notice
    )
    assert source.notice.endswith("the file is not complete.")
    assert source.damage[-1].end is None
    if "faststart" in str(arguments):  # its table counts them
        assert source.unreadable == 60 - len(pictures)


def test_frames_behind_damage_are_those_of_the_file(tmp_path):
    # Of a codec in which each frame stands for itself there is no doubt about it.
    source = _open(spoil(make_clip(tmp_path / "j.avi", "mjpeg"), 12))
    pictures = _read(source)
    for shown, number in zip(pictures, [n for n in range(60) if n != 12], strict=True):
        assert np.abs(shown.image.astype(int) - picture(number)).mean() < 10, number

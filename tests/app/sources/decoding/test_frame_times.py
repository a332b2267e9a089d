"""Times of frames where a container has none, or those of decoding, or begins its clock anew."""

from fractions import Fraction

import av
import numpy as np
import pytest

from app.sources import open_source
from app.sources.source_spec import SourceSpec
from tests.support.awkward_clips import make_clip, spoil
from tests.support.media import picture

B_FRAMES = {"x264-params": "bframes=2:b-adapt=0"}
PYRAMID = {"x264-params": "bframes=5:b-adapt=0:b-pyramid=normal"}


def _open(path):
    return open_source(SourceSpec("file", str(path)))


def _read(path):
    source = _open(path)
    pictures = list(iter(source.read, None))
    source.close()
    return source, pictures


def _numbers(pictures, count):
    """Which of the first ``count`` pictures were shown."""
    references = [picture(n).astype(int) for n in range(count)]
    return [
        int(np.argmin([np.abs(shown.image - reference).mean() for reference in references]))
        for shown in pictures
    ]


def _pack(path, count=21):
    """MPEG-4 in AVI in the old way: a P and the B before it in one packet, then an empty one."""
    plain = make_clip(path.with_suffix(".mkv"), "mpeg4", count, gop=count, options={"bf": "1"})
    with av.open(str(plain)) as container:
        stream = container.streams.video[0]
        header = bytes(stream.codec_context.extradata or b"")
        units = [bytes(packet) for packet in container.demux(stream) if packet.size]
    kinds = [unit[unit.index(b"\0\0\1\xb6") + 4] >> 6 for unit in units]
    assert 2 in kinds  # B
    packets, index = [], 0
    while index < len(units):
        if index + 1 < len(units) and kinds[index + 1] == 2:
            packets += [units[index] + units[index + 1], b"\0\0\1\xb6" + bytes([0x50, 0, 0x7F])]
            index += 2
        else:
            packets.append(units[index])
            index += 1
    begin = packets[0].index(b"\0\0\1\xb6")
    packets[0] = header + packets[0][:begin] + b"\0\0\1\xb2DivX503b1393p" + packets[0][begin:]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=20)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.open()
        for number, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base, packet.is_keyframe = Fraction(1, 20), number == 0
            container.mux(packet)
    return path


@pytest.mark.parametrize("kind", ["packed", "h264", "pyramid", "mpeg4"])
def test_frames_that_an_avi_stores_in_the_order_of_decoding_are_evenly_spaced(tmp_path, kind):
    path = tmp_path / "a.avi"
    if kind == "packed":
        _pack(path)
    elif kind == "mpeg4":
        make_clip(path, "mpeg4", 21, gop=21, options={"bf": "2", "b_strategy": "0"})
    else:
        make_clip(path, count=21, gop=21, options=B_FRAMES if kind == "h264" else PYRAMID)
    source, pictures = _read(path)
    times = [p.time for p in pictures]
    assert np.diff(times) == pytest.approx(np.full(20, 0.05), abs=1e-6)
    assert _numbers(pictures, 21) == list(range(21))
    assert source.notice == ""


@pytest.mark.parametrize("kind", ["packed", "h264"])
def test_seeking_among_stamps_of_decoding_is_exact(tmp_path, kind):
    path = tmp_path / "a.avi"
    if kind == "packed":
        _pack(path, 41)
    else:
        make_clip(path, count=41, gop=10, options=B_FRAMES)
    _, pictures = _read(path)
    for number in (25, 3, 38):
        source = _open(path)  # one that knows nothing of its stamps yet
        source.seek(pictures[number].time)
        shown = source.read()
        source.close()
        assert shown.time == pytest.approx(pictures[number].time)
        assert np.array_equal(shown.image, pictures[number].image)


def test_a_broken_packet_moves_no_frame_among_stamps_of_decoding(tmp_path):
    path = spoil(make_clip(tmp_path / "b.avi", count=60, options=B_FRAMES), 31)
    source, pictures = _read(path)
    assert len(pictures) == 59
    assert source.unreadable == 1
    steps = np.round(np.diff([p.time for p in pictures]), 6)
    assert sorted(steps) == [0.05] * 57 + [0.1]
    assert pictures[-1].time == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("name", "codec", "format", "options"),
    [
        ("r.264", "libx264", "h264", {"x264-params": "force-cfr=1:bframes=0"}),
        ("b.264", "libx264", "h264", {"x264-params": "force-cfr=1:bframes=2:b-adapt=0"}),
        ("r.265", "libx265", "hevc", {"x265-params": "log-level=none"}),
        ("r.m4v", "mpeg4", "m4v", {}),
        ("r.m2v", "mpeg2video", "mpeg2video", {"bf": "2"}),
    ],
)
@pytest.mark.parametrize("rate", [50, 60])
def test_a_raw_stream_plays_at_the_rate_that_it_states(
    tmp_path, name, codec, format, options, rate
):
    clip = make_clip(tmp_path / name, codec, 30, rate=rate, format=format, options=options)
    source, pictures = _read(clip)
    assert source.info.rate == pytest.approx(rate)
    assert [p.time for p in pictures] == pytest.approx([n / rate for n in range(30)], abs=1e-4)


def test_a_raw_stream_that_states_a_clock_in_place_of_a_rate_plays_at_a_usual_one(tmp_path):
    path = tmp_path / "c.264"
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90000)
        for index in range(10):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = index * 3000, Fraction(1, 90000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    source, pictures = _read(path)
    assert source.info.rate == 25
    assert [p.time for p in pictures] == pytest.approx([n / 25 for n in range(10)])


@pytest.mark.parametrize(("codec", "options"), [("mpeg2video", {}), ("libx264", B_FRAMES)])
def test_the_times_of_joined_transport_streams_go_on(tmp_path, codec, options):
    parts = [
        make_clip(
            tmp_path / f"{n}.ts", codec, 30, format="mpegts", sound="aac", options=options
        ).read_bytes()
        for n in range(3)
    ]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    source, pictures = _read(tmp_path / "joined.ts")
    assert len(pictures) == 90
    assert source.info.duration == pytest.approx(4.5, abs=0.1)
    times = [p.time for p in pictures]
    assert np.diff(times) == pytest.approx(np.full(89, 0.05), abs=0.002)
    assert source.notice == ""
    for number in (70, 10, 40):
        again = _open(tmp_path / "joined.ts")
        again.seek(times[number])
        shown = again.read()
        again.close()
        assert shown.time == pytest.approx(times[number])
        assert np.array_equal(shown.image, pictures[number].image)

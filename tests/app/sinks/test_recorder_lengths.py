"""The last picture stands in a recording for as long as its source says, and is heard as long."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.headless import run_headless
from tests.support.awkward_clips import NO_B, make_clip
from tests.support.media import picture, still


def _recorded(clip, folder, *arguments):
    out, labels = folder / "o.mp4", folder / "l.mkv"
    words = [str(clip), "--headless", "--device", "cpu", "--input-size", "64x96"]
    words += ["-o", str(out), "--save-labels", str(labels), *arguments]
    assert run_headless(settings_from(build_parser().parse_args(words))) == 0
    return out, labels


def _lengths(path: Path) -> tuple[list[float], float, float]:
    """Times of the frames, where the last one ends, and where the sound does."""
    with av.open(str(path)) as container:
        ends = {"video": 0.0, "audio": 0.0}
        times = []
        for packet in container.demux():
            if packet.size:
                time = float(packet.pts * packet.time_base)
                end = time + float((packet.duration or 0) * packet.time_base)
                ends[packet.stream.type] = max(ends[packet.stream.type], end)
                times += [time] if packet.stream.type == "video" else []
    return times, ends["video"], ends["audio"]


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_slides_of_three_seconds_are_recorded_and_heard_to_the_end(tmp_path, codec, container):
    clip = make_clip(
        tmp_path / f"slides.{container}", count=4, rate=Fraction(1, 3), options=NO_B, sound="aac"
    )
    out, labels = _recorded(clip, tmp_path, "--codec", codec)
    times, seen, heard = _lengths(out)
    assert times == pytest.approx([0, 3, 6, 9], abs=0.01)
    assert seen == pytest.approx(12, abs=0.02)
    assert heard == pytest.approx(12, abs=0.1)
    assert _lengths(labels)[1] == pytest.approx(12, abs=0.02)


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_last_picture_of_four_seconds_stands_for_four_seconds(tmp_path, b_frames):
    clip = tmp_path / "screen.mov"
    times = [0, 2, 3, 9, 14, 20]  # tenths of a second
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.options = {"bf": str(b_frames), "b_strategy": "0"}
        packets = []
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 10)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for packet in packets:
            packet.duration = round(Fraction(1, 10) / packet.time_base)
        # Stored lengths are distances of decoding; the last one's reaches to the end.
        delay = packets[0].pts - packets[0].dts
        packets[-1].duration = round(6 / packets[-1].time_base) - packets[-1].dts - delay
        for packet in packets:
            container.mux(packet)
    out, _ = _recorded(clip, tmp_path)
    shown, seen, _ = _lengths(out)
    assert shown == pytest.approx([time / 10 for time in times], abs=0.01)
    assert seen == pytest.approx(6, abs=0.02)


def test_a_part_that_ends_within_a_picture_ends_there(tmp_path):
    clip = make_clip(tmp_path / "s.mkv", count=4, rate=Fraction(1, 3), options=NO_B, sound="aac")
    out, _ = _recorded(clip, tmp_path, "--start", "3", "--end", "7")
    times, seen, heard = _lengths(out)
    assert times == pytest.approx([0, 3], abs=0.01)
    assert seen == pytest.approx(4, abs=0.02)
    assert heard == pytest.approx(4, abs=0.1)


def test_pictures_of_a_folder_stand_for_their_two_seconds_too(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / "in" / f"{number}.jpg").write_bytes(still(picture(number)))
    out, _ = _recorded(tmp_path / "in", tmp_path, "--fps", "0.5")
    assert _lengths(out)[1] == pytest.approx(6, abs=0.02)


def test_the_sound_goes_on_while_the_last_picture_stands(tmp_path):
    plain = make_clip(tmp_path / "p.mkv", count=20, options=NO_B, sound="aac", seconds=3.0)
    clip = tmp_path / "long.mkv"
    with av.open(str(plain)) as read, av.open(str(clip), "w") as written:
        streams = {s.index: written.add_stream_from_template(s) for s in read.streams}
        for packet in read.demux():
            if packet.size:
                if packet.stream.type == "video" and packet.pts == 950:
                    packet.duration = 1550  # milliseconds: to 2.5 s
                packet.stream = streams[packet.stream_index]
                written.mux(packet)
    out, _ = _recorded(clip, tmp_path)
    _, seen, heard = _lengths(out)
    assert seen == pytest.approx(2.5, abs=0.02)
    assert heard == pytest.approx(2.5, abs=0.1)

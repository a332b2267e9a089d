"""Sources found in folders."""

import logging

import av
import cv2
import numpy as np
import pytest

from app.errors import SourceError
from app.gui.window.drag_and_drop import parse_paths
from app.sources import open_source, parse_source
from app.sources.playlist import VIDEO_SUFFIXES, sources_in
from app.sources.source_spec import PICTURES
from tests.support.media import picture, write_clip

_SELDOM_VIDEO = {".m4a", ".m4b", ".isma", ".wma", ".ra", ".fits", ".cpk"}
"""Sound as a rule, figures of telescopes, archives of another program."""
TWIN = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(4000)
"""The file beside each file that a Mac leaves on a stick."""


def _write(path, kind):
    """Three frames in a container's own codec; whether it can be written like that."""
    try:
        with av.open(str(path), "w", format=kind) as container:
            codec = container.default_video_codec
            if codec in {None, "none"}:
                return False
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height = (720, 576) if kind == "dv" else (176, 144)
            formats = stream.codec_context.codec.video_formats
            stream.pix_fmt = formats[0].name if formats else "yuv420p"
            for index in range(3):
                gray = np.full((stream.height, stream.width, 3), 60 * index, np.uint8)
                frame = av.VideoFrame.from_ndarray(gray, format="rgb24")
                frame = frame.reformat(format=stream.pix_fmt)
                frame.pts = index
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _kinds():
    for kind in sorted(av.formats_available):
        try:
            endings = av.ContainerFormat(kind, "w").extensions
        except ValueError:
            continue
        yield from ((kind, f".{ending}") for ending in sorted(endings))


def test_whatever_opens_when_it_is_named_is_found_in_a_folder_too(tmp_path):
    logging.getLogger("libav").setLevel(logging.CRITICAL)
    opened = set()
    for kind, ending in _kinds():
        path = tmp_path / f"{kind.replace(',', '-')}{ending}"
        if not _write(path, kind):
            continue
        try:
            source = open_source(parse_source(str(path)))
        except SourceError:
            continue
        source.close()
        opened.add(ending)
    assert {".mts", ".m2ts", ".vob", ".mpg", ".3gp", ".gif", ".mxf", ".h264"} <= opened
    assert opened - VIDEO_SUFFIXES - PICTURES - _SELDOM_VIDEO == set()


@pytest.mark.parametrize("ending", ["MTS", "m2ts", "VOB", "3g2", "mxf"])
def test_the_clips_of_a_card_play_one_after_the_other(tmp_path, ending):
    kind = {"MTS": "mpegts", "m2ts": "mpegts", "VOB": "vob", "3g2": "3g2", "mxf": "mxf"}[ending]
    stream = tmp_path / "STREAM"
    stream.mkdir()
    clips = [stream / f"0000{number}.{ending}" for number in range(2)]
    for clip in clips:
        assert _write(clip, kind)
    assert [spec.value for spec in sources_in(stream)] == [str(clip) for clip in clips]
    assert [spec.value for spec in parse_paths([stream]).entries] == [str(clip) for clip in clips]


def test_where_a_folder_holds_nothing_itself_the_clips_below_play(tmp_path):
    below = tmp_path / "PRIVATE" / "AVCHD" / "BDMV" / "STREAM"
    below.mkdir(parents=True)
    clips = [write_clip(below / f"clip {number}.mp4", 2) for number in (2, 10)]
    (tmp_path / "PRIVATE" / "AVCHD" / "INDEX.BDM").write_bytes(b"no video")
    assert [spec.value for spec in sources_in(tmp_path)] == [str(clip) for clip in clips]


def test_hidden_files_are_no_sources(tmp_path):
    for number in range(2):
        (tmp_path / f"._clip {number}.mp4").write_bytes(TWIN)
    (tmp_path / ".thumbnails").mkdir()
    cv2.imwrite(str(tmp_path / ".thumbnails" / "1.png"), picture(1))
    assert sources_in(tmp_path) == []
    clip = write_clip(tmp_path / "clip.mp4", 2)
    assert [spec.value for spec in sources_in(tmp_path)] == [str(clip)]

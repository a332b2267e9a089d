"""Colours and orientation of decoded frames, against clips whose content is known by arithmetic."""

from fractions import Fraction

import av
import numpy as np
import pytest

from app.sources import open_source
from app.sources.hardware_decoding import decoder_name
from app.sources.source_spec import SourceSpec
from tests.support.media import picture, still, write_clip, write_stills

COLOURS = np.array(
    [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 255],
        [0, 0, 0],
        [128, 64, 200],
        [200, 180, 40],
        [16, 16, 16],
    ]
)
# Weights of red and blue in luma, by the number of the matrix in ITU-T H.273, table 4.
WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593)}


def _yuv(rgb, matrix, full, bits):
    """Y, Cb and Cr codes of colours given from 0 to 1, by the formulas of H.273."""
    red, blue = WEIGHTS[matrix]
    r, g, b = rgb.T
    y = red * r + (1 - red - blue) * g + blue * b
    cb, cr = (b - y) / 2 / (1 - blue), (r - y) / 2 / (1 - red)
    if full:
        top, middle = 2**bits - 1, 2 ** (bits - 1)
        planes = y * top, cb * top + middle, cr * top + middle
    else:
        step = 2 ** (bits - 8)
        planes = (16 + 219 * y) * step, (128 + 224 * cb) * step, (128 + 224 * cr) * step
    return [np.clip(np.round(p), 0, 2**bits - 1) for p in planes]


def _patches(
    path, colours, *, matrix=1, full=False, bits=8, transfer=None, tagged=True, size=(128, 32)
):
    """A clip of three frames with a row of patches, coded by our own arithmetic."""
    layout, dtype = ("yuv444p", np.uint8) if bits == 8 else ("yuv444p10le", np.uint16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = *size, layout
        context = stream.codec_context
        if tagged:
            context.colorspace, context.color_range = matrix, 2 if full else 1
        if transfer:
            context.color_trc = transfer
        frame = av.VideoFrame(*size, layout)
        for plane, codes in zip(frame.planes, _yuv(colours, matrix, full, bits), strict=True):
            rows = np.zeros((plane.height, plane.line_size // dtype().itemsize), dtype)
            rows[:, : plane.width] = np.repeat(codes, plane.width // len(codes)).astype(dtype)
            plane.update(rows.tobytes())
        for index in range(3):
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _seen(path, count=8):
    """The colours in the middle of the patches, as the source gives them, and its news."""
    source = open_source(SourceSpec("file", str(path)))
    image = source.read().image
    source.close()
    step = image.shape[1] // count
    return image[image.shape[0] // 2, step // 2 :: step].astype(int), source.news


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", [1, 5, 9], ids=["BT.709", "BT.601", "BT.2020"])
def test_matrix_and_range_are_those_that_the_file_names(tmp_path, matrix, full, bits):
    path = _patches(tmp_path / "c.mp4", COLOURS / 255, matrix=matrix, full=full, bits=bits)
    seen, news = _seen(path)
    assert np.abs(seen - COLOURS).max() <= 2
    assert news == []


@pytest.mark.parametrize(("matrix", "size"), [(5, (128, 32)), (1, (1280, 32)), (1, (128, 720))])
def test_a_file_that_names_no_matrix_has_that_of_its_size(tmp_path, matrix, size):
    path = _patches(tmp_path / "c.mp4", COLOURS / 255, matrix=matrix, tagged=False, size=size)
    assert np.abs(_seen(path)[0] - COLOURS).max() <= 2


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_brought_into_the_range_of_a_screen_and_said(tmp_path, transfer, name):
    nits = np.array([0.1, 5, 50, 203, 500, 900])
    if transfer == 16:  # SMPTE ST 2084
        power = (nits / 10000) ** (2610 / 16384)
        code = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    else:  # ARIB STD-B67 behind the system gamma of a 1000 cd/m² screen
        scene = (nits / 1000) ** (1 / 1.2)
        bent = 0.17883277 * np.log(12 * np.maximum(scene, 1 / 12) - 0.28466892) + 0.55991073
        code = np.where(scene <= 1 / 12, np.sqrt(3 * scene), bent)
    colours = np.repeat(code[:, None], 3, axis=1)
    path = _patches(
        tmp_path / "h.mp4", colours, matrix=9, bits=10, transfer=transfer, size=(96, 32)
    )
    seen, news = _seen(path, len(nits))
    grey = seen[:, 0]
    assert (np.ptp(seen, axis=1) <= 2).all()
    assert (np.diff(grey) >= 8).all()  # highlights are kept apart
    assert grey[0] < 12
    assert 175 <= grey[3] <= 210  # reference white
    assert grey[-1] <= 255
    assert name in news[0]


ORIENTATIONS = [(0, True, False), (0, False, True), (90, True, False), (180, False, False)]


@pytest.mark.parametrize(("degrees", "across", "down"), [*ORIENTATIONS, (-90, False, True)])
def test_turns_and_mirrorings_that_a_file_asks_for_are_applied(tmp_path, degrees, across, down):
    path = tmp_path / "m.mp4"
    plain = picture(3)
    plain[:20, :30] = (250, 30, 30)  # a corner that no symmetry leaves in place
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.set_display_rotation(degrees, hflip=across, vflip=down)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(plain, format="rgb24")))
        container.mux(stream.encode(None))
    source = open_source(SourceSpec("file", str(path)))
    shown = source.read().image
    source.close()
    upright = np.rot90(plain, degrees // 90)
    upright = upright[:, ::-1] if across else upright
    upright = upright[::-1] if down else upright
    assert (source.info.height, source.info.width) == shown.shape[:2] == upright.shape[:2]
    assert np.abs(shown.astype(int) - upright).mean() < 10


def test_transparency_is_ignored(tmp_path):
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "rgba"
        image = np.full((32, 64, 4), (200, 100, 50, 0), np.uint8)
        frame = av.VideoFrame.from_ndarray(image, format="rgba")
        frame.pts, frame.time_base = 0, Fraction(1, 10)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert _seen(path, 1)[0].tolist() == [[200, 100, 50]]


# Where it is decoded


def test_a_graphics_card_that_does_not_work_is_replaced_and_the_reason_shown(tmp_path):
    clip = write_clip(tmp_path / "c.mp4", 5)
    source = open_source(SourceSpec("file", str(clip), hwaccel="cuda"))
    pictures = list(iter(source.read, None))
    source.close()
    assert len(pictures) == 5
    if "CPU" in source.info.decoder:  # where there is such a card nothing is replaced
        assert "cuda does not open" in source.info.decoder


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_the_decoder_in_use_is_shown(tmp_path, choice):
    clip = write_clip(tmp_path / "c.mp4", 2)
    source = open_source(SourceSpec("file", str(clip), hwaccel=choice))
    source.close()
    assert source.info.decoder.startswith("h264 (FFmpeg, ")
    assert "not open" not in source.info.decoder


def test_a_card_that_does_not_take_the_video_is_not_said_to_decode_it(tmp_path):
    """FFmpeg falls back by itself; here to what decoded without a card from the beginning."""
    for codec, layout in (("libx264", "yuv420p"), ("mjpeg", "yuvj420p"), ("ffv1", "gray")):
        path = tmp_path / f"{codec}.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 48, layout
            container.mux(stream.encode(av.VideoFrame(64, 48, layout)))
            container.mux(stream.encode(None))
        with av.open(str(path)) as container:
            context = container.streams.video[0].codec_context
            next(container.decode(video=0))
            name = decoder_name(context, "cuda", "")
            assert name.endswith("(FFmpeg, CPU, cuda does not decode this video)")
            assert decoder_name(context, "", "").endswith("(FFmpeg, CPU)")
            assert decoder_name(context, "", "no driver").endswith("(FFmpeg, CPU, no driver)")


@pytest.mark.parametrize("device", ["cuda", "vaapi"])
def test_a_card_that_takes_the_video_is_shown(device):
    context = av.CodecContext.create("h264", "r")
    context.pix_fmt = device  # as FFmpeg sets it where frames lie on the device
    assert decoder_name(context, device, "") == f"h264 (FFmpeg, {device})"


# Several streams


def test_the_largest_video_stream_is_played_unless_another_is_named(tmp_path):
    from app.errors import SourceError

    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1", rate=10) for _ in range(3)]
        sizes = [(32, 16), (128, 64), (64, 32)]
        for stream, (width, height) in zip(streams, sizes, strict=True):
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for stream, size in zip(streams, sizes, strict=True):
            frame = av.VideoFrame.from_ndarray(picture(0, *size), format="rgb24")
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    widths = []
    for number in (None, 0, 1, 2):
        source = open_source(SourceSpec("file", str(path), video_stream=number))
        widths.append(source.read().image.shape[1])
        source.close()
    assert widths == [128, 32, 128, 64]
    with pytest.raises(SourceError, match="no video stream 3: it has 0 to 2"):
        open_source(SourceSpec("file", str(path), video_stream=3))


@pytest.mark.parametrize(
    ("name", "codec", "kind"), [("e.avi", "mjpeg", "JPEG"), ("e.mov", "png", "PNG")]
)
def test_frames_that_carry_exif_data_are_read(tmp_path, name, codec, kind):
    stills = [still(picture(n), kind, orientation=1) for n in range(6)]
    source = open_source(SourceSpec("file", str(write_stills(tmp_path / name, codec, stills))))
    shown = list(iter(source.read, None))
    source.close()
    assert [np.abs(p.image.astype(int) - picture(n)).mean() < 8 for n, p in enumerate(shown)] == (
        [True] * 6
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_frames_are_turned_and_mirrored_as_their_exif_data_ask_for(tmp_path, orientation):
    image = picture(3)
    image[:20, :40] = 255  # no symmetry is left
    stills = [still(image, orientation=orientation)] * 2
    clip = write_stills(tmp_path / "o.avi", "mjpeg", stills)
    source = open_source(SourceSpec("file", str(clip)))
    shown = source.read().image
    source.close()
    # Rows and columns of the stored picture, by the table of the EXIF standard.
    upright = image.transpose(1, 0, 2) if orientation > 4 else image
    upright = upright[:, ::-1] if orientation in {2, 3, 6, 7} else upright
    upright = upright[::-1] if orientation in {3, 4, 7, 8} else upright
    assert shown.shape == upright.shape
    assert np.abs(shown.astype(int) - upright).mean() < 8

"""Decode a video, segment each frame, and write the coloured labels as an MP4.

    python examples/segment_video.py INPUT OUTPUT.mp4 [MOST_FRAMES]

The program itself does more: `python main.py INPUT --headless -o OUTPUT.mp4`.
"""

import sys
from fractions import Fraction
from itertools import islice

import av
import numpy as np

from fastscnn import Segmenter
from fastscnn.labels import colorize


def main(path: str, output: str, most: str = "") -> None:
    """Write one labelled frame for each frame read, with the same time stamps."""
    segmenter = Segmenter.from_checkpoint(input_size="half")
    with av.open(path) as source, av.open(output, "w") as target:
        video = source.streams.video[0]
        stream = target.add_stream("libx264", rate=video.average_rate or 25)
        stream.width, stream.height = video.width // 2 * 2, video.height // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = video.time_base or Fraction(1, 90000)
        for frame in islice(source.decode(video), int(most) if most else None):
            labels = segmenter(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            colours = colorize(labels, segmenter.classes)[: stream.height, : stream.width]
            coloured = av.VideoFrame.from_ndarray(colours.copy(), format="rgb24")
            coloured.pts, coloured.time_base = frame.pts, video.time_base
            target.mux(stream.encode(coloured))
        target.mux(stream.encode(None))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])

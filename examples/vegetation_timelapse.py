"""Make a time-lapse of how green a place is, with the share of vegetation written on it.

python examples/vegetation_timelapse.py SOURCE OUTPUT.mp4 [EVERY_SECONDS] [MOST_FRAMES]
"""

import sys

import av
import cv2

from app.video import segment_video


def main(source: str, output: str, every: str = "60", most: str = "") -> None:
    """Write a frame for every so many seconds of the source, 25 of them a second."""
    with av.open(output, "w") as target:
        stream = target.add_stream("libx264", rate=25)
        most_results = int(most) if most else None
        for result in segment_video(source, every=float(every), most=most_results):
            height, width = (side // 2 * 2 for side in result.labels.shape)
            if not stream.codec_context.is_open:
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            image = result.overlay[: stream.height, : stream.width].copy()
            share = result.shares["vegetation"] + result.shares["terrain"]
            text = f"{result.time / 3600:.2f} h  {share:.1%} green"
            face, white = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
            cv2.putText(image, text, (8, height - 12), face, height / 400, white, 2)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        target.mux(stream.encode(None))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])

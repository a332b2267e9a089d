"""Segment one image and save it with the class colours over it.

    python examples/segment_image.py [IMAGE [OUTPUT.png]]

Without an image it takes one from the demo street.
"""

import sys

import cv2
import numpy as np

from fastscnn import Segmenter
from fastscnn.data.street import Street
from fastscnn.labels import colorize


def main(path: str = "", output: str = "segmented.png") -> None:
    """Segment, save, and print the share of each class."""
    if path:
        image = cv2.imread(path)
        if image is None:
            raise SystemExit(f"{path} is not a readable image.")
        rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
    else:
        rgb, _ = Street(seed=77, width=512, height=256).render(3.0)

    segmenter = Segmenter.from_checkpoint(input_size="half")
    labels = segmenter(rgb)

    blended = cv2.addWeighted(rgb, 0.5, colorize(labels, segmenter.classes), 0.5, 0)
    if not cv2.imwrite(output, cv2.cvtColor(blended, cv2.COLOR_RGB2BGR)):
        raise SystemExit(f"{output} cannot be written.")
    shares = np.bincount(labels.ravel(), minlength=len(segmenter.classes)) / labels.size
    for number in np.argsort(-shares)[: np.count_nonzero(shares)]:
        print(f"{segmenter.classes[number]:15}{shares[number]:7.1%}")


if __name__ == "__main__":
    main(*sys.argv[1:])

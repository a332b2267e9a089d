"""Write the share of each class in each frame of a source as a CSV table.

    python examples/class_shares_csv.py SOURCE OUTPUT.csv [MOST_FRAMES]

A source is whatever the program opens: a video, a folder of images, an address, 0, or demo.
"""

import csv
import sys
from itertools import islice

import numpy as np

from app.sources.source_factory import open_source
from app.sources.source_spec import parse_source
from fastscnn import Segmenter


def main(text: str, output: str, most: str = "100") -> None:
    """Write one row a frame: its time in seconds, then shares from 0 to 1."""
    segmenter = Segmenter.from_checkpoint(input_size="quarter")
    source = open_source(parse_source(text))
    try:
        with open(output, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["time", *segmenter.classes])
            for picture in islice(iter(source.read, None), int(most)):
                labels = segmenter(picture.image)
                shares = np.bincount(labels.ravel(), minlength=len(segmenter.classes)) / labels.size
                table.writerow([f"{picture.time:.3f}", *(f"{share:.4f}" for share in shares)])
    finally:
        source.close()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])

"""Mean IoU with and without the skip connection, on the demo street, which labels itself.

    python examples/compare_skip.py [FRAMES [WIDTH]]

Eight frames say which way it goes; `python -m fastscnn.evaluate street` judges sixty.
"""

import sys

import numpy as np

from fastscnn import Segmenter
from fastscnn.data.street import Street
from fastscnn.evaluation.metrics import class_iou, confusion_matrix, mean_iou
from fastscnn.labels import CLASS_NAMES


def main(frames: str = "8", width: str = "1024") -> None:
    """Judge both settings by the same frames, three seconds of driving apart."""
    street = Street(seed=77, width=int(width), height=int(width) // 2)
    segmenter = Segmenter.from_checkpoint(input_size="half")
    totals = {True: np.zeros((19, 20), np.int64), False: np.zeros((19, 20), np.int64)}
    for index in range(int(frames)):
        image, truth = street.render(3.0 * index)
        for skip, total in totals.items():
            total += confusion_matrix(truth, segmenter(image, skip=skip))

    print(f"{'':15}{'skip on':>9}{'skip off':>9}")
    rows = zip(CLASS_NAMES, class_iou(totals[True]), class_iou(totals[False]), strict=True)
    for name, on, off in rows:
        print(f"{name:15}{on:9.1%}{off:9.1%}")
    on, off = (mean_iou(totals[skip], only_occurring=True) for skip in (True, False))
    print(f"{'mean IoU':15}{on:9.1%}{off:9.1%}  over the classes that occur")


if __name__ == "__main__":
    main(*sys.argv[1:])

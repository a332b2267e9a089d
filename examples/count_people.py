"""Count people, minute by minute.

    python examples/count_people.py SOURCE [MOST_FRAMES]

The network gives every pixel a class, not every person a number: people who overlap are one region.
"""

import sys
from collections import defaultdict

import cv2
import numpy as np

from app.video import segment_video

SMALLEST = 0.0002
"""Regions below this share of the picture are noise."""


def main(source: str, most: str = "") -> None:
    """Print for each minute the mean and the greatest number of regions of people."""
    counts: dict[int, list[int]] = defaultdict(list)
    for result in segment_video(source, most=int(most) if most else None):
        people = result.mask("person", "rider").astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(people)
        areas = stats[1:, cv2.CC_STAT_AREA]  # the first is what is no person
        counts[int(result.time // 60)].append(int((areas >= SMALLEST * people.size).sum()))
    for minute, seen in sorted(counts.items()):
        print(f"{minute // 60}:{minute % 60:02}  mean {np.mean(seen):.1f}, at most {max(seen)}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])

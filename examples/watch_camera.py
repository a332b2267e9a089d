"""Watch a camera and post an alert while somebody is in the left half of its picture.

python examples/watch_camera.py 0 https://example.org/hook [MOST_FRAMES]
"""

import json
import sys
import urllib.request
from datetime import datetime, timezone

from app.video import segment_video

ENTERS, LEAVES = 0.02, 0.01
"""Shares of the half at which somebody is there, and is there no more: between, nothing changes."""


def post(address: str, **values: object) -> None:
    """Send values as JSON."""
    request = urllib.request.Request(
        address, json.dumps(values).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()


def main(source: str, address: str, most: str = "") -> None:
    """Post when somebody comes, and when nobody is there any more."""
    there = False
    for result in segment_video(source, input_size="quarter", most=int(most) if most else None):
        people = result.mask("person", "rider")
        share = float(people[:, : people.shape[1] // 2].mean())
        if there != (share > (LEAVES if there else ENTERS)):
            there = not there
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            post(address, person=there, share=round(share, 4), frame=result.index, time=now)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])

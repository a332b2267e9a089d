"""Turn a folder of pictures, or a video, into labels to begin with in CVAT.

    python examples/cvat_prelabels.py SOURCE OUTPUT.zip [CLASSES]

In CVAT: make a task of the same pictures or video with labels of these names, then upload the
annotations in the format COCO 1.0. It needs pycocotools.
"""

import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from app.cli.launcher import main as run


def main(source: str, output: str, classes: str = "") -> int:
    """Write the archive; returns the exit code."""
    with TemporaryDirectory() as folder:
        found = Path(folder, "objects.json")
        only = ["--classes", classes] if classes else []
        code = run([source, "--headless", "--objects", str(found), "--min-area", "100", *only])
        if code == 0:
            with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(found, "annotations/instances_default.json")
    return code


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))

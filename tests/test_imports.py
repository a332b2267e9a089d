"""av, cv2 and PyQt6 bring Qt and FFmpeg libraries of their own: every order of import must work."""

import itertools
import os
import shutil
import subprocess
import sys
import time

import pytest

from tests.support.waiting import PATIENCE

SCRIPT = """
import sys
for name in sys.argv[1:]:
    __import__(name)
from app.preflight import check_display
check_display()
import av, cv2, numpy as np
from PyQt6.QtWidgets import QApplication, QLabel
app = QApplication([])
label = QLabel("x")
label.show()
app.processEvents()
cv2.resize(np.zeros((4, 4, 3), np.uint8), (8, 8))
av.open("testsrc2=size=64x64:rate=5:duration=1,format=yuv420p", format="lavfi").close()
print("platform", app.platformName())
"""
ORDERS = list(itertools.permutations(["av", "cv2", "PyQt6.QtWidgets"]))


def _run(order, environment):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *order],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


@pytest.fixture(scope="module")
def screen():
    """Environment of a process that shows something: under X where there is Xvfb."""
    if shutil.which("Xvfb") is None:
        yield {"QT_QPA_PLATFORM": "offscreen"}
        return
    read, write = os.pipe()
    with subprocess.Popen(
        [
            "Xvfb",
            "-displayfd",
            str(write),
            "-screen",
            "0",
            "1280x800x24",
            "-noreset",
            "-nolisten",
            "tcp",
        ],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(write)
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        time.sleep(0.1)
        yield {"QT_QPA_PLATFORM": "xcb", "DISPLAY": f":{number}"}
        process.terminate()


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_every_import_order_works(order, screen):
    assert _run(order, screen) == screen["QT_QPA_PLATFORM"]

"""A disk that is soon full."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte."""
    done = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)],
            capture_output=True,
            check=False,
        )
        if sys.platform == "linux" and os.geteuid() == 0
        else None
    )
    if done is None or done.returncode:
        pytest.skip("a small disk cannot be mounted here; the limit on file sizes is tested below")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=False)

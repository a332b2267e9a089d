"""Finds out whether the libraries that bring system libraries along can be loaded."""

from __future__ import annotations

import importlib

from app.errors import UsageError


def check_opencv() -> None:
    """Make sure that OpenCV loads, which every run needs.

    Raises:
        UsageError: it does not, and what to install.
    """
    try:
        importlib.import_module("cv2")
    except ModuleNotFoundError as error:
        raise UsageError("OpenCV is not installed: pip install opencv-python.") from error
    except ImportError as error:
        library = str(error).partition(":")[0]
        raise UsageError(
            f"OpenCV does not load because the system library {library} is missing: install it"
            " (on Debian or Ubuntu: sudo apt install libgl1 libglib2.0-0), or, for --headless,"
            " replace opencv-python by opencv-python-headless."
        ) from error

"""Images for Qt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage


def to_qimage(
    pixels: NDArray[np.uint8], kind: QImage.Format = QImage.Format.Format_RGB888
) -> QImage:
    """Return an image that owns its pixels.

    Args:
        pixels: H×W×3 uint8 RGB, or H×W uint8 for formats of one byte.
        kind: format of Qt.
    """
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    image = QImage(  # type: ignore[call-overload]  # the stubs know no buffers
        pixels.data, width, height, pixels.strides[0], kind
    )
    return QImage(image.copy())

"""A source of one's own: a window that pans over one wide image."""

import numpy as np
from numpy.typing import NDArray

from app.sources.base import Picture, Source, SourceInfo
from fastscnn import Segmenter
from fastscnn.data.street import Street
from fastscnn.labels import CLASS_NAMES


class PanningSource(Source):
    """Images cut from a wide one, each a little further to the right; not live: all are kept."""

    live = False

    def __init__(self, wide: NDArray[np.uint8], frames: int = 8) -> None:
        super().__init__()
        self._wide, self._index = wide, 0
        self.info = SourceInfo("panorama", wide.shape[1] // 2, wide.shape[0], 10.0, frames)

    def read(self) -> Picture | None:
        if self._index == self.info.frames:
            return None
        left = self.info.width * self._index // (self.info.frames or 1)
        image = np.ascontiguousarray(self._wide[:, left : left + self.info.width])
        self._index += 1
        return Picture(image, (self._index - 1) / 10)

    def close(self) -> None: ...


if __name__ == "__main__":
    source = PanningSource(Street(seed=1, width=640, height=192).render(0)[0])
    segmenter = Segmenter.from_checkpoint()
    for picture in iter(source.read, None):
        largest = int(np.bincount(segmenter(picture.image).ravel()).argmax())
        print(f"{picture.time:4.1f} s  mostly {CLASS_NAMES[largest]}")

"""The demo street as a source: endless, 30 pictures a second, the same at every start."""

from __future__ import annotations

from app.sources.base import Picture, Source, SourceInfo
from app.sources.source_spec import SourceSpec
from fastscnn.data.street import Street


class DemoSource(Source):
    """Frames of ``fastscnn.data.street``; time runs with the frames, not with the clock."""

    RATE = 30.0
    SIZE = (1024, 512)

    live = False

    def __init__(self, spec: SourceSpec) -> None:
        super().__init__()
        width, height = spec.width or self.SIZE[0], spec.height or self.SIZE[1]
        self._street = Street(seed=0, width=width, height=height)
        self._index = 0
        self.info = SourceInfo(
            spec.name, width, height, rate=self.RATE, decoder="rendered", seekable=True
        )

    def read(self) -> Picture:
        time = self._index / self.RATE
        self._index += 1
        image, labels = self._street.render(time)
        return Picture(image, time, truth=labels)

    def seek(self, seconds: float, *, before: int = 0) -> None:
        # A little more, so that a stamp in seconds means its own frame in spite of rounding.
        self._index = max(0, int(max(seconds, 0.0) * self.RATE + 1e-3) - before)

    def close(self) -> None:
        pass

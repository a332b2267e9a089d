"""Adaptive input size (``--input-size auto``): the largest that holds the source's rate."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from app.core.frame import Frame
from app.inference.size_controller import SizeController
from fastscnn.inference.input_size import with_short_side

if TYPE_CHECKING:
    from app.inference.engine import Engine

_log = logging.getLogger(__name__)

_SHORT_SIDES = (256, 384, 512, 768, 1024)
"""Short sides of the sizes to choose from; the network begins with 512, which is ``half``."""
_ENLARGED = 1.1
"""Ratio to the picture's own short side up to which one above 512 is of any use."""
_BESIDE = ("steady", "labels", "download", "overlay")
"""Stages of a frame that run beside the network on the next."""


class AdaptiveSize:
    """Watches what frames take, gets another size ready beside them, and says when it may be used.

    Everything but ``reason`` belongs to the worker's thread.

    Args:
        rate: tells how many frames there are per second; ``None`` where nobody knows.
        held: tells whether the size must stay as it is, such as while a recording is made.
        say: told why the size in use is in use, in a few words.
        clock: seconds that never go back.
    """

    _USUAL, _FASTEST = 30.0, 60.0
    """Frames per second where the source states none, and at most: no screen shows more."""

    def __init__(
        self,
        rate: Callable[[], float | None],
        held: Callable[[], bool],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate, self._held, self._say, self._clock = rate, held, say, clock
        self._controller: SizeController | None = None
        self._picture: tuple[int, ...] = ()
        self._sizes: list[tuple[int, int]] = []
        self._warming: threading.Thread | None = None
        self._wanted: int | None = None
        self._failed = False

    def begin(self) -> None:
        """Begin with another network, which starts at half size."""
        self.close()
        self._controller, self._picture = None, ()
        self._say("measuring")

    def observe(self, frame: Frame, stages: Mapping[str, float], engine: Engine) -> None:
        """Take what a frame took, and begin to get another size ready where one is wanted."""
        if engine.segmenter.model_size is not None:
            self._say("the only one that these weights have")
            return
        controller = self._controller_for(frame, engine)
        if self._held() or frame.lossless:  # of these several are in the network, and none is late
            controller.forget()
            self._say("stays while something is written")
            return
        rate = min(self._rate() or self._USUAL, self._FASTEST)
        seconds = busy_seconds(stages)
        wanted = controller.observe(seconds, 1 / rate)
        self._say(_reason(controller, seconds, rate))
        if wanted is not None and self._warming is None:
            self._wanted = wanted
            size, skips = self._sizes[wanted], (True, False)
            self._warming = threading.Thread(
                target=self._warm, args=(engine, size, skips), name="warm-up"
            )
            self._warming.start()

    def rest(self, engine: Engine) -> None:
        """Go back to half size, at which several sources run, until there is one again."""
        if self._controller is not None:
            self.begin()
            engine.resize("half")
        self._say("half for several sources")

    def apply(self, engine: Engine) -> bool:
        """Go on at another size where one is ready; return whether that is so."""
        if self._warming is None or self._warming.is_alive():
            return False
        self._warming = None
        controller, wanted = self._controller, self._wanted
        if controller is None or wanted is None or self._held():
            return False
        if self._failed:
            self._failed = False
            controller.limit(controller.size)
            return False
        controller.change(wanted)
        engine.resize(self._sizes[wanted])
        return True

    def close(self) -> None:
        """Wait for what is being got ready, which takes as long as a frame."""
        if self._warming is not None:
            self._warming.join()
        self._warming = self._wanted = None

    def _controller_for(self, frame: Frame, engine: Engine) -> SizeController:
        """Return the controller for the sizes that a picture may be seen at."""
        height, width = frame.image.shape[:2]
        seen = engine.segmenter.network_size(height, width)
        if self._controller is None or self._picture != (height, width):
            self.close()
            self._picture, most = (height, width), _ENLARGED * min(height, width)
            sides = [side for side in _SHORT_SIDES if side <= max(512, most)]
            self._sizes = [with_short_side(side, height, width) for side in sides]
            pixels = [rows * columns for rows, columns in self._sizes]
            self._controller = SizeController(pixels, self._place(seen), self._clock)
            engine.resize(self._sizes[self._controller.size])
        elif seen != self._sizes[self._controller.size]:  # memory ran out
            self._controller.limit(self._place(seen))
            engine.resize(self._sizes[self._controller.size])
        return self._controller

    def _place(self, seen: tuple[int, int]) -> int:
        """Return the place of the largest size that is no larger than one."""
        return max((i for i, size in enumerate(self._sizes) if min(size) <= min(seen)), default=0)

    def _warm(self, engine: Engine, size: tuple[int, int], skips: Sequence[bool]) -> None:
        try:
            engine.warm(size, skips)
        except Exception as error:  # the size in use stays in use
            _log.warning("the input size %s cannot be used: %s", size, error)
            self._failed = True


def busy_seconds(stages: Mapping[str, float]) -> float:
    """Return the time that a frame keeps the slowest of those busy that work beside each other."""
    beside = sum(stages.get(stage, 0.0) for stage in _BESIDE)
    return stages.get("upload", 0.0) + max(stages.get("network", 0.0), beside)


def _reason(controller: SizeController, seconds: float, rate: float) -> str:
    if controller.fits:
        return f"chosen for {rate:.3g} fps"
    slow = f"too slow for {rate:.3g} fps"
    return f"{slow} even at the smallest size" if controller.size == 0 else slow

"""A clip in the window, steady labels, the input size by the machine, a load that changes."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from app.core.memory import resident_mb
from tests.soak.overload import memory_figures, most_growth

_BUSY, _QUIET = 15.0, 30.0
"""Seconds for which another program takes a processor, and for which it does not."""
_SEEK = 10.0
"""Seconds between seeks, at which labels begin anew."""


def adaptive(seconds: float, folder: Path) -> dict[str, object]:
    """Run; returns figures on memory and on the sizes in use.

    Raises:
        AssertionError: memory grows, or frames are not accounted for.
    """
    from PyQt6.QtTest import QTest

    from app.config.settings import NetworkOptions, Settings, SourceOptions
    from app.rendering.view_options import ViewOptions
    from app.sources.source_spec import SourceSpec
    from fastscnn.data.street import Street
    from tests.support.media import write_clip
    from tests.support.window_driver import shows, wait_until, window

    street = Street(3, 960, 540)
    pictures = [street.render(i / 30)[0] for i in range(90)]
    spec = SourceSpec(
        "file", str(write_clip(folder / "a.mp4", 450, size=(960, 540), pictures=pictures))
    )
    settings = Settings(
        sources=(spec,),
        network=NetworkOptions(device="cpu", input_size="auto"),
        view=ViewOptions(steady=True),
        source=SourceOptions(loop=True),
    )
    memory: list[tuple[float, float]] = []
    sizes: list[object] = []
    load = _Load()
    with window(settings) as made:
        try:
            wait_until(lambda: shows(made, spec), "a picture")
            started = time.monotonic()
            sought = 0.0
            while (now := time.monotonic() - started) < seconds:
                QTest.qWait(500)
                load.follow(now)
                if now - sought > _SEEK:
                    sought = now
                    made.pipeline.session.seek(now % 14)
                memory.append((now, resident_mb() or 0.0))
                network = made.pipeline.status().network
                assert network is not None
                sizes.append(network.input_size)
                if len(memory) % 120 == 0:
                    print(f"{now:.0f} s: {memory[-1][1]:.1f} MB, {sizes[-1]}", flush=True)
        finally:
            load.end()
        stats = made.pipeline.stats
    counters = stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total
    figures = {
        **memory_figures(*zip(*memory, strict=True)),
        "seconds": round(seconds),
        "captured": counters.captured,
        "shown": counters.shown,
        "dropped": counters.dropped,
        "changes of size": sum(a != b for a, b in itertools.pairwise(sizes)),
        "seconds at": {str(size): n / 2 for size, n in Counter(sizes).most_common()},
    }
    assert figures["MB per minute"] < most_growth(seconds), figures
    return figures


class _Load:
    """Another program that takes a processor now and then."""

    def __init__(self) -> None:
        self._program: subprocess.Popen[bytes] | None = None

    def follow(self, now: float) -> None:
        busy = now % (_BUSY + _QUIET) > _QUIET
        if busy and self._program is None:
            self._program = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        elif not busy:
            self.end()

    def end(self) -> None:
        if self._program is not None:
            self._program.kill()
            self._program.wait()
            self._program = None

"""Processor time of each thread while the window plays: ``python docs/benchmarks/threads.py CLIP``.

The kernel's counts, divided by the frames that were shown; with ``--calls`` the functions of the
window's own thread that took most, and with ``--page`` a page of the lower panel open. Processor
time is what a busy machine distorts least.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import statistics
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PyQt6.QtCore import QEventLoop, QTimer

from app.config.settings import NetworkOptions, Settings, SourceOptions
from app.gui.window.main_window import MainWindow
from app.sources.source_spec import SourceSpec
from tests.support.window_driver import application, shows, wait_until

_TICKS = os.sysconf("SC_CLK_TCK")


def threads() -> Counter[str]:
    """Return the seconds that each thread has computed so far, by its name."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    seconds: Counter[str] = Counter()
    for task in Path("/proc/self/task").iterdir():
        try:
            run = int((task / "schedstat").read_text().split()[0]) / 1e9
            own = (task / "comm").read_text().strip()
        except OSError:  # it has ended meanwhile
            continue
        # Threads of libraries are no threads of Python's; their names are the process's.
        name = names.get(int(task.name), f"({own})")
        seconds["window" if name == "MainThread" else name] += run
    return seconds


def live(seconds: float) -> None:
    """Let the window live, without asking it anything."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def main() -> None:
    """Play a clip over and over, and measure some stretches of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip")
    parser.add_argument("--input-size", default="half")
    parser.add_argument("--page", help="of the lower panel: performance, log or curves")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", action="store_true")
    args = parser.parse_args()
    application()
    spec = SourceSpec("file", args.clip)
    window = MainWindow(
        Settings(
            sources=(spec,),
            network=NetworkOptions(device="cpu", input_size=args.input_size),
            source=SourceOptions(loop=True),
        )
    )
    window.show()
    window.begin()
    wait_until(lambda: shows(window, spec), "a picture")
    window.bottom_panel.show_page(args.page)
    live(3)
    rounds: list[Counter[str]] = []
    profile = cProfile.Profile(time.thread_time)
    for _ in range(args.rounds):
        before, shown = threads(), window.pipeline.stats.counters().shown
        if args.calls:
            profile.enable()
        live(args.seconds)
        profile.disable()
        after, frames = threads(), window.pipeline.stats.counters().shown - shown
        spent = Counter({name: after[name] - before[name] for name in after})
        rounds.append(Counter({name: 1000 * spent[name] / frames for name in spent}))
        rounds[-1]["frames per second"] = frames / args.seconds
    names = sorted({name for each in rounds for name in each}, key=lambda n: -rounds[-1][n])
    print(f"load {os.getloadavg()[0]:.1f}; milliseconds of processor time for each frame shown")
    for name in names:
        if (median := statistics.median(each[name] for each in rounds)) >= 0.05:
            print(f"{median:8.2f}  {name}")
    window.close()
    if args.calls:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()

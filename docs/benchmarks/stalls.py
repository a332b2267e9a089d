"""How long the window's thread stands still, and for what: ``python docs/benchmarks/stalls.py``.

See ``tests.support.event_loop_monitor`` for how; ``--stacks FILE`` gets what all threads were at in
long pauses.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.config.settings import NetworkOptions, Settings
from app.gui.window.main_window import MainWindow
from app.sources.source_spec import SourceSpec
from tests.support.event_loop_monitor import LIMIT, Heart
from tests.support.media import write_clip
from tests.support.stream_servers import silent_server
from tests.support.window_driver import application, messages, shows, wait_until


def measure(what: str, heart: Heart, act: Callable[[], object]) -> None:
    """Print the pauses while something happens."""
    heart.start()
    if heart.stacks is not None:
        heart.stacks.write(f"##### {what}\n")
        heart.stacks.flush()
    act()
    heart.beat()
    pauses = sorted(heart.pauses, key=lambda p: p.wall)
    late = [p for p in pauses if p.wall > LIMIT]
    median, most = pauses[len(pauses) // 2].wall, pauses[int(0.99 * (len(pauses) - 1))].wall
    print(f"{what}: median {1000 * median:.0f}, 99 % {1000 * most:.0f} ms; {len(late)} above 50")
    print("    most work " + f"{1000 * max(p.work for p in pauses):.0f} ms;", end=" ")
    for pause in reversed(pauses[-4:]):
        parts = (pause.wall, pause.work, pause.line, pause.asleep)
        print(
            "{:.0f} (work {:.0f}, line {:.0f}, asleep {:.0f})".format(*(1000 * p for p in parts)),
            end=" ",
        )
    print(flush=True)


def live(seconds: float) -> None:
    """Let the window live."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, "a moment")


def main() -> None:
    """Go through what a window does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stacks", type=Path)
    parser.add_argument("--seconds", type=float, default=8.0)
    args = parser.parse_args()
    stacks = args.stacks.open("w") if args.stacks is not None else None
    app = application()
    heart = Heart(stacks)
    made: list[MainWindow] = []

    def appear() -> None:
        made.append(MainWindow(Settings(network=NetworkOptions(device="cpu"))))
        made[0].show()
        app.processEvents()

    measure("window made and shown", heart, appear)
    window = made[0]

    def load() -> None:
        window.begin()
        wait_until(lambda: window.pipeline.status().network is not None, "the network")
        live(1)

    measure("network loaded", heart, load)
    demo = replace(SourceSpec("demo"), width=1920, height=1080)

    def play() -> None:
        window.open(demo)
        wait_until(lambda: shows(window, demo), "a picture")

    measure("demo street opened, 1080p", heart, play)
    measure("demo street, 1080p", heart, lambda: live(args.seconds))

    def panel() -> None:
        window.bottom_panel.show_page("performance")
        live(args.seconds)

    measure("the same with the performance panel", heart, panel)

    def looks() -> None:
        for view in ("wipe", "confidence", "side", "overlay"):
            window.set_view(view)
            live(1.5)
        for page in ("log", "performance", None):
            window.bottom_panel.show_page(page)
            live(0.5)
        window.show_keys()
        live(0.5)
        window.leave()
        for theme in ("light", "dark"):
            window.set_theme(theme)
            live(0.5)

    measure("views, panels, keys, themes", heart, looks)
    with silent_server() as port:

        def dead() -> None:
            window.open(SourceSpec("stream", f"rtsp://127.0.0.1:{port}/live"))
            wait_until(lambda: any("cannot be opened" in m for m in messages(window)), "words")

        measure("a silent RTSP address", heart, dead)

    with tempfile.TemporaryDirectory() as folder:
        big = SourceSpec("file", str(write_clip(Path(folder, "4k.mp4"), 40, size=(3840, 2160))))
        live(1)  # it was not the window that was slow

        def large() -> None:
            window.open(big)
            wait_until(lambda: shows(window, big), "a picture")
            wait_until(lambda: window.pipeline.status().state == "ended", "the end")
            for place in (0.1, 0.9, 0.0):
                window.pipeline.session.seek(place)
                live(0.5)

        measure("a 4K file, played and sought in", heart, large)
    if stacks is not None:
        faulthandler.cancel_dump_traceback_later()
    window.close()


if __name__ == "__main__":
    main()

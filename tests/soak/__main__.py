"""``python -m tests.soak WHAT``: see ``--help``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

FUZZED = ("videos", "pictures", "labels", "checkpoints", "arguments")
"""Kinds of what is mutated."""


def main() -> int:
    """Run one of the soak tests; 0 when all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    run = what.add_parser("endurance", help="a network three times too slow, window, recording")
    run.add_argument("--minutes", type=float, default=20)
    run = what.add_parser("beside", help="four live sources, three times what the network can do")
    run.add_argument("--minutes", type=float, default=10)
    run = what.add_parser("adaptive", help="steady labels at the input size by the machine")
    run.add_argument("--minutes", type=float, default=10)
    run = what.add_parser("switching", help="random switches, seeks, starts and stops")
    run.add_argument("--operations", type=int, default=500, help="in all; in runs of 50")
    run.add_argument("--seed", type=int, default=0)
    run = what.add_parser("stream", help="a server that stalls, dies and comes back")
    run.add_argument("--times", type=int, default=50)
    run = what.add_parser("sources", help="sources opened in turn, added and removed: memory")
    run.add_argument("--times", type=int, default=50, help="of each")
    run = what.add_parser("fuzz", help="mutated files and arguments")
    for kind in FUZZED:
        run.add_argument(f"--{kind}", type=int, default=400)
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--keep", type=Path, help="folder for files that failed")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fastscnn-soak-") as name:
        return _run(args, Path(name))


def _run(args: argparse.Namespace, folder: Path) -> int:
    if args.what == "endurance":
        from tests.soak.endurance import endurance

        _show(endurance(args.minutes * 60, folder))
    elif args.what == "beside":
        from tests.soak.beside import beside

        _show(beside(args.minutes * 60))
    elif args.what == "adaptive":
        from tests.soak.adaptive import adaptive

        _show(adaptive(args.minutes * 60, folder))
    elif args.what == "switching":
        from tests.soak.switching import random_run

        for start in range(0, args.operations, 50):
            run = folder / str(start)
            run.mkdir()
            operations = min(50, args.operations - start)
            _show(random_run(operations, args.seed * 1000 + start, run, longest=0.6))
    elif args.what == "stream":
        from tests.soak.stream import broken_stream

        _show(broken_stream(args.times, folder))
    elif args.what == "sources":
        from tests.soak.sources import sources

        _show(sources(args.times, folder))
    else:
        from tests.soak.fuzz import fuzz

        counts = {kind: getattr(args, kind) for kind in FUZZED}
        figures = fuzz(folder, counts, args.seed, args.keep)
        _show(figures)
        return int(bool(figures["failures"]))
    return 0


def _show(figures: dict[str, object]) -> None:
    print(json.dumps(figures, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())

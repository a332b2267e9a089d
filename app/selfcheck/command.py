"""The command ``python -m app.selfcheck``: a table for people, and JSON for a bug report.

It downloads nothing and needs no screen, and takes up to three minutes. Parts that say something
about cards alone say so where there is none.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict

# As app.cli.launcher does, before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from app.diagnostics import diagnostics
from app.selfcheck.findings import Setup
from app.selfcheck.part_list import PARTS
from app.selfcheck.part_runner import Outcome, run_parts
from fastscnn.benchmarking.timing import describe_machine
from fastscnn.outputs import OutputError, check_file, write_json
from fastscnn.paths import expand_user
from fastscnn.segmenter import DeviceError
from fastscnn.suggestions import SuggestingParser

_SECONDS = 175.0


def _line(outcome: Outcome) -> str:
    words = "; ".join([*outcome.faults, *outcome.facts])
    return f"{outcome.part:<34}{outcome.status:<11}{outcome.seconds:6.1f} s  {words}"


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code: 1 where a part failed."""
    parser = SuggestingParser(
        prog="python -m app.selfcheck",
        description="Whether this machine gives right results, and how fast: up to three minutes.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds")
    parser.add_argument("--json", type=expand_user, metavar="FILE", help="write the report there")
    args = parser.parse_args(argv)
    try:
        if args.json:
            check_file(args.json, overwrite=True)
        machine = describe_machine(args.device)
    except (DeviceError, OutputError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    print(machine, flush=True)
    setup = Setup(args.device, args.quick)
    outcomes = run_parts(PARTS, setup, _SECONDS, lambda one: print(_line(one), flush=True))
    failed = [outcome.part for outcome in outcomes if outcome.status == "failed"]
    done = sum(outcome.status == "passed" for outcome in outcomes)
    print(
        f"{done} of {len(outcomes)} passed" + (f"; failed: {', '.join(failed)}" if failed else "")
    )
    if args.json:
        report = {
            "machine": machine,
            "quick": args.quick,
            "parts": [asdict(outcome) for outcome in outcomes],
            "diagnostics": diagnostics().splitlines(),
        }
        try:
            write_json(args.json, report)
        except OutputError as error:
            print(f"Error: {error}", file=sys.stderr)
            return 2
    return 1 if failed else 0

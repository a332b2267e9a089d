"""Runner of the parts, in a process beside this one: what hangs or crashes ends one part only."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from app.selfcheck.findings import NotHere, Part, Setup

_START = 30.0
"""Seconds that a new process may take to import what the parts need."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a part.

    Attributes:
        part: its name.
        status: what became of it.
        facts, faults, figures: what it found.
        seconds: how long it took.
    """

    part: str
    status: Literal["passed", "failed", "not here", "not begun"]
    facts: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


def run_parts(
    parts: Sequence[Part], setup: Setup, seconds: float, tell: Callable[[Outcome], None]
) -> list[Outcome]:
    """Run parts one after the other, each within its limit and all within ``seconds``.

    Args:
        parts: to run.
        setup: to run them with.
        seconds: for all.
        tell: told each outcome as it comes.
    """
    end = time.monotonic() + seconds
    helper: _Helper | None = None
    outcomes = []
    try:
        for part in parts:
            left = end - time.monotonic()
            if part.needs_card and not setup.on_card:
                outcome = Outcome(part.name, "not here", ["needs an NVIDIA card"])
            elif left < 3:
                outcome = Outcome(part.name, "not begun", [f"{seconds:.0f} s were over"])
            else:
                helper = helper or _Helper(setup)
                outcome = helper.run(part, min(part.limit, left))
                if part.alone or not helper.alive:
                    helper.end()
                    helper = None
            outcomes.append(outcome)
            tell(outcome)
    finally:
        if helper is not None:
            helper.end()
    return outcomes


class _Helper:
    """Process that runs parts."""

    def __init__(self, setup: Setup) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        # No daemon: a part may start processes of its own.
        self._process: BaseProcess = context.Process(target=_serve, args=(theirs, setup))
        self._process.start()
        theirs.close()
        self._started = False

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def run(self, part: Part, limit: float) -> Outcome:
        begun = time.monotonic()
        patience = limit if self._started else limit + _START
        self._started = True
        try:
            self._connection.send(part)
            if self._connection.poll(patience):
                outcome: Outcome = self._connection.recv()
                return outcome
            fault = f"took longer than {limit:.0f} s and was ended"
        except (EOFError, OSError):
            self._process.join(5)
            fault = f"its process ended with code {self._process.exitcode}"
        self.end()
        return Outcome(part.name, "failed", faults=[fault], seconds=time.monotonic() - begun)

    def end(self) -> None:
        self._connection.close()
        self._process.join(2)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()


def _serve(connection: Connection, setup: Setup) -> None:
    while True:
        try:
            part: Part = connection.recv()
        except EOFError:
            return
        connection.send(carry_out(part, setup))


def carry_out(part: Part, setup: Setup) -> Outcome:
    """Run a part here; what it raises is a fault that it found."""
    begun = time.monotonic()
    try:
        found = part.run(setup)
    except NotHere as lack:
        return Outcome(part.name, "not here", [str(lack)], seconds=time.monotonic() - begun)
    except Exception as error:
        words = str(error).strip().splitlines()
        fault = f"{type(error).__name__}: {words[0] if words else ''}"
        return Outcome(part.name, "failed", faults=[fault], seconds=time.monotonic() - begun)
    status: Literal["passed", "failed"] = "failed" if found.faults else "passed"
    return Outcome(part.name, status, **asdict(found), seconds=time.monotonic() - begun)

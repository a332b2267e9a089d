"""Drives sinks with results, and the command line with what must be refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from app.core.events import EventBus
from app.core.frame import Result
from app.sinks.queued_sink import QueuedSink
from tests.support.waiting import PATIENCE


def told_by(sink: QueuedSink, events: EventBus, results: Iterable[Result]) -> list[str]:
    """Put all results into a sink, end it, and return what it told."""
    sink.start()
    for one in results:
        sink.put(one, wait=True)
    sink.finish()
    sink.join(PATIENCE)
    return [events.get().text for _ in range(events.qsize())]


def refused_line(
    arguments: Sequence[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    """Return the one line by which a run in an empty folder is refused; it leaves nothing there."""
    from app.cli.launcher import main

    monkeypatch.chdir(folder)
    try:
        code: object = main(["demo", "--headless", "--max-frames", "1", *arguments])
    except SystemExit as end:
        code = end.code
    assert code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert list(folder.iterdir()) == []
    return line

"""Size of the crew: how many workers this machine carries."""

from __future__ import annotations

import os
from pathlib import Path

from app.batch.units import Recipe
from app.batch.workers.crew import Crew
from app.batch.workers.local_crew import LocalCrew
from app.config.settings import NetworkOptions
from app.sinks.recording.encoders import has_nvidia_driver

_ROOM = 1.5e9
"""Bytes of memory for a worker: 0.6 to 1.0 were measured with clips of 960×540 and 960×720."""
_BESIDE_CARD = 2
"""Processors that a worker on a card keeps busy: decoding, drawing, encoding."""


def usable_processors() -> list[int]:
    """Numbers of the processors that this process may use."""
    try:
        return sorted(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return list(range(os.cpu_count() or 1))


def local_crew(recipe: Recipe, network: NetworkOptions, workers: int | None) -> Crew:
    """Return the crew of this machine.

    Args:
        recipe: what becomes of each drive.
        network: the device that is asked for.
        workers: how many, or ``None`` for as many as it carries.
    """
    processors, cards = usable_processors(), _cards(network)
    if cards:
        size = workers or max(len(cards), _within_memory(len(processors) // _BESIDE_CARD))
        return LocalCrew(recipe, size, devices=cards)
    size = workers or _within_memory(len(processors))
    shares = None
    if 1 < size <= len(processors):
        shares = [set(processors[number::size]) for number in range(size)]
    return LocalCrew(recipe, size, shares)


def _cards(network: NetworkOptions) -> tuple[str, ...]:
    """Return the NVIDIA cards that workers may share; one that is named is no matter of ours."""
    if network.device not in {"auto", "cuda"} or not has_nvidia_driver():
        return ()
    import torch  # takes seconds

    return tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))


def _within_memory(size: int) -> int:
    """Return so many workers, or as many as the memory that is free has room for."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:  # not on macOS and Windows
        return max(1, size)
    free = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return max(1, min(size, int(1024 * int(free) / _ROOM) if free is not None else size))

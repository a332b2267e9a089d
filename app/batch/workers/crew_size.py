"""Size of the crew: how many workers this machine carries."""

from __future__ import annotations

import os

from app.batch.units import Recipe
from app.batch.workers.crew import Crew
from app.batch.workers.local_crew import LocalCrew
from app.config.settings import NetworkOptions


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
    processors = usable_processors()
    size = workers or len(processors)
    shares = None
    if 1 < size <= len(processors):
        shares = [set(processors[number::size]) for number in range(size)]
    return LocalCrew(recipe, size, shares)

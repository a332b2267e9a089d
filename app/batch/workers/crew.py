"""Crew: the workers of a batch as the driver sees them, wherever they run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import Future

from app.batch.units import Done, Unit


class WorkerHandle(ABC):
    """Handle of one worker.

    Attributes:
        name: as the user sees it.
        ready: done when its network is loaded; raises why it cannot be.
    """

    name: str
    ready: Future[None]

    @abstractmethod
    def do(self, unit: Unit) -> Future[Done]:
        """Have a unit done; one at a time. It raises one of the crew's ``lost``."""

    @abstractmethod
    def progress(self) -> tuple[int, float | None]:
        """Frames of the unit under way, and how many it has as far as known; returns at once."""

    @abstractmethod
    def stop(self) -> None:
        """Have it end its unit at the next frame."""

    @abstractmethod
    def dismiss(self) -> None:
        """Let it end at once."""


class Crew(ABC):
    """Source of workers.

    Attributes:
        size: of workers at a time.
        lost: errors that mean that a worker has died.
    """

    size: int
    lost: tuple[type[BaseException], ...]

    @abstractmethod
    def hire(self, number: int) -> WorkerHandle:
        """Begin a worker, in place of the one that had this number; returns at once."""

    def close(self) -> None:  # noqa: B027 - most have nothing to do here
        """Let go of what the workers ran on."""

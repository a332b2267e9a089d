"""Findings of a part of the self-check, and what it runs with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastscnn.segmenter import Segmenter


class NotHere(Exception):
    """A part that this machine cannot run; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Setting of a check: the device, by its name for ``pick_device``, and whether to be quick."""

    device: str
    quick: bool

    @property
    def on_card(self) -> bool:
        """Return whether the device is a card."""
        from fastscnn.segmenter import pick_device

        return pick_device(self.device).type == "cuda"

    def segmenter(
        self, input_size: str, precision: str = "auto", runtime: str = "auto"
    ) -> Segmenter:
        """Return the network that ships, on the device that is checked."""
        from fastscnn.segmenter import Segmenter

        return Segmenter.from_checkpoint(
            device=self.device, input_size=input_size, precision=precision, runtime=runtime
        )


@dataclass(slots=True)
class Findings:
    """Facts and faults of a part, in words, and its figures for programs."""

    facts: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def expect(self, holds: bool, fault: str) -> None:
        """Note a fault unless something holds."""
        if not holds:
            self.faults.append(fault)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the check.

    Attributes:
        name: for the table.
        run: carries it out.
        limit: seconds after which it is ended.
        needs_card: whether it says nothing about other devices.
        alone: whether it leaves its process in a state that others should not find.
    """

    name: str
    run: Callable[[Setup], Findings]
    limit: float
    needs_card: bool = False
    alone: bool = False


def pictures(count: int, width: int = 960, height: int = 540) -> list[NDArray[Any]]:
    """Return pictures of the demo street, seconds apart."""
    from fastscnn.data.street import Street

    street = Street(3, width, height)
    return [street.render(4.0 + 3.0 * number)[0] for number in range(count)]

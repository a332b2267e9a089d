"""The exponential moving average of a network's weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Average:
    """A state that follows a network slowly, and segments better than its last one.

    The statistics of batch norm are averaged like the weights, so that they belong together;
    counters are copied.

    Args:
        network: what is followed.
        decay: share of the old average that a step keeps; the first steps keep less, so that the
            random beginning is soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the state of ``network`` after ``step`` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        mine: list[Tensor] = []
        theirs: list[Tensor] = []
        for name, other in network.state_dict().items():
            if other.is_floating_point():
                mine.append(self.state[name])
                theirs.append(other)
            else:
                self.state[name].copy_(other)
        torch._foreach_lerp_(mine, theirs, 1 - decay)

    def load(self, state: dict[str, Tensor]) -> None:
        """Take over a saved average.

        Raises:
            KeyError: a tensor is missing.
            RuntimeError: one has another shape.
        """
        for name, tensor in self.state.items():
            tensor.copy_(state[name])

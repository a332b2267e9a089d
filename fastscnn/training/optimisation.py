"""Optimisation: mixed precision, the optimiser step, and the moving average."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn


def pick_amp(asked: str, device: torch.device) -> str:
    """Return ``none``, ``bf16`` or ``fp16``: what is asked for, or ``auto`` on a device."""
    if asked != "auto":
        return asked
    if device.type != "cuda":
        return "none"  # bfloat16 on a CPU gave infinite gradients in 1–2 % of the steps
    return "bf16" if torch.cuda.is_bf16_supported() else "fp16"


class Stepper:
    """Backward pass and optimiser step in mixed precision.

    A step whose gradient is not finite is left out; whatever the forward pass did to the
    statistics of batch norm is undone then, or one overflow would spoil them for good.

    Args:
        module: what is trained.
        optimizer: of its parameters.
        amp: ``none``, ``bf16`` or ``fp16``.
        device: where it runs.
        clip: largest norm of the gradient, 0 for any.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        amp: str,
        device: torch.device,
        clip: float,
    ) -> None:
        self._optimizer, self._amp, self._device = optimizer, amp, device
        self._clip = clip or math.inf
        self._parameters = [p for p in module.parameters() if p.requires_grad]
        self._scaler = torch.amp.GradScaler(device.type, enabled=amp == "fp16")
        self._statistics = [
            b
            for layer in module.modules()
            if isinstance(layer, nn.modules.batchnorm._BatchNorm)
            for b in (layer.running_mean, layer.running_var)
            if b is not None
        ]
        self._before = [b.clone() for b in self._statistics]

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of the forward pass."""
        if self._amp == "none":
            return nullcontext()
        dtype = torch.bfloat16 if self._amp == "bf16" else torch.float16
        return torch.autocast(self._device.type, dtype=dtype)

    def begin(self) -> None:
        """Prepare for the forward pass."""
        self._optimizer.zero_grad(set_to_none=True)
        torch._foreach_copy_(self._before, self._statistics)

    def finish(self, loss: Tensor) -> bool:
        """Run backward pass and step; return whether the step was made."""
        scaled: Tensor = self._scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._optimizer)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._clip)
        fine = bool(torch.isfinite(norm))
        if fine:
            self._scaler.step(self._optimizer)
        else:
            torch._foreach_copy_(self._statistics, self._before)
        self._scaler.update()
        return fine

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: the scale of the loss."""
        return self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what ``state_dict`` returned."""
        self._scaler.load_state_dict(state)


class Average:
    """Moving average of a network's state, which segments better than the last state.

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

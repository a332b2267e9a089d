"""Mixed precision: which, and the optimiser step that survives what it brings."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn


def pick_amp(asked: str, device: torch.device) -> str:
    """``none``, ``bf16`` or ``fp16``: what ``auto`` means on a device, or what is asked for."""
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
        """The context of the forward pass."""
        if self._amp == "none":
            return nullcontext()
        dtype = torch.bfloat16 if self._amp == "bf16" else torch.float16
        return torch.autocast(self._device.type, dtype=dtype)

    def begin(self) -> None:
        """Before the forward pass."""
        self._optimizer.zero_grad(set_to_none=True)
        torch._foreach_copy_(self._before, self._statistics)

    def finish(self, loss: Tensor) -> bool:
        """Backward pass and step; whether it was made."""
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
        """What a resumed run needs: the scale of the loss."""
        return self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of ``state_dict``."""
        self._scaler.load_state_dict(state)

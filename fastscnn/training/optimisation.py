"""Optimisation: mixed precision, the optimiser step, and the moving average."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


def pick_amp(asked: str, device: torch.device) -> str:
    """Return ``none``, ``bf16`` or ``fp16``: what is asked for, or ``auto`` on a device."""
    if asked != "auto":
        return asked
    if device.type != "cuda":
        return "none"  # few CPUs calculate in bfloat16, the others would be slower for it
    return "bf16" if torch.cuda.is_bf16_supported() else "fp16"


@contextmanager
def _host_bfloat16() -> Iterator[None]:
    """Context of a forward pass in bfloat16 on a CPU."""
    with torch.autocast("cpu", dtype=torch.bfloat16), _DepthwiseMode():
        yield


class _DepthwiseMode(TorchFunctionMode):
    """Mode in which depthwise convolutions are ``_Depthwise``."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is not F.conv2d or args[6:] in {(), (1,)}:
            return func(*args, **(kwargs or {}))
        image, weight, bias, *how = args
        out = _Depthwise.apply(image.bfloat16(), weight.bfloat16(), *how)  # type: ignore[no-untyped-call]
        return out if bias is None else out + bias.bfloat16().view(-1, 1, 1)


class _Depthwise(torch.autograd.Function):
    """Depthwise convolution in bfloat16 with its backward pass in float32.

    PyTorch 2.13's own in bfloat16 takes four times as long on a CPU, half of a whole training step,
    and is wrong for some shapes (dilation 2, NHWC).
    """

    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, *how: Any) -> Tensor:
        ctx.save_for_backward(image, weight)
        ctx.how = how
        return torch.conv2d(image, weight, None, *how)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        image, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.how
        of_image, of_weight, _ = torch.ops.aten.convolution_backward(
            *(t.float() for t in (*gradients, image, weight)),
            None, stride, padding, dilation, False, (0, 0), groups, (True, True, False),
        )  # fmt: skip
        return of_image.bfloat16(), of_weight.bfloat16(), None, None, None, None


class Stepper:
    """Backward pass and optimiser step in mixed precision.

    A step whose gradient is not finite is left out; whatever the forward pass did to the
    statistics of batch norm is undone then, or one overflow would spoil them for good. With a fused
    optimizer the device decides that by itself, and nothing waits for it.

    Args:
        module: what is trained; its statistics of batch norm become parts of one tensor.
        optimizer: of its parameters.
        amp: ``none``, ``bf16`` or ``fp16``.
        device: where it runs.
        clip: largest norm of the gradient, 0 for any.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.SGD,
        *,
        amp: str,
        device: torch.device,
        clip: float,
    ) -> None:
        self._optimizer, self._amp, self._device = optimizer, amp, device
        self._clip = clip or math.inf
        self._parameters = [p for p in module.parameters() if p.requires_grad]
        self._scaler = torch.amp.GradScaler(device.type, enabled=amp == "fp16")
        for parameter in self._parameters:
            # A first step that is left out would leave it as it was allocated.
            buffer = {"momentum_buffer": torch.zeros_like(parameter)}
            optimizer.state[parameter] = buffer
        self._statistics = _joined(
            b
            for layer in module.modules()
            if isinstance(layer, nn.modules.batchnorm._BatchNorm)
            for b in (layer.running_mean, layer.running_var)
            if b is not None
        )
        self._before = self._statistics.clone()

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of the forward pass."""
        if self._amp == "none":
            return nullcontext()
        if self._device.type == "cpu" and self._amp == "bf16":
            return _host_bfloat16()
        dtype = torch.bfloat16 if self._amp == "bf16" else torch.float16
        return torch.autocast(self._device.type, dtype=dtype)

    def begin(self) -> None:
        """Prepare for the forward pass."""
        self._optimizer.zero_grad(set_to_none=True)
        self._before.copy_(self._statistics)

    def finish(self, loss: Tensor) -> Tensor:
        """Run backward pass and step; return whether the step was left out, on the device."""
        scaled: Tensor = self._scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._optimizer)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._clip)
        left_out = ~torch.isfinite(norm)
        if self._optimizer.defaults["fused"]:
            self._optimizer.found_inf = left_out.float()  # type: ignore[attr-defined]
            self._scaler.step(self._optimizer)
        elif not left_out:
            self._scaler.step(self._optimizer)
        self._statistics.copy_(torch.where(left_out, self._before, self._statistics))
        self._scaler.update()
        return left_out

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: the scale of the loss."""
        return self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what ``state_dict`` returned."""
        self._scaler.load_state_dict(state)


def _joined(tensors: Iterable[Tensor]) -> Tensor:
    """Return one tensor that the others become parts of, so that one call copies them all."""
    parts = list(tensors)
    whole = torch.cat([part.flatten() for part in parts])
    begin = 0
    for part in parts:
        part.data = whole[begin : begin + part.numel()].view_as(part)
        begin += part.numel()
    return whole


class Average:
    """Moving average of a network's state, which segments better than the last state.

    The statistics of batch norm are averaged like the weights, so that they belong together;
    counters are copied.

    Args:
        network: what is followed; its tensors must stay where they are.
        decay: share of the old average that a step keeps; the first steps keep less, so that the
            random beginning is soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        followed = network.state_dict()
        self.state = {name: tensor.clone() for name, tensor in followed.items()}
        self.decay = decay
        weights = [name for name, tensor in followed.items() if tensor.is_floating_point()]
        counters = [name for name in followed if name not in weights]
        self._mine, self._counters = ([self.state[n] for n in ns] for ns in (weights, counters))
        self._theirs, self._counted = ([followed[n] for n in ns] for ns in (weights, counters))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the state of the network after ``step`` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._mine, self._theirs, 1 - decay)
        torch._foreach_copy_(self._counters, self._counted)

    def load(self, state: dict[str, Tensor]) -> None:
        """Take over a saved average.

        Raises:
            KeyError: a tensor is missing.
            RuntimeError: one has another shape.
        """
        for name, tensor in self.state.items():
            tensor.copy_(state[name])

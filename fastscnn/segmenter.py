"""Segmenter: an image in, labels out.

Example:
    >>> import numpy as np
    >>> from fastscnn import Segmenter
    >>> segmenter = Segmenter.from_checkpoint(device="cpu", input_size="quarter")
    >>> segmenter(np.zeros((90, 160, 3), np.uint8)).shape
    (90, 160)
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fastscnn.checkpoints.checkpoint import Checkpoint, load
from fastscnn.checkpoints.model_zoo import default_checkpoint as default_checkpoint
from fastscnn.inference.input_size import InputSize, network_size, parse_input_size
from fastscnn.inference.onnx_model import OnnxModel, load_onnx
from fastscnn.inference.onnx_model_runtimes import runtime_for
from fastscnn.inference.processor import cpu_has_bfloat16
from fastscnn.inference.runtimes import RuntimeMissing, make_runtime, pick_runtime
from fastscnn.kernels.kernel_choice import refusal
from fastscnn.labels import ClassTable
from fastscnn.suggestions import did_you_mean
from fastscnn.upsampling import upsample

Precision = Literal["fp32", "fp16", "bf16"]
PRECISIONS: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}


class DeviceError(Exception):
    """The asked device or precision is not there; the message is one sentence for the user."""


def pick_device(name: str = "auto") -> torch.device:
    """Return the device to run on: the named one, or the best there is (cuda, mps, cpu).

    Raises:
        DeviceError: the named device is unknown or not in this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(
            f"{name!r} is no device: use auto, cpu, cuda, cuda:N or mps."
            f"{did_you_mean(name, ('auto', 'cpu', 'cuda', 'mps'))}"
        ) from error
    missing = {
        "cpu": False,
        "cuda": not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count(),
        "mps": not torch.backends.mps.is_available(),
    }.get(device.type, True)
    if missing:
        raise DeviceError(f"The device {name} is not in this machine: use --device auto or cpu.")
    return device


def pick_precision(name: str, device: torch.device) -> Precision:
    """Return the precision to run in: the named one, or the fastest in the device's hardware.

    That is float16 on CUDA, bfloat16 on processors that multiply it, and float32 elsewhere.

    Raises:
        DeviceError: the precision is unknown or not for this device.
    """
    if name == "auto":
        if device.type == "cuda":
            return "fp16"
        return "bf16" if device.type == "cpu" and cpu_has_bfloat16() else "fp32"
    for precision in PRECISIONS:
        if name == precision:
            if precision == "fp16" and device.type == "cpu":
                raise DeviceError("float16 is not for the CPU: use --precision fp32 or bf16.")
            return precision
    raise DeviceError(
        f"{name!r} is no precision: use auto, fp32, fp16 or bf16."
        f"{did_you_mean(name, ('auto', *PRECISIONS))}"
    )


class Segmenter:
    """Segmenter: runs a network on images of any size.

    Args:
        checkpoint: the network with its normalisation.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        precision: ``auto``, ``fp32``, ``fp16`` or ``bf16``.
        input_size: what the network sees: ``full``, ``half``, ``quarter`` (short side 1024, 512,
            256), ``exact`` (the image's own) or (height, width).
        runtime: ``auto``, ``torch``, ``onnxruntime`` or ``openvino``, see
            ``fastscnn.inference.runtimes``.

    Attributes:
        class_set: what the labels' numbers stand for: the 19 of Cityscapes, whose numbers are train
            ids, or the network's own.
        weights: the file that they were read from.
        has_skip: whether there is a skip connection to switch.
        gives_logits: whether probabilities are to be had; else the network gives labels.
        assumed: what nobody said about the network, in a sentence; may be empty.

    Raises:
        DeviceError: the device, precision or runtime is not to be had.
        TypeError: the checkpoint is none; for a file there is ``from_checkpoint``.
        ValueError: the input size cannot be meant.
    """

    def __init__(
        self,
        checkpoint: Checkpoint | OnnxModel,
        *,
        device: str = "auto",
        precision: str = "auto",
        input_size: InputSize = "half",
        runtime: str = "auto",
    ) -> None:
        if not isinstance(checkpoint, Checkpoint | OnnxModel):
            raise TypeError(
                f"A Segmenter is made of a Checkpoint, not of {type(checkpoint).__name__}: use"
                " Segmenter.from_checkpoint(path), without a path for the weights that ship."
            )
        self.model_size: tuple[int, int] | None = None
        self.has_skip = self.gives_logits = True
        self.assumed = ""
        self.input_size = parse_input_size(input_size)
        self.class_set = checkpoint.classes
        self.weights = checkpoint.file
        if isinstance(checkpoint, OnnxModel):
            self._take(checkpoint, device, precision, runtime)
            return
        self.device = pick_device(device)
        if precision == "auto" and runtime == "onnxruntime":
            precision = "fp32"  # the only one that it has here
        self.precision = pick_precision(precision, self.device)
        self.origin = checkpoint.origin
        self.align_corners = checkpoint.model.config.align_corners
        try:
            picked = pick_runtime(runtime, self.device, self.precision)
            dtype = PRECISIONS[self.precision]
            self._runtime = make_runtime(picked, checkpoint, self.device, dtype)
        except RuntimeMissing as error:
            raise DeviceError(str(error)) from error
        upsample.prepare(self.device, dtype, len(self.classes), self.align_corners)

    def _take(self, model: OnnxModel, device: str, precision: str, runtime: str) -> None:
        """Take an ONNX network, which runs on the CPU in float32 or as it was quantised."""
        for name, value, only in (("device", device, "cpu"), ("precision", precision, "fp32")):
            if value not in {"auto", only}:
                raise DeviceError(
                    "An ONNX network runs by ONNX Runtime or OpenVINO on the CPU in fp32 here:"
                    f" leave --{name} {value} away."
                )
        try:
            self._runtime = runtime_for(model, runtime)
        except RuntimeMissing as error:
            raise DeviceError(str(error)) from error
        self.device, self.precision = torch.device("cpu"), "fp32"
        self.origin, self.align_corners = "", False
        self.has_skip, self.gives_logits = bool(model.skip), model.gives_logits
        self.model_size, self.assumed = model.size, model.assumed

    @property
    def table(self) -> ClassTable:
        """The table of its classes."""
        return self.class_set.table

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of its classes, by number."""
        return self.class_set.names

    @property
    def runtime(self) -> str:
        """Name of the runtime in use, with its version and what it does without."""
        lacking = ", without Triton's kernels" if self.fallback else ""
        return f"{self._runtime.name}{lacking}"

    @property
    def fallback(self) -> str:
        """Sentence on what takes the place of a fast path that does not run here; may be empty."""
        return refusal() if self.device.type == "cuda" else ""

    def runtime_is(self, name: str) -> bool:
        """Return whether ``pick_runtime`` calls the runtime in use by this name."""
        return self._runtime.key == name

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path | None = None,
        *,
        device: str = "auto",
        precision: str = "auto",
        input_size: InputSize = "half",
        runtime: str = "auto",
    ) -> Segmenter:
        """Return a segmenter from a checkpoint file; ``None`` is the one that ships.

        Raises:
            CheckpointError: the file cannot be used.
            DeviceError: the device, precision or runtime is not to be had.
        """
        path = path or default_checkpoint()
        return cls(
            load_onnx(path) if Path(path).suffix.lower() == ".onnx" else load(path),
            device=device,
            precision=precision,
            input_size=input_size,
            runtime=runtime,
        )

    def at(self, input_size: InputSize) -> Segmenter:
        """Return the same network, not copied, for another input size."""
        other = copy.copy(self)
        other.input_size = parse_input_size(input_size)
        return other

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the network's input size for an H×W image."""
        return self.model_size or network_size(self.input_size, height, width)

    def fit(
        self, image: NDArray[np.uint8], out: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]:
        """Resize RGB uint8 H×W×3 to what the network sees (area when much smaller, else linear).

        Args:
            image: the image.
            out: where to put the result, of the network's size; otherwise it may be ``image``
                itself or a new array.
        """
        height, width = image.shape[:2]
        size = self.network_size(height, width)
        if size == (height, width):
            if out is None:
                return np.ascontiguousarray(image)
            np.copyto(out, image)
            return out
        # Below half as much again, averaging areas changes next to nothing and takes four times as
        # long: labels agree on 99.9 % of the pixels.
        shrinks = 2 * height > 3 * size[0] and 2 * width > 3 * size[1]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(image, size[::-1], dst=out, interpolation=method), np.uint8)

    def logits(self, pixels: Tensor, skip: bool = True) -> Tensor:
        """Run the network.

        Args:
            pixels: h×w×3 uint8 RGB at the network's size, on this segmenter's device.
            skip: whether the skip connection contributes.

        Returns:
            1×classes×⌈h/8⌉×⌈w/8⌉ in this segmenter's precision.
        """
        return self.logits_of(pixels, (skip,))[0]

    @torch.inference_mode()
    def logits_of(
        self, pixels: Tensor, skips: Sequence[bool], *, beside: int = 1
    ) -> tuple[Tensor, ...]:
        """Return ``logits`` for each setting of the skip connection; what they share runs once.

        ``beside`` tells how many threads do this at the same time, which on the CPU then share the
        processors: more images per second, each of them later.
        """
        return self._runtime.logits(pixels, skips, beside)

    @torch.inference_mode()
    def labels(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """Return labels H×W uint8 of ``size`` from what ``logits`` gave, on the device."""
        if not self.gives_logits:  # labels already: each pixel takes the nearest
            found = cv2.resize(logits[0, 0].numpy(), size[::-1], interpolation=cv2.INTER_NEAREST)
            return torch.from_numpy(np.asarray(found, np.uint8))
        return upsample.labels(logits, size, self.align_corners)[0]

    @torch.inference_mode()
    def labels_and_confidence(self, logits: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return labels of ``size`` and their confidence from logits, on the device.

        Returns:
            H×W uint8 train ids, as ``labels`` gives them, and H×W uint8 confidence: 255 × the
            label's probability. On the CPU it is exact where neighbouring logits disagree on the
            class, and within a few levels elsewhere; no full-size logits are ever in memory.
        """
        labels, confidence = upsample.labels_and_confidence(logits, size, self.align_corners)
        return labels[0], confidence[0]

    @torch.inference_mode()
    def labels_and_entropy(self, logits: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return labels of ``size`` and the entropy from logits, on the device.

        Returns:
            H×W uint8 train ids, and H×W uint8, 0–255 for 0–1: the entropy of all probabilities as a
            share of the highest possible, within a few levels (see ``upsample.entropy``).
        """
        labels, entropy = upsample.labels_and_entropy(logits, size, self.align_corners)
        return labels[0], entropy[0]

    def __call__(self, image: NDArray[np.uint8], *, skip: bool = True) -> NDArray[np.uint8]:
        """Return the labels of an image (*cls*).

        Args:
            image: RGB uint8 H×W×3.
            skip: whether the skip connection contributes (§4.2).

        Returns:
            H×W uint8 numbers of ``classes``, such as train ids, at the image's own size.

        Raises:
            TypeError: the image is no array.
            ValueError: it has another shape or dtype.
        """
        logits = self.logits(self._upload(image), skip)
        return np.asarray(self.labels(logits, image.shape[:2]).cpu().numpy(), np.uint8)

    @torch.inference_mode()
    def prob(self, image: NDArray[np.uint8], *, skip: bool = True) -> NDArray[np.float32]:
        """Return class probabilities of an image (*prob*): classes×H×W float32, at its size."""
        logits = self.logits(self._upload(image), skip)
        prob = upsample.probabilities(logits, image.shape[:2], self.align_corners)[0]
        return np.asarray(prob.cpu().numpy(), np.float32)

    def _upload(self, image: NDArray[np.uint8]) -> Tensor:
        if not isinstance(image, np.ndarray):
            raise TypeError(
                f"A picture is an array, uint8 RGB H×W×3, not {type(image).__name__}: read a file"
                " with OpenCV or Pillow first."
            )
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"A picture is uint8 H×W×3, not {image.dtype} {image.shape}.")
        return torch.from_numpy(self.fit(image)).to(self.device)

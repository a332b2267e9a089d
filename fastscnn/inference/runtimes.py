"""Inference runtimes: PyTorch, ONNX Runtime, OpenVINO.

All three take the same pixels and give the same logits but for float32 rounding. On processors
without bfloat16 the other two are about twice as fast as PyTorch, whose tensors are laid out anew
for every frame; which one is in use is always shown (``Runtime.name``).
"""

from __future__ import annotations

import importlib.util
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fastscnn.inference.card_ways import Ways, fastest_way
from fastscnn.inference.cuda_graphs import CudaGraphRecorder, GraphReplay, Run
from fastscnn.inference.openvino_graphs import compiled, openvino_core, openvino_name
from fastscnn.inference.processor import threads_beside
from fastscnn.kernels.kernel_choice import expressible, on_card
from fastscnn.model.batch_norm_folding import fold_batch_norm
from fastscnn.suggestions import did_you_mean

if TYPE_CHECKING:
    from fastscnn.checkpoints.checkpoint import Checkpoint

RUNTIMES = ("torch", "onnxruntime", "openvino")
"""The names that ``pick_runtime`` takes besides ``auto``."""

_NEEDS = {"torch": (), "onnxruntime": ("onnx", "onnxruntime"), "openvino": ("onnx", "openvino")}


class RuntimeMissing(Exception):
    """The asked runtime cannot be used; the message is one sentence for the user."""


def installed(name: str) -> bool:
    """Return whether a runtime's libraries are here."""
    return all(importlib.util.find_spec(module) is not None for module in _NEEDS[name])


def pick_runtime(name: str, device: torch.device, precision: str) -> str:
    """Return the runtime to use: the named one, or the fastest known for the device.

    On the CPU that is ONNX Runtime in float32 and OpenVINO in bfloat16, where they are installed,
    and PyTorch otherwise and on all other devices.

    Raises:
        RuntimeMissing: the named one is unknown, not installed, or not for this device.
    """
    if name not in {"auto", *RUNTIMES}:
        raise RuntimeMissing(
            f"{name!r} is no runtime: use auto, {', '.join(RUNTIMES)}."
            f"{did_you_mean(name, RUNTIMES)}"
        )
    if name == "auto":
        order = {"fp32": ("onnxruntime", "openvino"), "bf16": ("openvino",)}
        wanted = order.get(precision, ()) if device.type == "cpu" else ()
        return next((one for one in wanted if installed(one)), "torch")
    if not installed(name):
        raise RuntimeMissing(
            f"{name} is not installed: pip install {' '.join(_NEEDS[name])}, or --runtime auto."
        )
    if name != "torch" and device.type != "cpu":
        raise RuntimeMissing(f"{name} is for the CPU here: use --runtime torch or --device cpu.")
    if name == "onnxruntime" and precision != "fp32":
        raise RuntimeMissing(f"onnxruntime runs in fp32 here, not {precision}: use another one.")
    return name


class Runtime(ABC):
    """Runtime of one network on one device."""

    key: str
    """Name of it that ``pick_runtime`` returns."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name to be shown, with the version."""

    @abstractmethod
    def logits(self, pixels: Tensor, skips: Sequence[bool], beside: int = 1) -> tuple[Tensor, ...]:
        """Return logits for each setting of the skip connection; what they share is run once.

        Args:
            pixels: h×w×3 uint8 RGB, on the runtime's device.
            skips: settings of the skip connection.
            beside: how many images run at the same time, each on a thread of the caller's; on the
                CPU they share the processors, on other devices it means nothing.

        Returns:
            For each, 1×classes×⌈h/8⌉×⌈w/8⌉.
        """


def make_runtime(
    name: str, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype
) -> Runtime:
    """Return the runtime that ``pick_runtime`` named.

    Raises:
        RuntimeMissing: its libraries are here but do not load.
    """
    if name == "torch":
        return TorchRuntime(checkpoint, device, dtype)
    maker = OnnxRuntime if name == "onnxruntime" else OpenVinoRuntime
    try:
        return maker(checkpoint, dtype)
    except ImportError as error:
        raise RuntimeMissing(f"{name} does not load ({error}): use --runtime torch.") from error


def _normalisation(checkpoint: Checkpoint) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return scale and shift: (x / 255 − mean) / std as one multiplication and one addition."""
    mean, std = np.array(checkpoint.mean), np.array(checkpoint.std)
    return (1 / (255 * std)).astype(np.float32), (-mean / std).astype(np.float32)


def normalised(
    pixels: Tensor, scale: Tensor, shift: Tensor, dtype: torch.dtype, layout: torch.memory_format
) -> Tensor:
    """Return h×w×3 bytes × ``scale`` + ``shift`` as the network's input, 1×3×h×w."""
    x = torch.addcmul(shift, pixels.permute(2, 0, 1).unsqueeze(0).float(), scale)
    return x.to(dtype=dtype, memory_format=layout)


_normalised = on_card("normalised", normalised)


class _Eager:
    """Network in PyTorch, from pixels to logits, every operation launched by itself."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> None:
        self.layout = torch.channels_last
        self._dtype = dtype
        self.model = fold_batch_norm(checkpoint.model).to(device=device, dtype=dtype)
        self._scale, self._shift = (
            torch.from_numpy(values).view(1, 3, 1, 1).to(device)
            for values in _normalisation(checkpoint)
        )

    def lay_out(self, layout: torch.memory_format) -> _Eager:
        """Bring weights and activations into a memory layout."""
        self.layout = layout
        self.model.to(memory_format=layout)  # type: ignore[call-overload]
        return self

    def __call__(self, pixels: Tensor, skips: Sequence[bool]) -> tuple[Tensor, ...]:
        x = _normalised(pixels, self._scale, self._shift, self._dtype, self.layout)
        high, low = self.model.features(x)
        return tuple(self.model.head(high, low, skip) for skip in skips)


def card_ways(
    checkpoint: Checkpoint,
    device: torch.device,
    dtype: torch.dtype,
    eager: _Eager | None = None,
) -> Ways:
    """Return the ways to run a network on a card; one at a time of those with PyTorch's layers.

    ``eager`` may be given where it has been made.
    """
    eager = eager or _Eager(checkpoint, device, dtype)
    ways: dict[str, Callable[[], Run]] = {
        "NCHW": partial(eager.lay_out, torch.contiguous_format),
        "channels last": partial(eager.lay_out, torch.channels_last),
    }
    if dtype != torch.float32 and expressible(checkpoint.model.config):
        ways["Triton's kernels"] = partial(_fused, checkpoint, device, dtype)
    return ways


def _fused(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> Run:
    from fastscnn.kernels.fused_network import FusedNetwork  # Triton is not everywhere

    scale, shift = (torch.from_numpy(one) for one in _normalisation(checkpoint))
    network = FusedNetwork(fold_batch_norm(checkpoint.model), scale, shift, device, dtype)
    network.compile()
    return network


class TorchRuntime(Runtime):
    """PyTorch runtime: on CUDA the fastest way, replayed from CUDA graphs; elsewhere eager."""

    key = "torch"

    def __init__(self, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> None:
        self._eager = _Eager(checkpoint, device, dtype)
        self._eager.lay_out(torch.channels_last)
        self._replayed: GraphReplay | None = None
        if device.type == "cuda":
            recorder = CudaGraphRecorder(device)
            ways = card_ways(checkpoint, device, dtype, self._eager)
            self._way, run = fastest_way(device, dtype, ways, recorder)
            self._replayed = GraphReplay(run, recorder)
            torch.cuda.synchronize(device)  # other streams must find the weights in place

    @property
    def name(self) -> str:
        version = f"PyTorch {torch.__version__.partition('+')[0]}"
        if self._replayed is None:
            return version
        refused = self._replayed.refused
        graphs = f"without CUDA graphs ({refused})" if refused else "CUDA graphs"
        return f"{version}, {self._way}, {graphs}"

    def logits(self, pixels: Tensor, skips: Sequence[bool], beside: int = 1) -> tuple[Tensor, ...]:
        if pixels.device.type == "cpu":
            self._share(beside)
        return (self._replayed or self._eager)(pixels, skips)

    @staticmethod
    def _share(beside: int) -> None:
        # OpenMP keeps the number for each thread of ours; a first call with 1 changes nothing.
        if beside != getattr(_last, "beside", 1):
            torch.set_num_threads(threads_beside(beside))
            _last.beside = beside


_last = threading.local()

Compiled = Callable[[NDArray[np.uint8]], Sequence[NDArray[np.float32]]]
"""Compiled graph: 1×h×w×3 pixels in, logits for each of its settings of the skip out."""


_Key = tuple[tuple[int, int], tuple[bool, ...], int]


class GraphRuntime(Runtime):
    """Runtime by a library, for an ONNX graph of one size and some settings of the skip.

    What has been asked for lately is kept; with the first graph for a size, that for the other
    setting is made in the background, so that the toggle finds it ready.
    """

    _KEPT = 6

    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype) -> None:
        self._model = fold_batch_norm(checkpoint.model)
        self._normalisation = _normalisation(checkpoint)
        self._dtype = dtype
        self._ready: OrderedDict[_Key, Compiled] = OrderedDict()
        self._lock, self._compiling = threading.Lock(), threading.Lock()

    @abstractmethod
    def _compile(self, graph: bytes, beside: int) -> Compiled:
        """Get a graph ready to run, by so many threads of the caller's at the same time."""

    def logits(self, pixels: Tensor, skips: Sequence[bool], beside: int = 1) -> tuple[Tensor, ...]:
        size, wanted = (pixels.shape[0], pixels.shape[1]), tuple(skips)
        run = self._graph(size, wanted, beside)
        if len(wanted) == 1:
            self._prepare(size, (not wanted[0],), beside)
        return tuple(torch.from_numpy(out) for out in run(pixels.numpy()[None]))

    def _graph(self, size: tuple[int, int], skips: tuple[bool, ...], beside: int) -> Compiled:
        from fastscnn.inference.onnx_graph import network_graph  # needs onnx, which is optional

        key = (size, skips, beside)
        ready = self._kept(key)
        if ready is not None:
            return ready
        # What is ready can be had while another graph is compiled.
        with self._compiling:
            ready = self._kept(key)
            if ready is None:
                graph = network_graph(self._model, *self._normalisation, size, skips)
                ready = self._compile(graph, beside)
                with self._lock:
                    self._ready[key] = ready
                    while len(self._ready) > self._KEPT:
                        self._ready.popitem(last=False)
        return ready

    def _kept(self, key: _Key) -> Compiled | None:
        with self._lock:
            ready = self._ready.get(key)
            if ready is not None:
                self._ready.move_to_end(key)
            return ready

    def _prepare(self, size: tuple[int, int], skips: tuple[bool, ...], beside: int) -> None:
        key = (size, skips, beside)
        if key not in self._ready and not self._compiling.locked():
            threading.Thread(target=self._graph, args=key, name="graph").start()


class OnnxRuntime(GraphRuntime):
    """ONNX Runtime on the CPU, float32."""

    key = "onnxruntime"

    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype) -> None:
        super().__init__(checkpoint, dtype)
        import onnxruntime

        self._library: Any = onnxruntime

    @property
    def name(self) -> str:
        return f"ONNX Runtime {self._library.__version__}"

    def _compile(self, graph: bytes, beside: int) -> Compiled:
        options = self._library.SessionOptions()
        options.intra_op_num_threads = threads_beside(beside)
        options.log_severity_level = 3
        # As with OMP_WAIT_POLICY: threads that spin while they wait take the other stages' time.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = self._library.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

        def run(pixels: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
            outputs: Sequence[NDArray[np.float32]] = session.run(None, {"pixels": pixels})
            return outputs

        return run


class OpenVinoRuntime(GraphRuntime):
    """OpenVINO on the CPU, in float32 or bfloat16."""

    key = "openvino"

    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype) -> None:
        super().__init__(checkpoint, dtype)
        self._core = openvino_core()

    @property
    def name(self) -> str:
        return openvino_name()

    def _compile(self, graph: bytes, beside: int) -> Compiled:
        model = self._core.read_model(graph)
        outputs = len(model.outputs)
        infer = compiled(model, "f32" if self._dtype == torch.float32 else "bf16", beside)

        def run(pixels: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
            request = infer({0: pixels})
            return [request.get_output_tensor(i).data.copy() for i in range(outputs)]

        return run

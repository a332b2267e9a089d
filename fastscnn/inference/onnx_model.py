"""ONNX models: any network for segmentation, read from a graph and what is said about it.

What a graph does not say itself – classes, colours, normalisation, size – stands in its metadata,
or in a JSON file of its name beside it; what nobody says is assumed, and told.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscnn.checkpoints.checkpoint import CheckpointError
from fastscnn.checkpoints.public_formats import IMAGENET_MEAN, IMAGENET_STD
from fastscnn.data.class_sets import CITYSCAPES_SET, MOST_CLASSES, ClassSet, class_set
from fastscnn.inference.input_size import MAX_SIDE
from fastscnn.labels import CLASS_NAMES
from fastscnn.paths import graph_words
from fastscnn.provenance import WeightsFile, weights_file

_MOST_BYTES = 1024 * 2**20
_MOST_WORDS = 2**20
_TRIAL = (256, 512)
"""Size at which a graph that takes any is tried."""
_TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A network of any architecture that makes labels of a picture.

    Attributes:
        path: the graph.
        input: name of the picture's input.
        channels_first: whether it is 1×3×h×w, else 1×h×w×3.
        dtype: of the picture: bytes, or floats that are normalised.
        mean, std: normalisation of RGB values in 0–1, of floats.
        size: height and width that it takes; ``None`` takes any.
        skip: name of the input that switches a skip connection; empty where there is none.
        output: name of the output that is used.
        gives_logits: whether it gives numbers by class, else labels.
        channels_last: whether those numbers come last.
        probabilities: whether they are probabilities.
        classes: what the labels' numbers stand for.
        assumed: what nobody said, in a sentence; may be empty.
        quantised: whether it computes with 8-bit integers.
        file: where it was read from.
    """

    path: Path
    input: str
    channels_first: bool
    dtype: Any
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    size: tuple[int, int] | None = None
    skip: str = ""
    output: str = ""
    gives_logits: bool = True
    channels_last: bool = False
    probabilities: bool = False
    classes: ClassSet = CITYSCAPES_SET
    assumed: str = ""
    quantised: bool = False
    file: WeightsFile = field(default_factory=WeightsFile)

    def feed(self, pixels: NDArray[np.uint8], skip: bool) -> dict[str, NDArray[Any]]:
        """Return the graph's inputs for h×w×3 uint8 RGB."""
        picture: NDArray[Any] = pixels
        if self.dtype != np.uint8:
            scale = 1 / (255 * np.array(self.std))
            shift = -np.array(self.mean) / self.std
            picture = pixels.astype(np.float32) * scale.astype(np.float32)
            picture = (picture + shift.astype(np.float32)).astype(self.dtype)
        picture = picture.transpose(2, 0, 1) if self.channels_first else picture
        given = {self.input: np.ascontiguousarray(picture[None])}
        return given | ({self.skip: np.array(skip)} if self.skip else {})


def load_onnx(path: str | Path) -> OnnxModel:
    """Read a graph, and run it once.

    Raises:
        CheckpointError: it cannot be used, in a sentence.
    """
    path = Path(path)
    try:
        session = open_session(path, 1)
    except ImportError as error:
        raise CheckpointError(
            f"{path} needs ONNX Runtime, which is not installed: pip install onnxruntime."
        ) from error
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"{path} cannot be read as an ONNX network ({reason_of(error)}): it is damaged, or made"
            " for another library."
        ) from error
    said, assumed = _said(path, session), list[str]()
    model = _with_input(path, session, said, assumed)
    model = _with_output(model, session, said, assumed)
    words = ""
    if assumed:
        words = (
            f"{path.name} does not say all of how it is used. Assumed: {'; '.join(assumed)}."
            f" What is different goes in {graph_words(path).name} beside it."
        )
    return replace(model, assumed=words, quantised=_is_quantised(path), file=weights_file(path))


def _is_quantised(path: Path) -> bool:
    """Return whether a graph has steps from and to integers; their names stand in the file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        return any(held.find(name) >= 0 for name in (b"DequantizeLinear", b"QLinearConv"))


def open_session(path: Path, threads: int) -> Any:
    """Open a graph in ONNX Runtime.

    Raises:
        CheckpointError: it is not there, or too large.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no network {path}: check the path.")
    if path.stat().st_size > _MOST_BYTES:
        raise CheckpointError(f"{path} has more than {_MOST_BYTES >> 20} MiB: choose another file.")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    # Threads that spin while they wait would take the other stages' time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _said(path: Path, session: Any) -> dict[str, Any]:
    """Return what the metadata say, or the file beside it, which wins."""
    said: dict[str, Any] = {}
    for key, text in session.get_modelmeta().custom_metadata_map.items():
        try:
            said[key] = json.loads(text)
        except (ValueError, RecursionError):
            said[key] = text
    file = graph_words(path)
    if not file.is_file():
        return said
    try:
        data = file.read_bytes()
        told = json.loads(data) if len(data) <= _MOST_WORDS else None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{file} is no JSON ({error}): see docs/weights.md.") from error
    if not isinstance(told, dict):
        raise CheckpointError(f"{file} is not one JSON object: see docs/weights.md.")
    return said | told


def _with_input(path: Path, session: Any, said: Mapping[str, Any], assumed: list[str]) -> OnnxModel:
    inputs = session.get_inputs()
    pictures = [one for one in inputs if one.type in _TYPES and len(one.shape) == 4]
    switches = [one for one in inputs if one.type == "tensor(bool)" and one.name == "skip"]
    if len(pictures) != 1 or len(inputs) != 1 + len(switches):
        takes = ", ".join(f"{one.name}: {one.type} {one.shape}" for one in inputs[:4])
        raise CheckpointError(
            f"{path} takes {takes}: a network for pictures takes one, N×3×h×w or N×h×w×3, as float"
            " or uint8."
        )
    [picture] = pictures
    shape, dtype = picture.shape, _TYPES[picture.type]
    first, last = shape[1] == 3, shape[3] == 3
    if not first and not last:
        if any(isinstance(shape[axis], int) for axis in (1, 3)):
            raise CheckpointError(
                f"{path} takes pictures of {shape}: it must have three channels, red, green, blue."
            )
        first = dtype != np.uint8
        assumed.append(f"a picture {'N×3×h×w' if first else 'N×h×w×3'}")
    if isinstance(shape[0], int) and shape[0] != 1:
        raise CheckpointError(f"{path} takes {shape[0]} pictures at once: export it for one.")
    sides = shape[2:] if first else shape[1:3]
    size = tuple(sides) if all(isinstance(side, int) for side in sides) else said.get("input_size")
    if size is not None and not _is_size(size):
        raise CheckpointError(
            f"{path} takes pictures of {size}: sides must be whole numbers from 1 to {MAX_SIDE}."
        )
    mean, std = (_numbers(path, said, name) for name in ("mean", "std"))
    if dtype != np.uint8 and (mean is None or std is None):
        assumed.append("RGB values normalised by ImageNet's mean and deviation")
    return OnnxModel(
        path,
        picture.name,
        first,
        dtype,
        mean or IMAGENET_MEAN,
        std or IMAGENET_STD,
        (size[0], size[1]) if size is not None else None,
        switches[0].name if switches else "",
    )


def _with_output(
    model: OnnxModel, session: Any, said: Mapping[str, Any], assumed: list[str]
) -> OnnxModel:
    path = model.path
    pixels = np.random.default_rng(0).integers(0, 256, (*(model.size or _TRIAL), 3), np.uint8)
    try:
        outs = session.run(None, model.feed(pixels, True))
    except Exception as error:
        raise CheckpointError(
            f"{path} does not run at {pixels.shape[0]}×{pixels.shape[1]} ({reason_of(error)}): name"
            ' the "input_size" that it takes in its metadata.'
        ) from error
    names = _classes(path, {"classes": said.get("classes", ())}).names
    for about, out in zip(session.get_outputs(), outs, strict=True):
        kind = _kind(out, len(names) if names else None)
        if kind is None:
            continue
        if len(outs) > 1:
            assumed.append(f"the output {about.name} of {len(outs)}")
        found = replace(model, output=about.name, gives_logits=kind != "labels")
        if kind == "labels":
            names = names or CLASS_NAMES
            if "classes" not in said:
                assumed.append("labels are train ids of Cityscapes")
        else:
            last = kind == "last"
            count = out.shape[3 if last else 1]
            if names and len(names) != count:
                raise CheckpointError(f"{path} names {len(names)} classes for {count} outputs.")
            if not names:
                names = CLASS_NAMES if count == len(CLASS_NAMES) else tuple(map(str, range(count)))
                assumed.append(
                    "the 19 classes of Cityscapes"
                    if names == CLASS_NAMES
                    else f"{count} classes without names"
                )
            numbers = np.moveaxis(out, 3, 1) if last else out
            sums = numbers.astype(np.float64).sum(axis=1)
            shares = bool(numbers.min() >= 0 and np.allclose(sums, 1, atol=1e-2))
            found = replace(found, channels_last=last, probabilities=shares)
        return replace(found, classes=_classes(path, {**said, "classes": names}))
    gives = ", ".join(f"{out.dtype} {list(out.shape)}" for out in outs[:4])
    raise CheckpointError(
        f"{path} gives {gives}: a network for segmentation gives N×classes×h×w numbers, of 2 to"
        f" {MOST_CLASSES} classes, or N×h×w labels."
    )


def _kind(out: Any, count: int | None) -> str | None:
    """Return how an output is read: ``first`` or ``last`` by its channels, ``labels``, or not."""
    if not isinstance(out, np.ndarray) or out.shape[:1] != (1,) or not out.size:
        return None
    if np.issubdtype(out.dtype, np.integer):
        return "labels" if out.ndim == 3 or (out.ndim == 4 and out.shape[1] == 1) else None
    if out.ndim != 4 or not np.issubdtype(out.dtype, np.floating):
        return None
    first, last = out.shape[1], out.shape[3]
    if first != count and (last == count or last < min(first, out.shape[2], 64)):
        return "last" if 2 <= last <= MOST_CLASSES else None
    return "first" if 2 <= first <= MOST_CLASSES else None


def _classes(path: Path, said: Mapping[str, Any]) -> ClassSet:
    try:
        return class_set(said)
    except ValueError as error:
        raise CheckpointError(
            f"What is said about the classes of {path} cannot be used: its {error}."
        ) from error


def _numbers(path: Path, said: Mapping[str, Any], name: str) -> tuple[float, ...] | None:
    values = said.get(name)
    if values is None:
        return None
    try:
        found = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        found = ()
    if len(found) != 3 or not np.isfinite(found).all() or (name == "std" and min(found) <= 0):
        raise CheckpointError(f'The "{name}" of {path} is not three numbers for red, green, blue.')
    return found


def _is_size(size: Any) -> bool:
    return (
        isinstance(size, list | tuple)
        and len(size) == 2
        and all(isinstance(side, int) and 0 < side <= MAX_SIDE for side in size)
    )


def reason_of(error: Exception) -> str:
    """Return what a library says, in a line without the places of its source."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rpartition(" : ")[2][:160]

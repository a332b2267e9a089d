"""Unwrapping: the network's tensors and the classes' names in what a training saved around them.

Loops save a network inside dictionaries of their own, under names of their own, and wrappers
(compiled, on several GPUs, averaged, a member of a larger module) put a prefix before every name.
None of that says anything about the network.

What is read here comes from strangers: nothing is copied, and the ways through it are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from torch import Tensor

from fastscnn.labels import tidy_name

_INSIDE = re.compile(
    r"(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
)
"""Parts that PyTorch's wrappers put into names, anywhere."""
_USUAL = ("state_dict", "model_state_dict", "model")
"""Names under which trainings save the network itself, not a copy such as an average."""
_CLASSES = re.compile(r"class_?names|classes|id2label|names", re.IGNORECASE)
_DEEPEST = 8
_MOST_PREFIXES = 5


@dataclass(frozen=True, slots=True)
class StateDict:
    """Tensors of a network, found by one whose name is known.

    Attributes:
        tensors: by names without what wrappers put before them.
        marker: the known name.
        place: the keys on the way to it and the prefix, for people.
    """

    tensors: dict[str, Tensor]
    marker: str
    place: str


def state_dicts(values: object, markers: Sequence[str]) -> list[StateDict]:
    """Return the networks in what a file holds, at any depth and under any prefix.

    Where there are several and some are saved under a usual name, the others are copies of these.

    Args:
        values: what the file holds.
        markers: names of which a network has one.
    """
    found: list[tuple[tuple[str, ...], StateDict]] = []
    for path, inside in placed(values):
        tensors = {
            _INSIDE.sub("", name): value
            for name, value in inside.items()
            if isinstance(name, str) and isinstance(value, Tensor)
        }
        for marker, prefix in islice(_prefixes(tensors, markers), _MOST_PREFIXES):
            inner = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
            place = tidy_name(".".join((*path, prefix.rstrip("."))).strip("."))
            found.append((path, StateDict(inner, marker, place)))
    for name in _USUAL:
        usual = [state for path, state in found if path == (name,)]
        if usual:
            return usual
    return [state for _, state in found]


def class_names(values: object, count: int) -> tuple[str, ...] | None:
    """Return the names that a file states for so many classes, ``None`` where it states none."""
    for _, inside in placed(values):
        for key, named in inside.items():
            if not (isinstance(key, str) and _CLASSES.fullmatch(key)):
                continue
            if isinstance(named, Mapping):  # number → name
                named = [named.get(i, named.get(str(i))) for i in range(count)]
            if (
                isinstance(named, list | tuple)
                and len(named) == count
                and all(isinstance(name, str) and name.strip() for name in named)
            ):
                return tuple(map(tidy_name, named))
    return None


def placed(values: object) -> Iterator[tuple[tuple[str, ...], Mapping[Any, Any]]]:
    """Return all dictionaries in nested ones, the outer first, each once, with the way to it."""
    waiting: list[tuple[tuple[str, ...], object]] = [((), values)]
    seen: set[int] = set()  # a dictionary may hold itself
    for path, each in waiting:
        if not isinstance(each, Mapping) or id(each) in seen:
            continue
        seen.add(id(each))
        yield path, each
        if len(path) < _DEEPEST:
            waiting += [
                ((*path, key), value)
                for key, value in each.items()
                if isinstance(key, str) and isinstance(value, Mapping)
            ]


def _prefixes(names: Iterable[str], markers: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        for marker in markers:
            if name.endswith(marker):
                yield marker, name.removesuffix(marker)

"""Remote control: what a browser may ask of the run, checked, and done on the user's thread."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from app.core.events import failure_of
from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import JUDGING, VIEWS, View, ViewOptions
from fastscnn.labels import ClassTable, class_table

INPUT_SIZES = ("quarter", "half", "full", "exact")


@dataclass(frozen=True, slots=True)
class Watched:
    """A pipeline that the server shows.

    Attributes:
        pipeline: one source.
        record: starts its recording, or finishes the one in progress.
    """

    pipeline: Pipeline
    record: Callable[[], None]


class RemoteControl:
    """Commands on their way from the server's thread to the user's, which runs the pipelines.

    Args:
        watched: the sources, by their numbers.
    """

    _MOST = 64
    """Commands that may wait: who sends more than the run can take is told so."""

    def __init__(self, watched: Mapping[int, Watched]) -> None:
        self._watched = watched
        self._asked: queue.Queue[Callable[[], None]] = queue.Queue(self._MOST)

    def ask(self, body: bytes) -> None:
        """Take commands: a JSON object such as ``{"source": 0, "skip": false, "alpha": 0.7}``.

        Raises:
            ValueError: it is none, or asks for what is not possible; nothing is done then.
            queue.Full: too much is asked at once.
        """
        try:
            said = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ValueError("The body must be a JSON object.") from error
        if not isinstance(said, dict):
            raise ValueError("The body must be a JSON object.")
        chosen = self._chosen(said.pop("source", "all"))
        checked = [(name, _checked(name, value)) for name, value in said.items()]
        for watched in chosen:
            _classes(watched).numbers_of(said.get("hidden", ()))
            spec = watched.pipeline.session.opened_spec
            if said.get("view") in JUDGING and not watched.pipeline.truth.offered(spec):
                raise ValueError("truth and errors are told by the true labels: add --labels DIR.")
        self._asked.put_nowait(lambda: self._carry_out(chosen, checked))

    def run(self) -> None:
        """Carry out what was asked for; on the user's thread."""
        while not self._asked.empty():
            self._asked.get()()

    def _chosen(self, source: object) -> list[Watched]:
        if source == "all":
            return list(self._watched.values())
        chosen = self._watched.get(source) if type(source) is int else None
        if chosen is None:
            numbers = ", ".join(map(str, list(self._watched)))
            raise ValueError(f'"source" must be "all", or one of {numbers}.')
        return [chosen]

    def _carry_out(self, chosen: Sequence[Watched], checked: list[tuple[str, Any]]) -> None:
        for watched in chosen:
            for name, value in checked:
                try:
                    _COMMANDS[name](watched, value)
                except Exception as error:  # a click on a page must not end the run
                    watched.pipeline.events.notice(failure_of(error).text)


def _checked(name: str, value: Any) -> Any:
    """Return a value that a command can take.

    Raises:
        ValueError: it is none.
    """
    if name not in _COMMANDS:
        raise ValueError(f"There is no control {name[:40]!r}: use {', '.join(_COMMANDS)}.")
    if name in {"skip", "playing", "recording"} and not isinstance(value, bool):
        raise ValueError(f'"{name}" must be true or false.')
    if name == "view" and value not in VIEWS:
        raise ValueError(f'"view" must be one of {", ".join(get_args(View))}.')
    if name == "input_size" and value not in INPUT_SIZES:
        raise ValueError(f'"input_size" must be one of {", ".join(INPUT_SIZES)}.')
    if name == "alpha" and not (type(value) in {int, float} and 0 <= value <= 1):
        raise ValueError('"alpha" must be a number from 0 to 1.')
    texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if name == "hidden" and not texts:
        raise ValueError('"hidden" must be a list of names of classes.')
    return value


def _set_view(watched: Watched, **changes: Any) -> None:
    watched.pipeline.view = replace(watched.pipeline.view, **changes)


def _set_skip(watched: Watched, on: bool) -> None:
    watched.pipeline.live.skip = on


def _classes(watched: Watched) -> ClassTable:
    network = watched.pipeline.networks.info()
    return class_table(network.classes if network is not None else ViewOptions().numbering)


def _hide(watched: Watched, names: list[str]) -> None:
    classes = _classes(watched)
    view = watched.pipeline.view.numbered_as(classes.names)
    watched.pipeline.view = replace(view, hidden=classes.numbers_of(names))


def _set_input_size(watched: Watched, size: str) -> None:
    networks = watched.pipeline.networks
    networks.use_options(replace(networks.options, input_size=size))


def _play(watched: Watched, on: bool) -> None:
    if on:
        watched.pipeline.play()
    else:
        watched.pipeline.session.pause()


def _record(watched: Watched, on: bool) -> None:
    if on != (watched.pipeline.recordings.current is not None):
        watched.record()


_COMMANDS: dict[str, Callable[[Watched, Any], None]] = {
    "skip": _set_skip,
    "view": lambda watched, view: _set_view(watched, view=view),
    "alpha": lambda watched, alpha: _set_view(watched, alpha=float(alpha)),
    "hidden": _hide,
    "input_size": _set_input_size,
    "playing": _play,
    "recording": _record,
}

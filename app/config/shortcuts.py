"""The window's commands and their keys: one table for shortcuts, menus, help and documents.

A file can give commands other keys. It is JSON, from names of commands to keys::

    {"record": "F9", "skip": ["S", "X"], "quit": []}
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.config.persistence import config_folder
from app.errors import UsageError

Keys = Mapping[str, tuple[str, ...]]
"""The keys of each command, by its name."""

_MOST_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can tell the window by a key.

    Attributes:
        name: what a file of keys calls it.
        keys: its usual keys.
        group: the heading it stands under.
        text: what it does.
        repeats: whether holding the key down goes on.
    """

    name: str
    keys: tuple[str, ...]
    group: str
    text: str
    repeats: bool = False


COMMANDS: tuple[Command, ...] = (
    Command("play", ("Space",), "Play", "play/pause"),
    Command("back", ("Left",), "Play", "back by 5 seconds", repeats=True),
    Command("forward", ("Right",), "Play", "forward by 5 seconds", repeats=True),
    Command("back-far", ("Shift+Left",), "Play", "back by 30 seconds", repeats=True),
    Command("forward-far", ("Shift+Right",), "Play", "forward by 30 seconds", repeats=True),
    Command("step-back", (",",), "Play", "previous frame", repeats=True),
    Command("step", (".",), "Play", "next frame", repeats=True),
    Command("start", ("Home",), "Play", "go to the start"),
    Command("end", ("End",), "Play", "go to the end"),
    Command("bookmark", ("M",), "Play", "set a bookmark, or take it away"),
    Command("next-bookmark", ("Shift+M",), "Play", "go to the next bookmark"),
    Command("next-found", ("F3",), "Play", "go to where the class looked for begins next"),
    Command("next-unsure", ("Shift+F3",), "Play", "go to the next moment that is least sure"),
    Command("loop-in", ("[",), "Play", "loop start"),
    Command("loop-out", ("]",), "Play", "loop end"),
    Command("loop", ("L",), "Play", "loop"),
    Command("slower", ("Down",), "Play", "slower"),
    Command("faster", ("Up",), "Play", "faster"),
    Command("normal-speed", ("Backspace",), "Play", "normal speed"),
    Command("next", ("N", "PgDown"), "Play", "next in the playlist"),
    Command("previous", ("P", "PgUp"), "Play", "previous in the playlist"),
    Command("skip", ("S",), "Picture", "skip connection"),
    Command("steady", ("H",), "Picture", "steady labels"),
    Command("view", ("V",), "Picture", "next view"),
    Command("confidence", ("C",), "Picture", "confidence"),
    Command("wipe", ("W",), "Picture", "wipe: skip on | skip off"),
    Command("contours", ("B",), "Picture", "contours of the classes"),
    Command("class-names", ("T",), "Picture", "names of the classes in the picture"),
    Command("labels", ("Ctrl+L",), "Picture", "true labels of this source…"),
    Command("leave-out", ("O",), "Picture", "leave a part out…"),
    Command("leave-nothing-out", ("Shift+O",), "Picture", "leave nothing out"),
    Command("draw-zone", ("Shift+A",), "Picture", "draw a zone…"),
    Command("alerts", ("A",), "Picture", "zones and alerts…"),
    Command("divider-left", ("Ctrl+Left",), "Picture", "divider to the left", repeats=True),
    Command("divider-right", ("Ctrl+Right",), "Picture", "divider to the right", repeats=True),
    Command("opacity-less", ("Ctrl+Down",), "Picture", "less opacity", repeats=True),
    Command("opacity-more", ("Ctrl+Up",), "Picture", "more opacity", repeats=True),
    Command("fit", ("0",), "Picture", "fit the picture"),
    Command("actual-size", ("Z",), "Picture", "zoom 100 %"),
    Command("zoom-in", ("+", "="), "Picture", "zoom in", repeats=True),
    Command("zoom-out", ("-",), "Picture", "zoom out", repeats=True),
    Command("quarter", ("1",), "Network", "input size quarter (short side 256)"),
    Command("half", ("2",), "Network", "input size half (512)"),
    Command("full", ("3",), "Network", "input size full (1024)"),
    Command("exact", ("4",), "Network", "input size exact (the picture's own)"),
    Command(
        "auto", ("5",), "Network", "input size by the machine (the largest that holds the rate)"
    ),
    Command("record", ("R",), "Save", "start or stop recording"),
    Command("snapshot", ("Ctrl+S",), "Save", "save image"),
    Command("snapshot-all", ("Ctrl+Shift+S",), "Save", "save image, labels and overlay"),
    Command("recordings", ("Ctrl+R",), "Save", "open the recordings folder"),
    Command("run-settings", ("Ctrl+Shift+R",), "Save", "save run settings…"),
    Command("open", ("Ctrl+O",), "Open", "open files…"),
    Command("open-folder", ("Ctrl+Shift+O",), "Open", "open folder…"),
    Command("open-address", ("Ctrl+U",), "Open", "open URL…"),
    Command("open-beside", ("Ctrl+B",), "Open", "add files beside…"),
    Command("remove", ("Ctrl+Shift+B",), "Open", "remove from beside the others"),
    Command("close", ("Ctrl+W",), "Open", "close"),
    Command("full-screen", ("F",), "Window", "full screen"),
    Command("leave", ("Esc",), "Window", "leave full screen, a panel or a message"),
    Command("performance", ("I",), "Window", "performance panel"),
    Command("log", ("E",), "Window", "event log"),
    Command("curves", ("G",), "Window", "curves of classes and confidence"),
    Command("keys", ("F1",), "Window", "keyboard shortcuts"),
    Command("quit", ("Ctrl+Q",), "Window", "quit"),
)

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(command.group for command in COMMANDS))

USUAL: Keys = {command.name: command.keys for command in COMMANDS}

_MODIFIERS = ("Ctrl", "Alt", "Shift", "Meta")
_NAMED = {
    name.lower(): name
    for name in (
        *("Space", "Tab", "Return", "Enter", "Esc", "Backspace", "Ins", "Del", "Home", "End"),
        *("PgUp", "PgDown", "Left", "Right", "Up", "Down", "Pause", "Print", "Menu", "Help"),
        *(f"F{number}" for number in range(1, 36)),
    )
}


def load_keys(path: Path | None) -> Keys:
    """The keys of all commands.

    Args:
        path: a file that gives some of them other keys; ``None`` is ``keys.json`` in the folder of
            settings where there is one.

    Raises:
        UsageError: the file cannot be read, or says what cannot be.
    """
    if path is None:
        path = config_folder() / "keys.json"
        if not path.exists():
            return USUAL
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        text = f"The keys in {path} cannot be read ({error.strerror}): check the path."
        raise UsageError(text) from error
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{path} is too large for a file of keys: name another one.")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f'{path} is not JSON ({error}): write it as {{"record": "F9", "skip": ["S", "X"]}}.'
        ) from error
    if not isinstance(said, dict):
        raise UsageError(f'{path} must hold one object, such as {{"record": "F9"}}.')
    try:
        return with_others(said)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error


def with_others(said: Mapping[str, object]) -> Keys:
    """The usual keys with others for some commands; a key that is given away is taken from who had
    it by custom.

    Raises:
        ValueError: an unknown command or key, or one key for two commands.
    """
    given: dict[str, tuple[str, ...]] = {}
    for name, value in said.items():
        if name not in USUAL:
            near = difflib.get_close_matches(name, USUAL, 1)
            hint = f"do you mean {near[0]}?" if near else f"there are {', '.join(USUAL)}."
            raise ValueError(f"there is no command {name!r}: {hint}")
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"the keys of {name} must be a text or a list of texts.")
        given[name] = tuple(parse_key(text) for text in texts)
    owners: dict[str, str] = {}
    for name, keys in given.items():
        for key in keys:
            if owners.setdefault(key, name) != name:
                raise ValueError(f"{key} is given to both {owners[key]} and {name}.")
    rest = {n: tuple(k for k in keys if k not in owners) for n, keys in USUAL.items()}
    return {**rest, **given}


def parse_key(text: str) -> str:
    """A key as the table writes it: ``ctrl+shift+s`` becomes ``Ctrl+Shift+S``.

    Raises:
        ValueError: it is no key.
    """
    wrong = ValueError(f"{text!r} is no key: write it as S, F9, Space, Ctrl+Shift+S or Shift+Left.")
    match = re.fullmatch(r"((?:\w+\s*\+\s*)*)(\S+)", text.strip())
    if match is None:
        raise wrong
    words = [word.strip().capitalize() for word in match[1].split("+") if word.strip()]
    if len(set(words)) != len(words) or not set(words) <= set(_MODIFIERS):
        raise wrong
    key = match[2]
    if len(key) == 1 and key.isprintable():
        key = key.upper()
    elif key.lower() in _NAMED:
        key = _NAMED[key.lower()]
    else:
        raise wrong
    return "+".join([*(word for word in _MODIFIERS if word in words), key])

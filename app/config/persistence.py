"""Settings saved between runs, one file per profile."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from dataclasses import Field, replace
from pathlib import Path
from typing import Any, Protocol, get_args

from platformdirs import user_config_path

from app.config.arguments import OutputArguments
from app.config.encoder_rules import encoder_choice
from app.config.settings import EncoderChoice, NetworkOptions, RecordingOptions, Settings
from app.config.value_parsers import check_pattern
from app.errors import UsageError
from app.rendering.palettes import parse_palette
from app.rendering.view_options import JUDGING, Measure, View, ViewOptions, parse_side
from fastscnn.labels import CLASS_NAMES, NUM_CLASSES
from fastscnn.option_fields import Option, options_of, value_of
from fastscnn.paths import expand_user

_KINDS: dict[str, type] = {"network": NetworkOptions, "recording": RecordingOptions}
"""Groups of the settings whose options are kept."""
_ENCODER = frozenset({"codec", "encoder", "crf", "bitrate", "preset"})
_SIDES = {"view", "left", "right", "split", "weights_b"}
_ARGUMENTS = {
    "view": _SIDES,
    "left": _SIDES,
    "right": _SIDES,
    "measure": {"confidence"},
    "alpha": {"alpha"},
    "contours": {"contours"},
    "class_names": {"class_names"},
    "steady": {"steady"},
    "palette": {"palette"},
    "hidden": {"hide", "only"},
    "blurred": {"blur"},
}
"""The arguments of the command line that say what a field of the view is."""


def config_folder() -> Path:
    """Return the folder of profiles and keys; ``FASTSCNN_CONFIG`` names another."""
    named = os.environ.get("FASTSCNN_CONFIG")
    return expand_user(named) if named else user_config_path("fastscnn-live", appauthor=False)


def profile_path(profile: str | None) -> Path:
    """The file of a profile, ``None`` being the usual one.

    Raises:
        UsageError: the name cannot be one of a file.
    """
    if profile is None:
        return config_folder() / "settings.ini"
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,39}", profile):
        raise UsageError(
            f"{profile!r} cannot be a profile: use letters, digits, dots and dashes, 40 at most."
        )
    return config_folder() / f"profile-{profile}.ini"


class Store(Protocol):
    """Texts by key, in a file or in memory; a key that is not there holds the empty text."""

    def get(self, key: str) -> str: ...
    def set(self, key: str, text: str) -> None: ...


class SavedSettings:
    """Options that a profile keeps; what it holds that makes no sense is as good as not there.

    An option is kept where its field says ``saved``, under ``group/name``; the view is one text.
    What the command line says wins over what was kept.

    Args:
        store: the profile.
    """

    def __init__(self, store: Store) -> None:
        self._profile = store

    def apply(self, settings: Settings) -> Settings:
        """Return settings with what was kept in place of what the command line leaves open."""
        given, found = settings.given, self._view()
        fields = {name: found[name] for name in found if not given & _ARGUMENTS[name]}
        kept: dict[str, dict[str, Any]] = {
            group: self._values(kind, given) for group, kind in _KINDS.items()
        }
        encoder = None if given & _ENCODER else self._encoder()
        if encoder is not None:
            kept["recording"]["encoder"] = encoder
        return replace(
            settings,
            view=replace(settings.view, **fields),
            network=replace(settings.network, **kept["network"]),
            recording=replace(settings.recording, **kept["recording"]),
        )

    def _values(self, kind: type, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Return what was kept of the options of one kind, as far as it makes sense."""
        values: dict[str, Any] = {}
        for each, about in options_of(kind):
            text = self._profile.get(_key(each, about)) if each.name not in without else ""
            with contextlib.suppress(ValueError, UsageError):
                if text and about.saved and _is_usable(each.name, text):
                    values[each.name] = value_of(each, about, text)
        return values

    def _encoder(self) -> EncoderChoice | None:
        """Return the encoder that was kept; its options only make sense together."""
        try:
            return encoder_choice(OutputArguments(**self._values(OutputArguments)))
        except UsageError:
            return None

    def keep(self, now: Settings, before: Settings) -> None:
        """Keep what was changed since the start.

        What was only named on a command line so leaves what was kept as it is.
        """
        self.keep_view(now.view, before.view)
        for group, kind in _KINDS.items():
            self._keep(kind, getattr(now, group), getattr(before, group))
        self._keep(OutputArguments, now.recording.encoder, before.recording.encoder)

    def _keep(self, kind: type, now: object, before: object) -> None:
        """Keep the options of one kind that were changed."""
        for each, about in options_of(kind):
            if about.saved and getattr(now, each.name) != getattr(before, each.name):
                value = getattr(now, each.name)
                kept = value is not None and about.may_save(value)
                self._profile.set(_key(each, about), about.format(value) if kept else "")

    def keep_view(self, now: ViewOptions, before: ViewOptions) -> None:
        """Keep how frames are drawn, as far as it was changed since ``before``."""
        was, said = _plain(before), _plain(now)
        if now.numbering != CLASS_NAMES:  # what is hidden of other classes is not kept
            said["hidden"] = was["hidden"]
        changed = {name: value for name, value in said.items() if value != was[name]}
        if changed:
            kept = self._view()
            plain = _plain(replace(ViewOptions(), **kept))
            before_that = {name: plain[name] for name in kept}
            self._profile.set("picture/view", json.dumps({**before_that, **changed}))

    def _view(self) -> dict[str, Any]:
        try:
            said = json.loads(self._profile.get("picture/view") or "{}")
        except (ValueError, RecursionError):
            return {}
        if not isinstance(said, dict):
            return {}
        found: dict[str, Any] = {}
        if said.get("view") in set(get_args(View)) - JUDGING:  # of another source, perhaps
            found["view"] = said["view"]
        alpha = said.get("alpha")
        if isinstance(alpha, int | float) and math.isfinite(alpha) and 0 <= alpha <= 1:
            found["alpha"] = float(alpha)
        for name in ("contours", "class_names", "steady"):
            if type(said.get(name)) is bool:
                found[name] = said[name]
        with contextlib.suppress(ValueError):
            if isinstance(said.get("palette"), str):
                found["palette"] = parse_palette(said["palette"])
        if said.get("measure") in get_args(Measure):
            found["measure"] = said["measure"]
        with contextlib.suppress(ValueError):
            sides = {
                name: parse_side(str(said[name])) for name in ("left", "right") if name in said
            }
            # The second checkpoint is not kept, nor what a source is judged by.
            if all(s.weights == "a" and s.content not in JUDGING for s in sides.values()):
                found |= sides
        blurred = said.get("blurred")
        if isinstance(blurred, list) and all(isinstance(name, str) for name in blurred):
            found["blurred"] = tuple(blurred)
        hidden = said.get("hidden")
        if isinstance(hidden, list) and all(type(i) is int for i in hidden):
            found["hidden"] = frozenset(i for i in hidden if 0 <= i < NUM_CLASSES)
        return found


def _key(each: Field[Any], about: Option) -> str:
    return f"{about.group}/{each.name}"


def _is_usable(name: str, text: str) -> bool:
    """Return whether weights or a folder that were kept are still to be had."""
    if name == "record_dir":
        return Path(text).is_dir()
    if name == "record_name":
        return bool(check_pattern(text))
    return name != "weights" or Path(text).is_file() or _is_name(text)


def _plain(view: ViewOptions) -> dict[str, Any]:
    """Return the saved part of a view, as JSON takes it."""
    return {
        "view": view.view,
        "left": view.left.words,
        "right": view.right.words,
        "measure": view.measure,
        "alpha": view.alpha,
        "contours": view.contours,
        "class_names": view.class_names,
        "steady": view.steady,
        "palette": view.palette,
        "hidden": sorted(view.hidden),
        "blurred": list(view.blurred),
    }


def _is_name(weights: str) -> bool:
    from fastscnn.checkpoints.zoo_catalog import ENTRIES

    return "://" in weights or any(entry.name == weights for entry in ENTRIES)


def bookmarks_path(clip: Path) -> Path:
    """Return the file of a clip's bookmarks."""
    return clip.with_name(f"{clip.name}.bookmarks.json")

"""What the window keeps from one run to the next, by profile."""

from __future__ import annotations

import contextlib
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from PyQt6.QtCore import QByteArray, QSettings

from app.config.settings import Settings
from app.config.shortcuts import config_folder
from app.errors import UsageError
from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import Measure, View, ViewOptions, parse_side
from app.sources.source_spec import SourceSpec, parse_source
from fastscnn.inference.input_size import parse_input_size
from fastscnn.labels import NUM_CLASSES

_RECENT = 10

_SIDES = {"view", "left", "right", "split", "weights_b"}
_ARGUMENTS = {
    "view": _SIDES,
    "left": _SIDES,
    "right": _SIDES,
    "measure": {"confidence"},
    "alpha": {"alpha"},
    "contours": {"contours"},
    "hidden": {"hide", "only"},
}
"""The arguments of the command line that say what a field of the view is."""


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


class SavedSettings:
    """Settings in a file. Whatever it holds that makes no sense is as good as not there.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._store = QSettings(str(path), QSettings.Format.IniFormat)

    def forget(self) -> None:
        """Begin anew."""
        self._store.clear()
        self.sync()

    def sync(self) -> None:
        """Write it down now."""
        self._store.sync()

    def apply(self, settings: Settings) -> Settings:
        """Settings with what was kept in place of what the command line leaves open."""
        given, view = settings.given, settings.view
        found = self._view()
        fields = {name: found[name] for name in found if not given & _ARGUMENTS[name]}
        changes: dict[str, Any] = {"view": replace(view, **fields)}
        size = self._text("network/input_size")
        if size and "input_size" not in given:
            with contextlib.suppress(ValueError):
                changes["input_size"] = parse_input_size(size)
        weights = self._text("network/weights")
        if weights and "weights" not in given and (Path(weights).is_file() or _is_name(weights)):
            changes["weights"] = weights
        return replace(settings, **changes)

    def keep_choices(self, pipeline: Pipeline, before: Settings) -> None:
        """Keep view, weights and input size as far as they were changed since the start.

        What was only named on a command line so leaves what was kept as it is.
        """
        status = pipeline.status()
        self.keep_view(status.view, before.view)
        if status.network is not None:
            size = status.network.options.input_size
            if pipeline.networks.weights != before.weights:
                self.keep_weights(pipeline.networks.weights)
            if size != before.input_size:
                self.keep_input_size(size)

    # One thing each

    def keep_view(self, now: ViewOptions, before: ViewOptions) -> None:
        """Keep how pictures are drawn, as far as it was changed since ``before``."""
        was, said = _plain(before), _plain(now)
        changed = {name: value for name, value in said.items() if value != was[name]}
        if changed:
            kept = self._view()
            plain = _plain(replace(ViewOptions(), **kept))
            before_that = {name: plain[name] for name in kept}
            self._store.setValue("picture/view", json.dumps({**before_that, **changed}))

    def keep_weights(self, weights: str | Path | None) -> None:
        """Keep which weights are used; an address that may hold a secret is not kept."""
        text = str(weights) if weights is not None else ""
        self._store.setValue("network/weights", text if is_public(text) else "")

    def keep_input_size(self, size: str | tuple[int, int]) -> None:
        """Keep what the network sees."""
        text = size if isinstance(size, str) else f"{size[0]}x{size[1]}"
        self._store.setValue("network/input_size", text)

    @property
    def geometry(self) -> QByteArray:
        """Where the window was, as ``QWidget.saveGeometry`` gives it; may be empty."""
        value = self._store.value("window/geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._store.setValue("window/geometry", value)

    @property
    def theme(self) -> str:
        """The theme that the user chose."""
        return self._text("window/theme")

    @theme.setter
    def theme(self, value: str) -> None:
        self._store.setValue("window/theme", value)

    @property
    def page(self) -> str:
        """The panel that was open at the bottom, or nothing."""
        return self._text("window/panel")

    @page.setter
    def page(self, value: str) -> None:
        self._store.setValue("window/panel", value)

    @property
    def folder(self) -> str:
        """Where a file was opened last."""
        return self._text("open/folder")

    @folder.setter
    def folder(self, value: str) -> None:
        self._store.setValue("open/folder", value)

    @property
    def by_share(self) -> bool:
        """Whether the classes are sorted by their share of the picture."""
        return self._text("window/classes") == "by share"

    @by_share.setter
    def by_share(self, value: bool) -> None:
        self._store.setValue("window/classes", "by share" if value else "in groups")

    @property
    def greeted(self) -> bool:
        """Whether the user has been told of the keys."""
        return self._text("window/greeted") == "yes"

    @greeted.setter
    def greeted(self, value: bool) -> None:
        self._store.setValue("window/greeted", "yes" if value else "no")

    @property
    def recent(self) -> list[SourceSpec]:
        """What was opened, newest first."""
        try:
            texts = json.loads(self._text("open/recent") or "[]")
            return [parse_source(text) for text in texts if isinstance(text, str)][:_RECENT]
        except Exception:  # whatever a damaged file holds
            return []

    def keep_recent(self, spec: SourceSpec) -> None:
        """Put a file or an address at the head of what was opened."""
        text = spec.value
        if spec.kind in {"camera", "demo"} or not is_public(text):
            return
        if spec.kind in {"file", "images"}:
            text = str(Path(text).expanduser().resolve())
        others = [each.value for each in self.recent if each.value != text]
        self._store.setValue("open/recent", json.dumps([text, *others][:_RECENT]))

    def forget_recent(self) -> None:
        """Empty the list of what was opened."""
        self._store.remove("open/recent")

    def _text(self, name: str) -> str:
        value = self._store.value(name, "")
        return value if isinstance(value, str) else ""

    def _view(self) -> dict[str, Any]:
        try:
            said = json.loads(self._text("picture/view") or "{}")
        except (ValueError, RecursionError):
            return {}
        if not isinstance(said, dict):
            return {}
        found: dict[str, Any] = {}
        if said.get("view") in get_args(View):
            found["view"] = said["view"]
        alpha = said.get("alpha")
        if isinstance(alpha, int | float) and math.isfinite(alpha) and 0 <= alpha <= 1:
            found["alpha"] = float(alpha)
        if type(said.get("contours")) is bool:
            found["contours"] = said["contours"]
        if said.get("measure") in get_args(Measure):
            found["measure"] = said["measure"]
        with contextlib.suppress(ValueError):
            sides = {
                name: parse_side(str(said[name])) for name in ("left", "right") if name in said
            }
            # The second checkpoint is not kept.
            if all(side.weights == "a" for side in sides.values()):
                found |= sides
        hidden = said.get("hidden")
        if isinstance(hidden, list) and all(type(i) is int for i in hidden):
            found["hidden"] = frozenset(i for i in hidden if 0 <= i < NUM_CLASSES)
        return found


def _plain(view: ViewOptions) -> dict[str, Any]:
    """What is kept of a view, as JSON takes it."""
    return {
        "view": view.view,
        "left": view.left.words,
        "right": view.right.words,
        "measure": view.measure,
        "alpha": view.alpha,
        "contours": view.contours,
        "hidden": sorted(view.hidden),
    }


def is_public(address: str) -> bool:
    """Whether an address holds nothing that could be a secret: no user, no password, no query."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return "://" not in address or not (parts.username or parts.password or parts.query)


def _is_name(weights: str) -> bool:
    from fastscnn.checkpoints.zoo_catalog import ENTRIES

    return "://" in weights or any(entry.name == weights for entry in ENTRIES)

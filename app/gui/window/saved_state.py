"""State of the window saved between runs, with the settings of its profile: one INI file."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from PyQt6.QtCore import QByteArray, QLockFile, QSettings

from app.config.alert_rules import format_rule, format_zone, parse_rule, parse_zone
from app.config.persistence import SavedSettings
from app.config.settings import Settings
from app.config.value_parsers import is_public
from app.core.watch import MOST_WATCHED, Watch
from app.sources.source_spec import SourceSpec, parse_source
from fastscnn.ignored_regions import Polygon, format_polygon, parse_polygon

_RECENT = 10
_MOST_REGIONS = 50
_PATIENCE = 500
"""Milliseconds to wait for another window that writes; it takes a few."""


class SavedState(SavedSettings):
    """Profile of a window. Whatever its file holds that makes no sense is as good as not there.

    Other windows may use it at the same time: what is written is what changed in this one.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._store = QSettings(str(path), QSettings.Format.IniFormat)
        self._lock = QLockFile(f"{path}.lists")
        super().__init__(_IniStore(self._store))
        self._began = {name: self._text(name) for name in ("window/panel", "window/classes")}

    def forget(self) -> None:
        """Begin anew."""
        self._store.clear()
        self.sync()

    def sync(self) -> None:
        """Write it down now, and read what others wrote."""
        self._store.sync()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others from changing lists between reading and writing them."""
        locked = self._lock.tryLock(_PATIENCE)  # without it the worst is an entry that is lost
        self.sync()
        try:
            yield
        finally:
            self.sync()
            if locked:
                self._lock.unlock()

    def keep(self, now: Settings, before: Settings) -> None:
        with self._alone():
            super().keep(now, before)

    @property
    def geometry(self) -> QByteArray:
        """Geometry of the window, as ``QWidget.saveGeometry`` gives it; may be empty."""
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
        self._set_if_changed("window/panel", value)

    @property
    def folder(self) -> str:
        """Folder that a file was opened in last."""
        return self._text("open/folder")

    @folder.setter
    def folder(self, value: str) -> None:
        self._profile.set("open/folder", value)

    @property
    def labels_folder(self) -> str:
        """Folder whose true labels were chosen last."""
        return self._text("open/labels")

    @labels_folder.setter
    def labels_folder(self, value: str) -> None:
        self._profile.set("open/labels", value)

    @property
    def by_share(self) -> bool:
        """Return whether the classes are sorted by their share of the picture."""
        return self._text("window/classes") == "by share"

    @by_share.setter
    def by_share(self, value: bool) -> None:
        self._set_if_changed("window/classes", "by share" if value else "in groups")

    @property
    def greeted(self) -> bool:
        """Return whether the user has been told of the keys."""
        return self._text("window/greeted") == "yes"

    @greeted.setter
    def greeted(self, value: bool) -> None:
        self._store.setValue("window/greeted", "yes" if value else "no")

    @property
    def recent(self) -> list[SourceSpec]:
        """Sources that were opened, in other windows too, newest first."""
        self.sync()
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
            text = str(Path(text).resolve())
        with self._alone():
            others = [each.value for each in self.recent if each.value != text]
            self._store.setValue("open/recent", json.dumps([text, *others][:_RECENT]))

    def regions_of(self, spec: SourceSpec) -> tuple[Polygon, ...]:
        """Return the regions that are ignored in a source."""
        with contextlib.suppress(ValueError, RecursionError):
            texts = json.loads(self._text(_key("regions", spec)) or "[]")
            if isinstance(texts, list):
                return tuple(parse_polygon(str(text)) for text in texts[:_MOST_REGIONS])
        return ()

    def keep_regions(self, spec: SourceSpec, regions: tuple[Polygon, ...]) -> None:
        """Keep the regions that are ignored in a source."""
        key = _key("regions", spec)
        if regions:
            self._store.setValue(key, json.dumps([format_polygon(each) for each in regions]))
        else:
            self._store.remove(key)

    def watch_of(self, spec: SourceSpec) -> Watch:
        """Return the zones and alerts that were kept for a source."""
        with contextlib.suppress(ValueError, RecursionError):
            kept = json.loads(self._text(_key("zones", spec)) or "{}")
            if isinstance(kept, dict):
                found = (kept.get(name) for name in ("zones", "alerts"))
                zones, rules = (
                    [str(text) for text in texts[:MOST_WATCHED]] if isinstance(texts, list) else []
                    for texts in found
                )
                by_name = {zone.name: zone for zone in map(parse_zone, zones)}
                return Watch(tuple(by_name.values()), tuple(map(parse_rule, rules)))
        return Watch()

    def keep_watch(self, spec: SourceSpec, watch: Watch) -> None:
        """Keep the zones and alerts of a source."""
        key = _key("zones", spec)
        if watch == Watch():
            self._store.remove(key)
            return
        zones, rules = map(format_zone, watch.zones), map(format_rule, watch.rules)
        self._profile.set(key, json.dumps({"zones": [*zones], "alerts": [*rules]}))

    def forget_recent(self) -> None:
        """Empty the list of what was opened."""
        self._store.remove("open/recent")

    def _set_if_changed(self, name: str, value: str) -> None:
        """Set what is written at the end in any case, unless it is as it was found."""
        if value != self._began[name]:
            self._store.setValue(name, value)

    def _text(self, name: str) -> str:
        return self._profile.get(name)


def _key(group: str, spec: SourceSpec) -> str:
    """Return the key of what is kept for a source, which tells nobody an address."""
    name = str(Path(spec.value).resolve()) if spec.kind in {"file", "images"} else spec.value
    digest = hashlib.sha256(f"{spec.kind}:{name}".encode("utf-8", "surrogateescape"))
    return f"{group}/{digest.hexdigest()[:20]}"


class _IniStore:
    """Texts of an INI file, which holds Unicode: a name that is none is written as JSON."""

    def __init__(self, store: QSettings) -> None:
        self._store = store

    def get(self, key: str) -> str:
        """Return the text under a key; values of another type are as good as not there."""
        value = self._store.value(key, "")
        if not isinstance(value, str):
            return ""
        try:
            text = json.loads(value) if value.startswith('"') else value
        except ValueError:
            return ""
        return text if isinstance(text, str) else ""

    def set(self, key: str, text: str) -> None:
        """Put a text under a key."""
        plain = not text.startswith('"') and text == text.encode("utf-8", "replace").decode()
        self._store.setValue(key, text if plain else json.dumps(text))

"""Drawn parts: what the user draws into the picture, left out or watched, and the dialog for it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QWidget

from app.core.events import EventKind
from app.gui.controllers.region_controller import RegionController
from app.gui.controllers.watch_controller import WatchController
from app.gui.video.region_tool import RegionTool
from app.gui.video.video_view import VideoView
from app.gui.video.zone_layer import ZoneLayer
from app.gui.window.saved_state import SavedState
from app.gui.window.watch_dialog import WatchDialog
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec
from fastscnn.ignored_regions import Polygon
from fastscnn.labels import CITYSCAPES


class DrawnParts:
    """One tool that draws, and what becomes of a polygon.

    Args:
        window: parent of the dialogs.
        pipeline: plays the source.
        view: shows the picture.
        saved: remembers parts of sources; ``None`` forgets them with the window.
        notify: told the kind and text of a message.
    """

    def __init__(
        self,
        window: QWidget,
        pipeline: Pipeline,
        view: VideoView,
        saved: SavedState | None,
        notify: Callable[[EventKind, str], None],
    ) -> None:
        self.layer = ZoneLayer(view, lambda spec: pipeline.watches.all_in(spec).zones)
        self.tool = RegionTool(view)
        self.regions = RegionController(pipeline, saved, notify)
        self.watch = WatchController(
            pipeline, saved, lambda: view.result.classes if view.result is not None else CITYSCAPES
        )
        self.dialog = WatchDialog(self.watch, window)
        self.watch.changed.connect(view.update)
        self.dialog.drawing_asked.connect(self._draw_from_dialog)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return a function for each command by name."""
        return {
            "leave-out": lambda: self.tool.begin("the part to leave out", self.regions.add),
            "leave-nothing-out": self.regions.clear,
            "draw-zone": self.draw_zone,
            "alerts": self.show_dialog,
        }

    def use(self, spec: SourceSpec) -> None:
        """Take what was kept for a source that is about to play; what is drawn is of another."""
        if self.tool.isVisible():
            self.tool.end()
        if self.dialog.naming is not None:
            self.dialog.naming.reject()
        self.regions.use(spec)
        self.watch.use(spec)

    def draw_zone(self) -> None:
        """Let the user draw a zone and name it."""
        self.tool.begin("the zone", self._name)

    def show_dialog(self) -> None:
        """Open the dialog of zones and alerts, or bring it to the front."""
        self.dialog.refresh()
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()
        self.dialog.rule.setFocus()

    def _draw_from_dialog(self, name: str | None) -> None:
        self.dialog.hide()  # it may lie over the picture
        if name is None:
            self.draw_zone()
            return

        def redraw(polygon: Polygon) -> None:
            self.watch.redraw_zone(name, polygon)
            self.show_dialog()

        self.tool.begin(f"the zone {name}", redraw)

    def _name(self, polygon: Polygon) -> None:
        def add(name: str) -> None:
            self.watch.add_zone(name, polygon)
            self.show_dialog()

        self.dialog.name_zone(add, self.watch.free_name())

"""Legend: a network's classes in groups, their shares of the image, switches to hide them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from itertools import pairwise

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.frame import Result, Verdict
from app.gui.controllers.view_controller import ViewController
from app.gui.panels.legend_rows import ClassRow, GroupRow, Row
from app.gui.widgets import theme
from app.gui.widgets.fitting import PlainScrollArea
from app.gui.widgets.icons import icon
from app.pipeline.status import PipelineStatus
from app.rendering.class_shares import SteadyShares
from app.rendering.overlay import shares
from app.rendering.privacy import numbers_known
from app.rendering.view_options import JUDGING
from fastscnn.labels import CITYSCAPES, ClassTable

_LOOK = 0.4
"""Seconds between two updates of the shares."""


class Legend(QWidget):
    """List of all classes with their shares of the image; it scrolls where the window is small."""

    hidden_changed = pyqtSignal(frozenset, tuple)
    """Emitted when the user hides or shows classes: numbers of the hidden ones, all names."""
    class_chosen = pyqtSignal(int)
    """Emitted when the user outlines the class of this number in the image, or stops it."""
    blurred_changed = pyqtSignal(tuple)
    """Emitted when the user blurs classes in the image, or stops it: names of the blurred ones."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.classes = CITYSCAPES
        """The classes listed: those of the network whose result is on the screen."""
        self.rows: list[ClassRow] = []
        """Rows of the classes, by their numbers."""
        self.groups: dict[str, GroupRow] = {}
        self.by_share = False
        """True while the classes are sorted by their share, without groups."""
        self.heading = QLabel("Classes")
        self._shares = SteadyShares()
        self._looked = 0.0
        self._result: Result | None = None
        self._seen: tuple[float, ...] = ()
        self._split = 0.5
        self._selected: int | None = None
        self.show_all = _toggle("eye-shut", "Show all classes")
        self.show_all.clicked.connect(lambda: self._choose(()))
        self.show_none = _toggle("eye", "Hide all classes")
        self.show_none.clicked.connect(lambda: self._choose(range(len(self.rows))))
        self.sort = _toggle("sort", "")
        self.sort.setCheckable(True)
        self.sort.clicked.connect(lambda: self.sort_by_share(not self.by_share))

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(self._heading())
        self._scroll = PlainScrollArea(self._list())
        layout.addWidget(self._scroll)
        self._fill(CITYSCAPES)

    # Display

    def list_classes(self, classes: ClassTable) -> None:
        """List the classes of another network where they are others."""
        if classes is self.classes:
            return
        if classes.names == self.classes.names:  # in other colours
            self.classes = classes
            for row, label in zip(self.rows, classes.rows, strict=True):
                row.set_color(label.color)
            return
        for line in (*self.rows, *self.groups.values()):
            self._lines.removeWidget(line)
            line.hide()
            line.deleteLater()
        self._selected, self._result = None, None
        self._fill(classes)

    @property
    def hidden(self) -> frozenset[int]:
        """Train ids of the hidden classes."""
        return frozenset(row.train_id for row in self.rows if not row.isChecked())

    def connect_to(self, view: ViewController, hidden: frozenset[int]) -> None:
        """Let a controller carry out what is chosen; some classes are hidden from the start."""
        self.set_hidden(hidden)
        self.hidden_changed.connect(view.set_hidden)
        self.blurred_changed.connect(view.set_blurred)

    def set_hidden(self, hidden: frozenset[int]) -> None:
        """Tick all classes but those of these numbers, without a signal."""
        for row in self.rows:
            if row.isChecked() == (row.train_id in hidden):
                row.blockSignals(True)
                row.setChecked(row.train_id not in hidden)
                row.blockSignals(False)
                row.describe()
        self._tick_groups()

    def refresh(self, status: PipelineStatus, result: Result | None) -> None:
        """Show the hidden classes, the outlined one, and the shares of the result on the screen."""
        if result is not None:
            self.list_classes(result.classes)
        view = status.view.numbered_as(self.classes.names)
        self.set_hidden(view.hidden)
        self.set_selected(view.selected)
        blurred = self._numbers_of(view.blurred)
        for row in self.rows:
            row.set_blurred(row.train_id in blurred)
        self._show_iou(_verdict(result))
        shown_at = result.frame.time if result is not None else 0.0
        self.update_shares(result, status.view.split_at(shown_at))

    def set_selected(self, selected: int | None) -> None:
        """Mark the class that is outlined in the image, and scroll to it."""
        if selected == self._selected:
            return
        self._selected = selected
        for row in self.rows:
            row.set_marked(row.train_id == selected)
        if selected is not None:
            row = self.rows[selected]
            if not self.by_share:
                self.groups[row.category].setChecked(True)
            self._scroll.ensureWidgetVisible(row, 0, 2 * row.height())

    def update_shares(self, result: Result | None, split: float = 0.5) -> None:
        """Update the shares from the result on the screen, now and then.

        Args:
            result: the result on the screen.
            split: position of a wipe's divider, 0–1 of the width.
        """
        if result is None:
            if self._result is not None:
                self._result = None
                self._shares.forget()
                self._show_shares()
            return
        now, before = time.monotonic(), self._result
        if before is not None and now - self._looked < _LOOK:
            return
        self._looked = now
        if result is not before or split != self._split:
            self._result, self._split = result, split
            self._seen = shares(*result.labels_at(split), classes=len(self.rows))
            if before is None or before.frame.token is not result.frame.token:
                self._shares.forget()  # there is nothing to come from slowly
        self._shares.look(self._seen)
        self._show_shares()

    def _show_iou(self, verdict: Verdict | None) -> None:
        """Show the classes' IoU in place of their shares while it is looked at what is wrong."""
        self.heading.setText("Classes" if verdict is None else "Classes: IoU so far")
        for row in self.rows:
            of = verdict.class_iou.get(row.text(), math.nan) if verdict is not None else None
            row.set_iou(of)
        for group in self.groups.values():
            group.shows_share = verdict is None
            group.update()

    def sort_by_share(self, on: bool) -> None:
        """Sort the classes by their share of the image, or in their groups."""
        self.by_share = on
        self._shares.sort()  # who asks for the order gets that of now; calm is for later
        self._arrange()

    def show_only(self, classes: Iterable[int]) -> None:
        """Show these classes alone, or all again where they already are alone."""
        saved = frozenset(classes)
        hidden = frozenset(range(len(self.rows))) - saved
        self._choose(() if self.hidden == hidden else hidden)

    # Input

    def menu_of(self, row: ClassRow) -> QMenu:
        """Return the context menu of a class."""
        menu = QMenu(self)
        group = {other.train_id for other in self.rows if other.category == row.category}
        everything = frozenset(range(len(self.rows)))
        entries = [
            (f"Only {row.text()}", lambda: self._choose(everything - {row.train_id})),
            (f"Only {row.category}", lambda: self._choose(everything - group)),
            ("Show all", lambda: self._choose(())),
            ("Hide all", lambda: self._choose(everything)),
        ]
        outline = menu.addAction("Outline in the picture")
        assert outline is not None
        outline.setCheckable(True)
        outline.setChecked(row.marked)
        outline.triggered.connect(lambda: self.class_chosen.emit(row.train_id))
        blur = menu.addAction("Blur in the picture")
        assert blur is not None
        blur.setCheckable(True)
        blur.setChecked(row.blurred)
        blur.triggered.connect(lambda: self._toggle_blur(row))
        menu.addSeparator()
        for text, command in entries:
            action = menu.addAction(text)
            assert action is not None
            action.triggered.connect(lambda _=False, command=command: command())
        return menu

    def _toggle_blur(self, row: ClassRow) -> None:
        row.set_blurred(not row.blurred)
        self.blurred_changed.emit(tuple(each.text() for each in self.rows if each.blurred))

    def _numbers_of(self, names: Iterable[str]) -> set[int]:
        """Return the numbers of those classes and groups of some names that there are."""
        return {i for name in names for i in numbers_known(self.classes, (name,)) or ()}

    def _ask(self, row: ClassRow, at: QPoint) -> None:
        menu = self.menu_of(row)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(row.mapToGlobal(at))

    def _choose(self, hidden: Iterable[int]) -> None:
        self.set_hidden(frozenset(hidden))
        self.hidden_changed.emit(self.hidden, self.classes.names)

    def _changed(self) -> None:
        self._tick_groups()
        self.hidden_changed.emit(self.hidden, self.classes.names)

    def _toggle_group(self, group: GroupRow) -> None:
        members = {row.train_id for row in self.rows if row.category == group.category}
        shown = group.tick.state == Qt.CheckState.Checked
        self._choose(self.hidden | members if shown else self.hidden - members)

    def _fold(self) -> None:
        for row in self.rows:
            row.setVisible(self.by_share or self.groups[row.category].isChecked())

    def _focus_from(self, line: Row, step: int) -> None:
        order = [row for row in self._order() if row.isVisible()]
        if line in order:
            place = min(max(order.index(line) + step, 0), len(order) - 1)
            order[place].setFocus(Qt.FocusReason.TabFocusReason)
            self._scroll.ensureWidgetVisible(order[place], 0, line.height())

    # Layout

    def _fill(self, classes: ClassTable) -> None:
        """Make the rows of these classes and their groups."""
        self.classes, self._shares = classes, SteadyShares(len(classes))
        self.rows = [ClassRow(row) for row in classes.rows]
        categories = dict.fromkeys(row.category for row in classes.rows)
        self.groups = {category: GroupRow(category) for category in categories}
        self._arrange()
        self.set_hidden(frozenset())
        for row in self.rows:
            row.toggled.connect(self._changed)
            row.only.connect(lambda row=row: self.show_only({row.train_id}))
            row.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            row.customContextMenuRequested.connect(lambda at, row=row: self._ask(row, at))
        for group in self.groups.values():
            group.toggled.connect(self._fold)
            group.tick.clicked.connect(lambda _=False, group=group: self._toggle_group(group))
        for line in (*self.rows, *self.groups.values()):
            line.moved.connect(lambda step, line=line: self._focus_from(line, step))

    def _tick_groups(self) -> None:
        hidden = self.hidden
        for group in self.groups.values():
            shown = {row.isChecked() for row in self.rows if row.category == group.category}
            state = Qt.CheckState.PartiallyChecked
            if len(shown) == 1:
                state = Qt.CheckState.Checked if shown.pop() else Qt.CheckState.Unchecked
            if group.tick.state != state:
                group.tick.set_state(state)
        self.show_all.setVisible(bool(hidden))
        self.show_none.setVisible(len(hidden) < len(self.rows))

    def _show_shares(self) -> None:
        values = self._shares.values
        for row in self.rows:
            row.set_share(values[row.train_id])
        for group in self.groups.values():
            members = (row.train_id for row in self.rows if row.category == group.category)
            group.set_share(sum(values[i] for i in members))
        if self.by_share and not self._in_use() and self._placed != self._order():
            self._arrange()

    def _in_use(self) -> bool:
        """Return whether reordering would move a row under the mouse or with the focus."""
        return self.underMouse() or any(row.hasFocus() for row in self.rows)

    def _order(self) -> list[Row]:
        """Return the rows from top to bottom."""
        if self.by_share:
            return [self.rows[train_id] for train_id in self._shares.order]
        order: list[Row] = []
        for category, group in self.groups.items():
            order += [group, *(row for row in self.rows if row.category == category)]
        return order

    def _arrange(self) -> None:
        """Put the rows in order."""
        order = self._placed = self._order()
        for row in (*self.rows, *self.groups.values()):
            self._lines.removeWidget(row)
        for place, row in enumerate(order):
            self._lines.insertWidget(place, row)
        for first, second in pairwise(order):
            QWidget.setTabOrder(first, second)
        for group in self.groups.values():
            group.setVisible(not self.by_share)
        self._fold()
        self.sort.setChecked(self.by_share)
        other = "in groups" if self.by_share else "by their share of the picture"
        self.sort.setToolTip(f"Sort the classes {other}")
        self.sort.setAccessibleName(f"Classes: {'by share' if self.by_share else 'in groups'}")

    def _heading(self) -> QHBoxLayout:
        self.heading.setObjectName("heading")
        top = QHBoxLayout()
        top.setContentsMargins(theme.PAD, 0, theme.PAD, 0)
        top.setSpacing(2)
        top.addWidget(self.heading)
        top.addStretch()
        top.addWidget(self.sort)
        top.addWidget(self.show_none)
        top.addWidget(self.show_all)
        top.addStrut(26)  # the heading keeps its height when a button goes
        return top

    def _list(self) -> QWidget:
        widget = QWidget()
        widget.setObjectName("legend")
        self._lines = QVBoxLayout(widget)
        self._lines.setContentsMargins(theme.PAD - 9, 0, theme.PAD - 6, theme.GAP)
        self._lines.setSpacing(0)
        self._lines.addStretch()
        return widget


def _verdict(result: Result | None) -> Verdict | None:
    """Return the verdict on the first side that shows the truth or what is wrong."""
    if result is None or not result.view.judges:
        return None
    sides = (n for n, side in enumerate(result.view.sides) if side.content in JUDGING)
    return result.verdict_at(next(sides))


def _toggle(drawing: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("flat")
    button.setIcon(icon(drawing))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button

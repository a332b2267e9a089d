"""Watch dialog: zones and alerts of the current source, to add, change and remove."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.core.watch import AlertRule, Zone
from app.gui.controllers.watch_controller import WatchController
from app.gui.widgets import theme
from app.sources.source_spec import SourceSpec

_GRAMMAR = (
    "CLASSES [in ZONE] > NUMBER% [for NUMBER s] tells when classes take more of the picture, or of"
    " a zone, than that for so long; < tells of less. Several classes or groups go with commas,"
    " times in ms, s or min: person,rider in door > 2% for 1s"
)
_GIVEN = "from the command line"


class _List(QListWidget):
    """List that says what it is for while it is empty."""

    def __init__(self, hint: str) -> None:
        super().__init__()
        self._hint = hint

    def paintEvent(self, e: QPaintEvent | None) -> None:
        super().paintEvent(e)
        viewport = self.viewport()
        if self.count() or viewport is None:
            return
        painter = QPainter(viewport)
        painter.setPen(QColor(theme.MUTED))
        words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        room = viewport.rect().adjusted(theme.PAD, 0, -theme.PAD, 0)
        painter.drawText(room, int(words), self._hint)


class WatchDialog(QDialog):
    """Dialog beside the window, which goes on.

    Args:
        commands: change what is looked for.
        parent: the window.
    """

    drawing_asked = pyqtSignal(object)
    """The user wants to draw a zone: a new one (``None``), or one of this name anew."""

    def __init__(self, commands: WatchController, parent: QWidget) -> None:
        super().__init__(parent)
        self._commands = commands
        self.naming: QInputDialog | None = None
        self._shown: SourceSpec | None = None
        self.zones = _List("No zones. Draw one to look for classes in a part of the picture.")
        self.rules = _List("No alerts. Write a rule below and add it.")
        self.rule, self.wrong = QLineEdit(), QLabel()
        self.draw, self.redraw = QPushButton("Draw a zone…"), QPushButton("Draw again…")
        self.rename, self.remove_zone = QPushButton("Rename…"), QPushButton("Remove")
        self.add, self.remove_rule = QPushButton("Add"), QPushButton("Remove")
        self._lay_out()
        self._connect()
        self.refresh()

    def refresh(self) -> None:
        """Show what there is now."""
        commands = self._commands
        self._shown = source = commands.source
        self.setWindowTitle(
            f"Zones and alerts of {source.name}" if source is not None else "Zones and alerts"
        )
        own, given = commands.own, commands.given
        _fill(self.zones, [(z.name, z) for z in own.zones], [z.name for z in given.zones])
        _fill(self.rules, [(r.text, r) for r in own.rules], [r.text for r in given.rules])
        for widget in (self.draw, self.add, self.rule):
            widget.setEnabled(source is not None)
        self._offer()

    def follow(self) -> None:
        """Show another source, if one is open by now."""
        if self.isVisible() and self._shown != self._commands.source:
            self.refresh()

    def name_zone(self, then: Callable[[str], None], name: str, wrong: str = "") -> None:
        """Ask for a name until ``then`` takes it, or the user gives up.

        Args:
            then: takes the name; a ``ValueError`` of it is shown, and asked again.
            name: what stands there at first.
            wrong: what was wrong with the name before.
        """
        dialog = QInputDialog(self.parentWidget())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Name of the zone")
        dialog.setLabelText(wrong or "Rules of alerts call the zone by its name:")
        dialog.setTextValue(name)

        def take(text: str) -> None:
            try:
                then(text)
            except ValueError as error:
                self.name_zone(then, text, _sentence(error))

        self.naming = dialog
        dialog.finished.connect(self._forget_naming)
        dialog.textValueSelected.connect(take)
        dialog.open()

    def _forget_naming(self) -> None:
        self.naming = None

    def _lay_out(self) -> None:
        about = QLabel(_GRAMMAR)
        for label, name in ((about, "muted"), (self.wrong, "wrong")):
            label.setObjectName(name)
            label.setWordWrap(True)
        self.zones.setAccessibleName("Zones")
        self.rules.setAccessibleName("Alerts")
        self.rule.setAccessibleName("Rule of a new alert")
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.GAP)
        layout.addWidget(_heading("Zones"))
        layout.addWidget(self.zones)
        layout.addLayout(_row(self.draw, self.redraw, self.rename, self.remove_zone, None))
        layout.addWidget(_heading("Alerts"))
        layout.addWidget(self.rules)
        layout.addLayout(_row(self.rule, self.add, self.remove_rule))
        layout.addWidget(self.wrong)
        layout.addWidget(about)
        layout.addWidget(close)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)  # Enter adds the rule
        self.resize(560, 520)

    def _connect(self) -> None:
        self._commands.changed.connect(self.refresh)
        self.zones.currentItemChanged.connect(self._offer)
        self.rules.currentItemChanged.connect(self._offer)
        self.zones.itemDoubleClicked.connect(lambda _: self.rename.click())
        self.rule.textEdited.connect(lambda _: self.wrong.clear())
        self.rule.returnPressed.connect(self._add)
        self.add.clicked.connect(self._add)
        self.draw.clicked.connect(lambda: self.drawing_asked.emit(None))
        self.redraw.clicked.connect(lambda: self.drawing_asked.emit(self._zone_name()))
        self.rename.clicked.connect(self._rename)
        self.remove_zone.clicked.connect(self._remove_zone)
        self.remove_rule.clicked.connect(self._remove_rule)

    def _offer(self) -> None:
        """Enable what can be done with the lines that are chosen."""
        zone, rule = _chosen(self.zones), _chosen(self.rules)
        for button in (self.redraw, self.rename, self.remove_zone):
            button.setEnabled(zone is not None)
        self.remove_rule.setEnabled(rule is not None)
        where = f" in {zone.name}" if isinstance(zone, Zone) else ""
        self.rule.setPlaceholderText(f"{self._commands.example}{where} > 2% for 1s")

    def _zone_name(self) -> str:
        zone = _chosen(self.zones)
        return zone.name if isinstance(zone, Zone) else ""

    def _rename(self) -> None:
        if old := self._zone_name():
            self.name_zone(lambda new: self._commands.rename_zone(old, new), old)

    def _remove_zone(self) -> None:
        gone = "; ".join(rule.text for rule in self._commands.remove_zone(self._zone_name()))
        self.wrong.setText(f"Removed with its zone: {gone}" if gone else "")

    def _remove_rule(self) -> None:
        rule = _chosen(self.rules)
        if isinstance(rule, AlertRule):
            self._commands.remove_rule(rule)

    def _add(self) -> None:
        try:
            self._commands.add_rule(self.rule.text())
        except ValueError as error:
            self.wrong.setText(_sentence(error))
        else:
            self.rule.clear()
            self.wrong.clear()


def _fill(
    rows: QListWidget,
    own: Sequence[tuple[str, Zone | AlertRule]],
    given: Sequence[str],
) -> None:
    """Fill a list and choose what is new; what cannot be changed has no value, and says so."""
    place, before = rows.currentRow(), rows.count()
    rows.clear()
    for text, value in own:
        item = QListWidgetItem(text)
        item.setData(Qt.ItemDataRole.UserRole, value)
        rows.addItem(item)
    for text in given:
        item = QListWidgetItem(f"{text}   ({_GIVEN})")
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        rows.addItem(item)
    is_more = rows.count() > before
    rows.setCurrentRow(len(own) - 1 if is_more else min(place, rows.count() - 1))


def _chosen(rows: QListWidget) -> object:
    item = rows.currentItem()
    return item.data(Qt.ItemDataRole.UserRole) if item is not None else None


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("heading")
    return label


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Return widgets in a row; ``None`` is what room is left."""
    row = QHBoxLayout()
    for widget in widgets:
        if widget is None:
            row.addStretch()
        else:
            row.addWidget(widget)
    return row


def _sentence(error: ValueError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}"

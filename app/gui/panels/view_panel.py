"""View panel: view, comparison, opacity, skip connection, weights and network."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QFontMetrics
from PyQt6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.core.frame import Result
from app.gui.controllers.network_controller import NetworkController
from app.gui.controllers.view_controller import ViewController
from app.gui.panels.network_menu import NetworkMenu
from app.gui.panels.truth_row import TruthRow
from app.gui.panels.weights_menu import WeightsMenu
from app.gui.widgets import theme
from app.gui.widgets.controls import DropdownButton, ToggleSwitch, add_choice
from app.pipeline.status import PipelineStatus
from app.rendering.view_options import PAIRED, PAIRS, View, ViewOptions

VIEW_NAMES: dict[View, tuple[str, str]] = {
    "overlay": ("Overlay", "Colours over the picture"),
    "labels": ("Labels", "Colours alone"),
    "confidence": ("Confidence", "How sure the network is"),
    "raw": ("Raw", "The picture as it came"),
    "truth": ("Truth", "The true labels of this source"),
    "errors": ("Errors", "What the network has wrong, by the true labels"),
    "wipe": ("Wipe", "Two pictures under a divider"),
    "side": ("Side by side", "Two pictures next to each other"),
}
"""Names of the views, and their tooltips."""

_ONE: tuple[View, ...] = ("overlay", "labels", "confidence", "raw")
_TWO: tuple[View, ...] = ("wipe", "side")
_JUDGED: tuple[View, ...] = ("truth", "errors")
"""Views of one picture, of two, and of one with true labels, each with a row of buttons."""


_SKIP = "The fine details that the network adds late: off shows what it sees without (S)"
_NO_SKIP = "This network has no skip connection to switch"
_SKIP_IDLE = "This comparison sets the skip connection for each side"
_STEADY = "Where the picture does not change, its labels do not: they flicker less (H)"
_STEADY_IDLE = "This comparison sets steady labels for each side"


class ViewPanel(QWidget):
    """Panel of view, opacity, skip connection, weights and network."""

    view_chosen = pyqtSignal(str)
    pair_chosen = pyqtSignal(str)
    alpha_chosen = pyqtSignal(float)
    skip_chosen = pyqtSignal(bool)
    steady_chosen = pyqtSignal(bool)
    rows_changed = pyqtSignal()
    """Emitted when a row has come or gone: the panel needs another height."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.views: dict[View, QPushButton] = {}
        self._group = QButtonGroup(self)
        self.pair = DropdownButton()
        self._pair_row = QWidget()
        self.truth = TruthRow()
        self._truth_views = self._segments(_JUDGED)
        self.alpha = QSlider(Qt.Orientation.Horizontal)
        self.percent = QLabel()
        self.skip = ToggleSwitch("Skip connection")
        self.skip.toggled.connect(self.skip_chosen)
        self.steady = ToggleSwitch("Steady labels", usual=False)
        self.steady.toggled.connect(self.steady_chosen)
        self.weights = WeightsMenu()
        self.network = NetworkMenu()
        self._fill_pair_row()
        heading = QLabel("Picture")
        heading.setObjectName("heading")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.PAD, theme.PAD - 2, theme.PAD, theme.GAP)
        layout.setSpacing(6)
        layout.addWidget(heading)
        layout.addWidget(self._segments(_ONE))
        layout.addWidget(self._truth_views)
        layout.addWidget(self._segments(_TWO))
        layout.addWidget(self._pair_row)
        layout.addWidget(self.truth)
        layout.addLayout(self._opacity_row())
        layout.addWidget(self.skip)
        layout.addWidget(self.steady)
        layout.addWidget(self.weights)
        layout.addWidget(self.network)

    def connect_to(self, view: ViewController, network: NetworkController) -> None:
        """Let controllers carry out what is chosen, but for the view itself."""
        self.pair_chosen.connect(network.compare)
        self.alpha_chosen.connect(view.set_alpha)
        self.skip_chosen.connect(view.set_skip)
        self.steady_chosen.connect(view.set_steady)
        self.weights.chosen.connect(network.use_weights)
        self.weights.second_chosen.connect(network.compare_with)
        self.network.chosen.connect(network.use_options)
        network.second_needed.connect(lambda: self.weights.ask_for_file(second=True))

    def _segments(self, views: tuple[View, ...]) -> QFrame:
        segments = QFrame()
        segments.setObjectName("segments")
        row = QHBoxLayout(segments)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for view in views:
            text, tip = VIEW_NAMES[view]
            button = QPushButton(text)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setToolTip(f"{tip} (V changes)")
            button.setAccessibleName(f"View: {text}")
            button.clicked.connect(lambda _, view=view: self.view_chosen.emit(view))
            self._group.addButton(button)
            # As wide as its word needs, so that none is cut.
            row.addWidget(button, QFontMetrics(theme.font(13)).horizontalAdvance(text))
            self.views[view] = button
        return segments

    def _fill_pair_row(self) -> None:
        self.pair.setToolTip("What is compared: left | right")
        pairs = QMenu(self.pair)
        for name in PAIRS:
            add_choice(pairs, name, partial(self.pair_chosen.emit, name))
        self.pair.setMenu(pairs)
        row = QHBoxLayout(self._pair_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Compare"))
        row.addStretch()
        row.addWidget(self.pair)

    def _opacity_row(self) -> QHBoxLayout:
        self.alpha.setRange(0, 100)
        self.alpha.setPageStep(10)
        self.alpha.setToolTip("How strongly the colours cover the picture")
        self.alpha.setAccessibleName("Opacity of the colours, in percent")
        self.percent.setObjectName("muted")
        self.percent.setMinimumWidth(self.fontMetrics().horizontalAdvance("100 %") + 2)
        self.percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.alpha.valueChanged.connect(self._alpha_changed)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(QLabel("Opacity"))
        row.addWidget(self.alpha, 1)
        row.addWidget(self.percent)
        return row

    def refresh(self, status: PipelineStatus, result: Result | None) -> None:
        """Show the options in force, without a signal, and how right the result is."""
        view, skip = status.view, status.skip
        self.truth.refresh(result)
        self.weights.refresh(status)
        self.network.refresh(status)
        self.views[view.view].setChecked(True)
        for row, there in (
            (self._pair_row, view.view in PAIRED),
            (self._truth_views, status.judged),
            (self.truth, status.judged and view.judges),
        ):
            if row.isHidden() == there:
                row.setVisible(there)
                self.rows_changed.emit()
        self.pair.setText(pair_name(view))
        self.pair.setAccessibleName(f"Compare: {pair_name(view)}")
        for widget in (self.alpha, self.skip, self.steady):
            widget.blockSignals(True)
        percent = round(view.alpha * 100)
        self.alpha.setValue(percent)
        blended = {side.content for side in view.sides} & {"overlay", "truth"}
        self.alpha.setEnabled(bool(blended))
        self.percent.setText(f"{percent} %")
        self.skip.setChecked(skip)
        has_skip = status.network is None or status.network.has_skip
        self.skip.setEnabled(view.goes_by_switch and has_skip)
        self.skip.idle = "both" if len({side.skip for side in view.sides}) > 1 else "–"
        usual = _SKIP if view.goes_by_switch else _SKIP_IDLE
        self.skip.setToolTip(usual if has_skip else _NO_SKIP)
        self.steady.setChecked(view.steady)
        self.steady.setEnabled(view.goes_by_steady)
        self.steady.idle = "both" if len({side.steady for side in view.sides}) > 1 else "–"
        self.steady.setToolTip(_STEADY if view.goes_by_steady else _STEADY_IDLE)
        for widget in (self.alpha, self.skip, self.steady):
            widget.blockSignals(False)

    def _alpha_changed(self, percent: int) -> None:
        self.percent.setText(f"{percent} %")
        self.alpha_chosen.emit(percent / 100)


def pair_name(view: ViewOptions) -> str:
    """Return the name of a comparison."""
    sides = view.left, view.right
    return next((name for name, pair in PAIRS.items() if pair == sides), "as chosen")

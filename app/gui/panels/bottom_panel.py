"""Bottom panel: performance, log and curves, in tabs."""

from __future__ import annotations

from typing import Literal

from PyQt6.QtCore import QSize, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.frame import Result
from app.gui.panels.curves_panel import CurvesPanel
from app.gui.panels.log_panel import LogPanel
from app.gui.panels.performance_panel import PerformancePanel
from app.gui.widgets.icons import icon
from app.pipeline.status import PipelineStatus

Page = Literal["performance", "log", "curves"]
PAGES: tuple[Page, ...] = ("performance", "log", "curves")


class BottomPanel(QFrame):
    """Panel that shows one of its pages, or is closed."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bottom_panel")
        self.setFixedHeight(226)
        self.performance = PerformancePanel()
        self.log = LogPanel()
        self.curves = CurvesPanel()
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName("Panels")
        self._stack = QStackedWidget()
        pages = {"Performance": self.performance, "Log": self.log, "Curves": self.curves}
        for name, page in pages.items():
            self.tabs.addTab(name)
            self._stack.addWidget(page)
        self.tabs.currentChanged.connect(self._turned)
        close = QToolButton()
        close.setIcon(icon("close"))
        close.setIconSize(QSize(14, 14))
        close.setObjectName("flat")
        close.setToolTip("Close the panel")
        close.setAccessibleName("Close the panel")
        close.clicked.connect(lambda: self.show_page(None))
        head = QHBoxLayout()
        head.setContentsMargins(4, 0, 4, 0)
        head.addWidget(self.tabs)
        head.addStretch()
        head.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 1, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        self.hide()

    def refresh(self, status: PipelineStatus, result: Result | None) -> None:
        """Show the pipeline as it is, and what is on the screen."""
        self.performance.refresh(status)
        self.curves.refresh(status, result)

    @property
    def page(self) -> Page | None:
        """Open page."""
        return PAGES[self.tabs.currentIndex()] if not self.isHidden() else None

    def show_page(self, page: Page | None) -> None:
        """Open a page, or close."""
        if page is not None:
            self.tabs.setCurrentIndex(PAGES.index(page))
        self.setVisible(page is not None)
        self.changed.emit()

    def toggle(self, page: Page) -> None:
        """Open a page, or close where it is open."""
        self.show_page(None if self.page == page else page)

    def _turned(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self.changed.emit()

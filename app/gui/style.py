"""The one place for colours, sizes and fonts."""

from __future__ import annotations

from PyQt6.QtGui import QColor, QFont, QPalette
from PyQt6.QtWidgets import QApplication

CANVAS = "#0c0e12"
"""Around the picture."""
PANEL = "#171b22"
RAISED = "#252b36"
HOVER = "#323a48"
LINE = "#2b323e"
EDGE = "#475163"
"""Outlines of controls that must be found without their text."""
TEXT = "#e9edf3"
MUTED = "#a4aebd"
ACCENT = "#5ab0ff"
ON_ACCENT = "#07131f"
RECORD = "#d8352f"
ON_RECORD = "#ffffff"
ALERT = "#ff8078"
WARN = "#ffc65c"
ERROR_FACE = "#43191c"
NOTICE_FACE = "#16304a"

GAP = 8
PAD = 14
PANEL_WIDTH = 264
ROW = 22
"""Height of a class in the legend."""
CONTROL = 34
"""Height of buttons."""

PLATE = QColor(8, 10, 14, 205)
"""Behind text on the picture: readable over any picture."""

READABLE = (
    (TEXT, CANVAS),
    (TEXT, PANEL),
    (TEXT, RAISED),
    (TEXT, HOVER),
    (MUTED, CANVAS),
    (MUTED, PANEL),
    (MUTED, RAISED),
    (ON_ACCENT, ACCENT),
    (ACCENT, PANEL),
    (ON_RECORD, RECORD),
    (TEXT, ERROR_FACE),
    (TEXT, NOTICE_FACE),
    (ALERT, ERROR_FACE),
    (ACCENT, NOTICE_FACE),
)
"""Every pair of text and ground in use: each has a contrast of at least 4.5:1."""


def contrast(first: str, second: str) -> float:
    """The contrast of two colours as WCAG defines it, 1–21."""

    def luminance(name: str) -> float:
        color = QColor(name)
        parts = (color.redF(), color.greenF(), color.blueF())
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def font(pixels: int, *, bold: bool = False) -> QFont:
    """The application's font in another size."""
    result = QFont(QApplication.font())
    result.setPixelSize(pixels)
    if bold:
        result.setWeight(QFont.Weight.DemiBold)
    return result


def apply(app: QApplication) -> None:
    """Dress the application."""
    app.setStyle("Fusion")
    app.setPalette(_palette())
    app.setFont(font(13))
    app.setStyleSheet(_SHEET)


def _palette() -> QPalette:
    # For what no style sheet reaches, such as Qt's own file dialog.
    palette = QPalette()
    role = QPalette.ColorRole
    for which, color in (
        (role.Window, PANEL),
        (role.Base, CANVAS),
        (role.AlternateBase, PANEL),
        (role.Button, RAISED),
        (role.ToolTipBase, RAISED),
        (role.WindowText, TEXT),
        (role.Text, TEXT),
        (role.ButtonText, TEXT),
        (role.ToolTipText, TEXT),
        (role.PlaceholderText, MUTED),
        (role.BrightText, ALERT),
        (role.Link, ACCENT),
        (role.Highlight, ACCENT),
        (role.HighlightedText, ON_ACCENT),
    ):
        palette.setColor(which, QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(EDGE).lighter(130))
    return palette


_SHEET = f"""
QMainWindow, #canvas {{ background: {CANVAS}; }}
#side {{ background: {PANEL}; border-left: 1px solid {LINE}; }}
#bar {{ background: {PANEL}; border-top: 1px solid {LINE}; }}
#status {{ background: {CANVAS}; border-top: 1px solid {LINE}; }}
#status QLabel {{ color: {MUTED}; font-size: 12px; }}
#line {{ background: {LINE}; }}
QScrollArea, #legend {{ background: transparent; border: none; }}

QLabel#heading {{ font-size: 13px; font-weight: 600; }}
QLabel#group {{ color: {MUTED}; font-size: 11px; }}
QLabel#muted {{ color: {MUTED}; }}
QLabel#invite {{ font-size: 24px; font-weight: 600; }}

QPushButton, QToolButton {{
    background: {RAISED}; border: 1px solid {LINE}; border-radius: 7px;
    padding: 0 13px; min-height: {CONTROL - 2}px; color: {TEXT};
}}
QToolButton {{ padding: 0; min-width: {CONTROL + 6}px; }}
QPushButton:hover, QToolButton:hover {{ background: {HOVER}; border-color: {EDGE}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {LINE}; }}
QPushButton:focus, QToolButton:focus {{ border-color: {ACCENT}; }}
QPushButton:disabled, QToolButton:disabled {{ color: #69748a; background: {PANEL}; }}
QPushButton#primary {{
    background: {ACCENT}; color: {ON_ACCENT}; border-color: {ACCENT}; font-weight: 600;
}}
QPushButton#primary:hover {{ background: #7cc1ff; }}
QPushButton#primary:focus {{ border-color: {TEXT}; }}
QPushButton#record[recording="true"] {{
    background: {RECORD}; color: {ON_RECORD}; border-color: {RECORD}; font-weight: 600;
}}
QPushButton#record[recording="true"]:hover {{ background: #c22b26; }}
QPushButton#link {{
    background: transparent; border: none; color: {ACCENT}; padding: 0 2px; min-height: 20px;
}}
QPushButton#link:hover, QPushButton#link:focus {{ text-decoration: underline; }}
QPushButton::menu-indicator {{ image: none; width: 0; }}

#segments {{ background: {CANVAS}; border: 1px solid {LINE}; border-radius: 8px; }}
#segments QPushButton {{
    background: transparent; border: 1px solid transparent; border-radius: 6px;
    color: {MUTED}; min-height: 26px;
}}
#segments QPushButton:hover {{ color: {TEXT}; }}
#segments QPushButton:focus {{ border-color: {ACCENT}; }}
#segments QPushButton:checked {{ background: {HOVER}; color: {TEXT}; font-weight: 600; }}

QSlider {{ min-height: 22px; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {HOVER}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {ACCENT}; }}
QSlider::handle:horizontal {{
    width: 14px; height: 14px; margin: -6px 0; border-radius: 8px;
    background: {TEXT}; border: 1px solid {CANVAS};
}}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{
    background: #ffffff; border-color: {ACCENT};
}}

#banner {{ background: {NOTICE_FACE}; border-left: 4px solid {ACCENT}; }}
#banner[error="true"] {{ background: {ERROR_FACE}; border-left: 4px solid {ALERT}; }}
#banner QToolButton {{
    background: transparent; border: 1px solid transparent; min-width: 26px; min-height: 24px;
}}
#banner QToolButton:hover {{ background: rgba(255, 255, 255, 30); }}
#banner QToolButton:focus {{ border-color: {TEXT}; }}

QMenu {{
    background: {RAISED}; color: {TEXT}; border: 1px solid {EDGE}; padding: 6px;
}}
QMenu::item {{ padding: 7px 26px 7px 12px; border-radius: 5px; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::item:selected {{ background: {ACCENT}; color: {ON_ACCENT}; }}
QMenu::separator {{ height: 1px; background: {EDGE}; margin: 5px 8px; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {EDGE}; padding: 4px 6px; }}

QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{
    background: {EDGE}; border-radius: 3px; min-height: 30px; margin: 2px;
}}
QScrollBar::handle:vertical:hover {{ background: {MUTED}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
    background: transparent; height: 0; width: 0;
}}
"""

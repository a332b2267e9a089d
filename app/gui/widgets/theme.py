"""Theme: the one place for colours, sizes and fonts.

The colours are module attributes (``style.TEXT``) that change with the theme: read them while
painting, never keep them.
"""

from __future__ import annotations

from typing import Literal, get_args

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PyQt6.QtWidgets import QApplication

from app.gui.widgets.stylesheet import style_sheet

Theme = Literal["dark", "light"]
Choice = Literal["system", "dark", "light"]
"""Choices of the user: one of the themes, or that of the system."""
CHOICES: tuple[Choice, ...] = get_args(Choice)

CANVAS: str
"""Background around the image."""
PANEL: str
RAISED: str
HOVER: str
LINE: str
EDGE: str
"""Outlines of controls that must be found without their text."""
TEXT: str
MUTED: str
DISABLED: str
"""Text of disabled controls."""
ACCENT: str
ACCENT_HOVER: str
ON_ACCENT: str
RECORD: str
RECORD_HOVER: str
ON_RECORD: str
ALERT: str
WARN: str
ERROR_FACE: str
NOTICE_FACE: str
VEIL: str
"""Overlay of the whole window while something is dragged over it."""
PLATE: QColor
"""Background of text on the image: readable over any image."""

THEMES: dict[Theme, dict[str, str]] = {
    "dark": {
        "CANVAS": "#0c0e12",
        "PANEL": "#171b22",
        "RAISED": "#252b36",
        "HOVER": "#323a48",
        "LINE": "#2b323e",
        "EDGE": "#5f6b80",
        "TEXT": "#e9edf3",
        "MUTED": "#a4aebd",
        "DISABLED": "#69748a",
        "ACCENT": "#5ab0ff",
        "ACCENT_HOVER": "#7cc1ff",
        "ON_ACCENT": "#07131f",
        "RECORD": "#d8352f",
        "RECORD_HOVER": "#c22b26",
        "ON_RECORD": "#ffffff",
        "ALERT": "#ff8078",
        "WARN": "#ffc65c",
        "ERROR_FACE": "#43191c",
        "NOTICE_FACE": "#16304a",
        "VEIL": "#ec081422",
        "PLATE": "#cd080a0e",
    },
    "light": {
        "CANVAS": "#e3e7ed",
        "PANEL": "#f6f7f9",
        "RAISED": "#ffffff",
        "HOVER": "#dbe2ec",
        "LINE": "#cbd2dc",
        "EDGE": "#7d899b",
        "TEXT": "#171c24",
        "MUTED": "#4a5462",
        "DISABLED": "#8b95a3",
        "ACCENT": "#0b5cb0",
        "ACCENT_HOVER": "#094b91",
        "ON_ACCENT": "#ffffff",
        "RECORD": "#c4261f",
        "RECORD_HOVER": "#a81f19",
        "ON_RECORD": "#ffffff",
        "ALERT": "#a51a14",
        "WARN": "#704400",
        "ERROR_FACE": "#fde3e0",
        "NOTICE_FACE": "#dfecfa",
        "VEIL": "#f0f2f6fc",
        "PLATE": "#e1ffffff",
    },
}
"""Colours of every theme."""

STAGES: dict[str, str] = {
    "capture": "#4e9de0",
    "upload": "#2fb3a6",
    "network": "#e08a3c",
    "steady": "#7f9a3f",
    "labels": "#9f7fe0",
    "download": "#3fae5a",
    "overlay": "#d66a9f",
    "display": "#c2a72f",
    "encode": "#9aa3b0",
}
"""Colours of the stages of a frame, in order; always with their names beside them."""

GAP = 8
PAD = 14
PANEL_WIDTH = 264
ROW = 22
"""Height of a class in the legend."""
CONTROL = 34
"""Height of buttons."""

READABLE = (
    ("TEXT", "CANVAS"),
    ("TEXT", "PANEL"),
    ("TEXT", "RAISED"),
    ("TEXT", "HOVER"),
    ("MUTED", "CANVAS"),
    ("MUTED", "PANEL"),
    ("MUTED", "RAISED"),
    ("ON_ACCENT", "ACCENT"),
    ("ON_ACCENT", "ACCENT_HOVER"),
    ("ACCENT", "PANEL"),
    ("WARN", "PANEL"),
    ("ON_RECORD", "RECORD"),
    ("ON_RECORD", "RECORD_HOVER"),
    ("TEXT", "ERROR_FACE"),
    ("TEXT", "NOTICE_FACE"),
    ("ALERT", "ERROR_FACE"),
    ("ALERT", "CANVAS"),
    ("ACCENT", "NOTICE_FACE"),
    ("ACCENT", "CANVAS"),
    ("TEXT", "PLATE"),
    ("MUTED", "PLATE"),
    ("WARN", "PLATE"),
)
"""Pairs of text and background in use: each has a contrast of at least 4.5:1 in every theme."""

_choice: Choice = "system"
_theme: Theme = "dark"


def _take(theme: Theme) -> None:
    """Set the colours of this module to those of a theme."""
    global _theme, PLATE
    _theme = theme
    globals().update(THEMES[theme])
    PLATE = QColor(THEMES[theme]["PLATE"])


_take("dark")


def theme() -> Theme:
    """Return the current theme."""
    return _theme


def choice() -> Choice:
    """Return the user's choice."""
    return _choice


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours as WCAG defines it, 1–21."""

    def luminance(name: str) -> float:
        color = QColor(name)
        parts = (color.redF(), color.greenF(), color.blueF())
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def font(pixels: int, *, bold: bool = False) -> QFont:
    """Return the application's font in another size."""
    result = QFont(QApplication.font())
    result.setPixelSize(pixels)
    if bold:
        result.setWeight(QFont.Weight.DemiBold)
    return result


def apply(app: QApplication) -> None:
    """Apply the theme to the application, and again whenever the system's changes."""
    app.setStyle("Fusion")
    app.setFont(font(13))
    _style_application(app)
    hints = QGuiApplication.styleHints()
    if hints is not None:
        hints.colorSchemeChanged.connect(lambda: choose(_choice))


def choose(choice: Choice) -> None:
    """Use a theme, or follow the system."""
    global _choice
    _choice = choice
    theme = _of_system() if choice == "system" else choice
    app = QApplication.instance()
    if theme != _theme and isinstance(app, QApplication):
        _take(theme)
        _style_application(app)


def _of_system() -> Theme:
    hints = QGuiApplication.styleHints()
    light = hints is not None and hints.colorScheme() == Qt.ColorScheme.Light
    return "light" if light else "dark"


def _style_application(app: QApplication) -> None:
    if _choice == "system":
        _take(_of_system())
    app.setPalette(_palette())
    app.setStyleSheet(style_sheet(THEMES[_theme], CONTROL))
    for widget in app.allWidgets():
        widget.update()  # those that paint themselves


def _palette() -> QPalette:
    # For what no style sheet reaches, such as Qt's own file dialog.
    colors = THEMES[_theme]
    palette = QPalette()
    role = QPalette.ColorRole
    for which, color in (
        (role.Window, "PANEL"),
        (role.Base, "CANVAS"),
        (role.AlternateBase, "PANEL"),
        (role.Button, "RAISED"),
        (role.ToolTipBase, "RAISED"),
        (role.WindowText, "TEXT"),
        (role.Text, "TEXT"),
        (role.ButtonText, "TEXT"),
        (role.ToolTipText, "TEXT"),
        (role.PlaceholderText, "MUTED"),
        (role.BrightText, "ALERT"),
        (role.Link, "ACCENT"),
        (role.Highlight, "ACCENT"),
        (role.HighlightedText, "ON_ACCENT"),
    ):
        palette.setColor(which, QColor(colors[color]))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(colors["DISABLED"]))
    return palette

"""Style sheet of Qt's own widgets in the colours of a theme."""

from __future__ import annotations

from string import Template


def style_sheet(colors: dict[str, str], control: int) -> str:
    """Return the style sheet in some colours.

    Args:
        colors: a theme, as in ``app.gui.widgets.theme.THEMES``.
        control: height of buttons in pixels.
    """
    return _SHEET.substitute(colors, INNER=control - 2, SQUARE=control + 6)


_SHEET = Template("""
QMainWindow, #canvas { background: $CANVAS; }
#side { background: $PANEL; border-left: 1px solid $LINE; }
#transport_bar, #bottom_panel, #seek_bar { background: $PANEL; border-top: 1px solid $LINE; }
#status { background: $CANVAS; border-top: 1px solid $LINE; }
#status QLabel { color: $MUTED; font-size: 12px; }
#line { background: $LINE; }
QScrollArea, #legend { background: transparent; border: none; }
QDialog, QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }

QLabel#heading { font-size: 13px; font-weight: 600; }
QLabel#group { color: $MUTED; font-size: 11px; }
QLabel#muted { color: $MUTED; }
QLabel#wrong { color: $ALERT; }
QLabel#key { font-weight: 600; }
QLabel#invite { font-size: 24px; font-weight: 600; }

QPushButton, QToolButton {
    background: $RAISED; border: 1px solid $LINE; border-radius: 7px;
    padding: 0 13px; min-height: ${INNER}px; color: $TEXT;
}
QToolButton { padding: 0; min-width: ${SQUARE}px; }
QPushButton:hover, QToolButton:hover { background: $HOVER; border-color: $EDGE; }
QPushButton:pressed, QToolButton:pressed { background: $LINE; }
QPushButton:focus, QToolButton:focus { border-color: $ACCENT; }
QPushButton:disabled, QToolButton:disabled { color: $DISABLED; background: $PANEL; }
QToolButton:checked { background: $HOVER; border-color: $ACCENT; }
QPushButton#primary {
    background: $ACCENT; color: $ON_ACCENT; border-color: $ACCENT; font-weight: 600;
}
QPushButton#primary:hover { background: $ACCENT_HOVER; }
QPushButton#primary:focus { border-color: $TEXT; }
QPushButton#record[recording="true"] {
    background: $RECORD; color: $ON_RECORD; border-color: $RECORD; font-weight: 600;
}
QPushButton#record[recording="true"]:hover { background: $RECORD_HOVER; }
QPushButton#dropdown { min-height: 26px; padding: 0 22px 0 10px; }
#transport_bar QPushButton#dropdown { min-height: ${INNER}px; padding: 0; }
QToolButton#narrow { min-width: 32px; }
QToolButton#card { background: $PANEL; border: 1px solid $LINE; border-radius: 8px; padding: 6px; }
QToolButton#card:hover, QToolButton#card:focus { border-color: $ACCENT; }
QToolButton#flat { background: transparent; border: 1px solid transparent; min-width: 30px;
    min-height: 26px; }
QToolButton#flat:hover { border-color: $EDGE; }
QToolButton#flat:focus { border-color: $ACCENT; }
QToolButton#flat:checked { background: $HOVER; border-color: $EDGE; }
QLabel#figure { font-size: 20px; font-weight: 600; }
QPushButton::menu-indicator { image: none; width: 0; }
QToolButton::menu-indicator { image: none; width: 0; }

#segments { background: $CANVAS; border: 1px solid $LINE; border-radius: 8px; }
#segments QPushButton {
    background: transparent; border: 1px solid transparent; border-radius: 6px;
    color: $MUTED; min-height: 26px; padding: 0;
}
#segments QPushButton:hover { color: $TEXT; }
#segments QPushButton:focus { border-color: $ACCENT; }
#segments QPushButton:checked {
    background: $RAISED; border-color: $EDGE; color: $TEXT;
}
#segments QPushButton:checked:focus { border-color: $ACCENT; }

QSlider { min-height: 22px; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $HOVER; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $ACCENT; }
QSlider::sub-page:horizontal:disabled { background: $EDGE; }
QSlider::handle:horizontal {
    width: 14px; height: 14px; margin: -6px 0; border-radius: 8px;
    background: $TEXT; border: 1px solid $CANVAS;
}
QSlider::handle:horizontal:disabled { background: $EDGE; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {
    border: 2px solid $ACCENT;
}

#notification { background: $NOTICE_FACE; border-left: 4px solid $ACCENT; border-radius: 6px; }
#notification[error="true"] { background: $ERROR_FACE; border-left: 4px solid $ALERT; }
#notification QLabel#kind { color: $ACCENT; font-weight: 600; }
#notification[error="true"] QLabel#kind { color: $ALERT; }
#notification QToolButton {
    background: transparent; border: 1px solid transparent; min-width: 26px; min-height: 24px;
}
#notification QPushButton { min-height: 22px; padding: 0 10px; }
#notification QToolButton:hover { border-color: $EDGE; }
#notification QToolButton:focus { border-color: $TEXT; }

#progress_strip { background: $PANEL; border: 1px solid $LINE; border-radius: 6px; }
#progress_strip QPushButton { min-height: 24px; }
QProgressBar {
    background: $HOVER; border: none; border-radius: 3px; max-height: 6px; min-height: 6px;
}
QProgressBar::chunk { background: $ACCENT; border-radius: 3px; }

QPlainTextEdit, QLineEdit, QTextBrowser, QListWidget {
    background: $CANVAS; color: $TEXT; border: 1px solid $LINE; border-radius: 6px;
    selection-background-color: $ACCENT; selection-color: $ON_ACCENT; padding: 4px;
}
QPlainTextEdit:focus, QLineEdit:focus, QTextBrowser:focus { border-color: $ACCENT; }
QLineEdit { min-height: 26px; }
QListWidget:focus { border-color: $ACCENT; }
QListWidget::item { padding: 3px 4px; }
QListWidget::item:disabled { color: $MUTED; }
QListWidget::item:selected { background: $ACCENT; color: $ON_ACCENT; }
QTabBar::tab {
    background: transparent; color: $MUTED; padding: 6px 14px; border-bottom: 2px solid transparent;
}
QTabBar::tab:selected { color: $TEXT; border-bottom: 2px solid $ACCENT; }
QTabBar::tab:focus { color: $ACCENT; }

QMenuBar { background: $PANEL; color: $TEXT; border-bottom: 1px solid $LINE; padding: 1px 6px; }
QMenuBar::item { background: transparent; padding: 5px 9px; border-radius: 5px; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: $HOVER; }
QMenu {
    background: $RAISED; color: $TEXT; border: 1px solid $EDGE; padding: 6px;
}
QMenu::item { padding: 6px 26px 6px 12px; border-radius: 5px; }
QMenu::item:disabled { color: $DISABLED; }
QMenu::icon { padding-left: 8px; }
QMenu::item:selected { background: $ACCENT; color: $ON_ACCENT; }
QMenu::item:disabled:selected { background: $HOVER; color: $DISABLED; }
QMenu::separator { height: 1px; background: $EDGE; margin: 5px 8px; }
QToolTip { background: $RAISED; color: $TEXT; border: 1px solid $EDGE; padding: 4px 6px; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical {
    background: $EDGE; border-radius: 3px; min-height: 30px; margin: 2px;
}
QScrollBar::handle:vertical:hover { background: $MUTED; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle:horizontal {
    background: $EDGE; border-radius: 3px; min-width: 30px; margin: 2px;
}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {
    background: transparent; height: 0; width: 0;
}
""")

"""The menu bar: every command in one place, ticks on what is in use, help."""

from collections import Counter

from PyQt6.QtGui import QGuiApplication

from app import __version__
from tests.support.window_driver import messages, play, wait_until, window


def _entries(menu):
    for action in menu.actions():
        if action.menu() is not None:
            yield from _entries(action.menu())
        elif not action.isSeparator():
            yield action


def _menu(made, title):
    return next(a.menu() for a in made.menu_bar.actions() if a.text().replace("&", "") == title)


def test_commands_stand_in_one_menu_each():
    with window() as w:
        titles = [action.text().replace("&", "") for action in w.menu_bar.actions()]
        assert titles == ["File", "Play", "View", "Network", "Help"]
        found = Counter(id(entry) for title in titles for entry in _entries(_menu(w, title)))
        assert max(found.values()) == 1
        # What a key does is in a menu too, but for what has a choice or a button of its own.
        texts = {entry.text() for title in titles for entry in _entries(_menu(w, title))}
        missing = {a.text() for name, a in w.actions_by_name.items() if a.text() not in texts}
        assert missing <= {"Wipe: skip on | skip off", "Leave full screen, a panel or a message"}


def test_the_input_size_in_use_is_ticked():
    with window() as w:
        play(w)
        w.actions_by_name["quarter"].trigger()
        wait_until(w.actions_by_name["quarter"].isChecked, "the tick")
        assert not w.actions_by_name["half"].isChecked()


def test_a_view_chosen_in_the_menu_is_shown_and_highlighted():
    with window() as w:
        play(w)
        next(e for e in _entries(_menu(w, "View")) if e.text() == "Raw").trigger()
        wait_until(lambda: w.view.result.view.view == "raw", "the raw picture")
        assert w.view_panel.views["raw"].isChecked()


def test_help_tells_the_version_and_copies_the_diagnostics():
    with window() as w:
        w.help_menu.show_about()
        assert __version__ in w.help_menu.about.text()
        w.help_menu.about.close()
        w.help_menu.copy_diagnostics()
        wait_until(lambda: any("clipboard" in text for text in messages(w)), "the notice")
        assert "Packages" in QGuiApplication.clipboard().text()

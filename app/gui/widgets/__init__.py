"""Widgets, icons and themes shared by the window's parts."""

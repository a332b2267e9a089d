"""Rendering: view options, colour overlay, class shares."""

"""Command line: arguments to settings, and the start of a run."""

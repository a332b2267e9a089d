"""Shared ground of all threads: frames, channels, statistics, events."""

"""Playback controls: seek bar, buttons, thumbnails."""

"""Checkpoints: our files, public formats, downloads."""

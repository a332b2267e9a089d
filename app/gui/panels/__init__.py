"""Panels beside and below the video."""

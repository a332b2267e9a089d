"""Data of a run for other programs: rows of values, one a frame."""

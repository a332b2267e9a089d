"""Export parts: models that other programs load."""

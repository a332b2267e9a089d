"""Export: models that other programs load."""

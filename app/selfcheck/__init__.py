"""Self-check of a machine: ``python -m app.selfcheck``."""

"""Benchmarks of the whole program: ``python -m app.benchmark``."""

"""Inference: the worker thread, its engines, and the networks they run."""

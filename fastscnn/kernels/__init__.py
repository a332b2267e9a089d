"""Kernels for cards, each with a way by torch beside it."""

"""Evaluation: how right a network's labels are."""

"""Batch: many drives, each annotated once, on this machine or on a Ray cluster."""

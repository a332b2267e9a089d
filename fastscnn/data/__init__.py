"""Datasets, the demo street and augmentation."""

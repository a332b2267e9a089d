"""Several sources in one window: a tile for each, and each at its full size."""

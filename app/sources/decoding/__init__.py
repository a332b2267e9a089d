"""Decoding of files: packets, the frames that they promise, and what of them is lost."""

"""Sinks: consumers of results, one file each."""

"""Benchmark parts: baseline, roofline, timing."""

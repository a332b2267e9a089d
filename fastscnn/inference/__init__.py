"""Inference: runtimes, CUDA graphs, input sizes."""

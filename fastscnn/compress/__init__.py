"""Smaller networks: channels pruned, weights and activations in 8 bits."""

"""Upsampling: logits at 1/8 to labels, confidence or probabilities at full size."""

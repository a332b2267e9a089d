"""Video area: painting frames, and the mouse on them."""

"""Recording: annotated video with sound, and lossless labels."""

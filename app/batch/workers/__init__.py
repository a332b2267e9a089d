"""Workers of a batch: what they do, and where they run."""

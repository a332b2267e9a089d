"""Training: the recipe, the loss, batches, the trainer and what it leaves behind."""

"""The checkpoints that ship with the program."""

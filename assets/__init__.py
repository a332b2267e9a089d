"""Pictures that ship with the program."""

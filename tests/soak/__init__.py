"""Long runs and fuzzing, as commands of their own: ``python -m tests.soak --help``."""

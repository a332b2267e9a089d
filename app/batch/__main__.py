"""``python -m app.batch SOURCE… -o OUT``: see ``batch_command``."""

from fastscnn.console import run_command


def main() -> int:
    """Load the command, which takes a second or more, and run it; returns the exit code."""
    from app.batch import batch_command

    return batch_command.main()


if __name__ == "__main__":
    run_command(main)

"""``python -m app.batch SOURCE… -o OUT``: see ``batch_command``."""

from app.batch.batch_command import main
from fastscnn.console import run_command

if __name__ == "__main__":
    run_command(main)

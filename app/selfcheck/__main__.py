"""``python -m app.selfcheck``: see ``command``."""

from app.selfcheck.command import main
from fastscnn.console import run_command

if __name__ == "__main__":
    run_command(main)

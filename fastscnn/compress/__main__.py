"""``python -m fastscnn.compress``: see ``compress_command``."""

from fastscnn.compress.compress_command import main
from fastscnn.console import run_command

if __name__ == "__main__":
    run_command(main)

"""``python -m app.benchmark CLIP``: see ``throughput``."""

from app.benchmark.throughput import main
from fastscnn.console import run_command

if __name__ == "__main__":
    run_command(main)

"""``python -m app.benchmark CLIP``: see ``throughput``."""

import sys

from app.benchmark.throughput import main

if __name__ == "__main__":
    sys.exit(main())

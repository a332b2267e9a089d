"""Fast-SCNN Live, from a checkout: ``python main.py``."""

import sys

from app.cli import main

if __name__ == "__main__":
    sys.exit(main())

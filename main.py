"""Fast-SCNN Live, from a checkout: ``python main.py``."""

from app.entry_point import run

if __name__ == "__main__":
    run()

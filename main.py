"""Fast-SCNN Live, from a checkout: ``python main.py``."""

from app.cli.launcher import run

if __name__ == "__main__":
    run()

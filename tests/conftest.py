"""Set before anything else is imported: no screen is needed, and torch's threads do not spin."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

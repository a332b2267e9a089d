"""Set before anything else is imported: no screen is needed, and torch's threads do not spin."""

import os
from tempfile import TemporaryDirectory

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_settings = TemporaryDirectory(prefix="fastscnn-live-settings-")
# The settings of whoever runs the tests are neither used nor changed.
os.environ["FASTSCNN_CONFIG"] = _settings.name

import tests.support.painted_once  # noqa: E402, F401

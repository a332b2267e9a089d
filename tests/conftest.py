"""Set before anything else is imported: no screen is needed, and torch's threads do not spin."""

import os
import signal
from tempfile import TemporaryDirectory

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_settings = TemporaryDirectory(prefix="fastscnn-live-settings-")
# The settings of whoever runs the tests are neither used nor changed.
os.environ["FASTSCNN_CONFIG"] = _settings.name

# A shell's background jobs ignore Ctrl+C, and so would what the tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest  # noqa: E402

import tests.support.painted_once  # noqa: E402, F401
from app.sinks.recording.encoders import ordinary_scheduling  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _ordinary_threads():
    """Tests write clips by encoders themselves: none is to make their threads real-time ones."""
    with ordinary_scheduling():
        yield

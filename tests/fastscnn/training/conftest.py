"""Trainings are repeated bit for bit only with as many threads as before, and draw no curve."""

import pytest
import torch

from fastscnn.training.run_log import RunLog

_THREADS = torch.get_num_threads()


@pytest.fixture(autouse=True)
def as_many_threads_as_in_a_new_process():
    """What ran before in this process may have changed the number: inference of several frames."""
    torch.set_num_threads(_THREADS)


@pytest.fixture(autouse=True)
def no_curve(monkeypatch):
    """A curve takes as long as the few steps that it would show."""
    monkeypatch.setattr(RunLog, "can_draw", staticmethod(lambda: False))

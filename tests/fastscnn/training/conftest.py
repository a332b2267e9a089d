"""Trainings are repeated bit for bit only with as many threads as before."""

import pytest
import torch

_THREADS = torch.get_num_threads()


@pytest.fixture(autouse=True)
def as_many_threads_as_in_a_new_process():
    """What ran before in this process may have changed the number: inference of several frames."""
    torch.set_num_threads(_THREADS)

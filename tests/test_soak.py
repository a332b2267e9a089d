"""Long runs of the soak, for some seconds each: that they run, and what holds in any time."""

import pytest

from tests.soak.beside import beside
from tests.soak.endurance import endurance
from tests.soak.switching import random_run


@pytest.mark.slow
def test_under_overload_each_of_four_live_sources_gets_as_many_frames():
    figures = beside(4)
    assert figures["frames, ratio"] < 1.5
    assert all(figures["processed"])


@pytest.mark.slow
def test_the_other_long_runs_hold_for_some_seconds_too(tmp_path):
    assert endurance(6, tmp_path)["recorded"]
    assert random_run(10, 0, tmp_path, longest=0.2)

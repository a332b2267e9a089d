"""The figures of the stages are those of now."""

import pytest

from app.core.stats import Stats


def test_a_stage_that_has_ended_is_left_out_while_others_go_on(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stats = Stats()
    stats.spent({"network": 0.02, "encode": 0.05})
    now[0] += 10
    assert set(stats.recent_stages()) == {"network", "encode"}  # all stand still
    stats.spent({"network": 0.04})
    assert stats.recent_stages() == {"network": pytest.approx(0.04)}
    assert set(stats.stage_rates()) == {"network", "encode"}  # of the whole run

"""What a batch says of itself where no terminal is."""

import pytest

from app.batch.progress_display import ProgressDisplay, Standing


@pytest.fixture
def seconds(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    return [0.0]


def told(display, seconds, now, workers, **more):
    """Let it show how it stands at a time, when it is due."""
    seconds[0] = now
    assert display.due()
    display.show(Standing(workers=workers, running=sum(workers.values()), total=9, **more))


def test_rates_of_workers_are_those_of_all_their_drives(seconds, capsys):
    display = ProgressDisplay(now=lambda: seconds[0])
    told(display, seconds, 30.0, {"worker 1": 300, "worker 2": 150})
    told(display, seconds, 60.0, {"worker 1": 900, "worker 2": 180}, done=3)
    told(display, seconds, 90.0, {"worker 1": 930})
    lines = capsys.readouterr().err.splitlines()
    assert "15.0 per second (10.0, 5.0)" in lines[0]
    assert "(20.0, 1.0), 3 of 9 drives done" in lines[1]
    assert lines[2].startswith("1:30: ")
    display.close()


def test_a_line_comes_each_half_minute(seconds, capsys):
    display = ProgressDisplay(now=lambda: seconds[0])
    seconds[0] = 29.0
    assert not display.due()
    told(display, seconds, 30.0, {})
    assert "no worker is at work yet" in capsys.readouterr().err
    display.close()

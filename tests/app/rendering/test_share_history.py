"""What was seen in a file, by its own time, and where to go from there."""

import pytest

from app.rendering.share_history import _MOST, Moment, ShareHistory


def _history(*values):
    """Moments half a second apart: shares of class 1, with what is left as class 0."""
    history = ShareHistory()
    for place, share in enumerate(values):
        history.add(Moment(place / 2, (1 - share, share, 0.0), 1 - share))
    return history


def test_moments_stand_in_the_order_of_the_source_each_once():
    history = ShareHistory()
    for time in (3.0, 1.0, 2.0, 1.02, 3.0):
        history.add(Moment(time, (1.0,), 0.5))
    assert [each.time for each in history.moments] == [1.02, 2.0, 3.0]
    history.forget()
    assert history.moments == []


def test_the_next_time_is_where_a_class_begins_not_where_it_goes_on():
    history = _history(0, 0, 0.1, 0.2, 0, 0.3, 0.3, 0)
    assert history.next_with(1, 0.05, 0.0) == 1.0
    assert history.next_with(1, 0.05, 1.0) == 2.5
    assert history.next_with(1, 0.05, 2.5) == 1.0  # from the last one to the first
    assert history.next_with(1, 0.25, 0.0) == 2.5
    assert history.next_with(1, 0.5, 0.0) is None
    assert history.next_with(7, 0.0, 0.0) is None


def test_a_stretch_that_was_not_played_ends_what_was_seen():
    history = ShareHistory()
    for time in (0.0, 0.5, 10.0, 10.5):
        history.add(Moment(time, (0.5, 0.5), None))
    assert [history.gap_before(place) for place in range(4)] == [True, False, True, False]
    assert history.next_with(1, 0.1, 0.2) == 10.0


def test_the_least_sure_times_lie_apart():
    history = _history(*(0.9 if i in {4, 5, 6, 20} else 0.1 for i in range(40)))
    first = history.next_unsure(2, 0.0)
    second = history.next_unsure(2, first)
    assert first in {2.0, 2.5, 3.0}
    assert second == 10.0
    assert history.next_unsure(2, second) == first
    assert ShareHistory().next_unsure(3, 0.0) is None


def test_the_largest_are_those_of_the_whole_file():
    assert _history(0.1, 0.9, 0.9).largest(4) == [1, 0]
    assert ShareHistory().largest(4) == []


def test_a_file_of_hours_is_thinned_out():
    history = ShareHistory()
    for place in range(_MOST + 500):
        history.add(Moment(place * 0.1 + 0.05, (1.0,), 1.0))
    assert len(history.moments) < _MOST
    assert history.moments[-1].time == pytest.approx((_MOST + 499) * 0.1 + 0.05)
    assert not any(history.gap_before(place) for place in range(1, len(history.moments)))


def test_what_was_played_is_worth_more_than_a_first_look():
    history = ShareHistory()
    first, played = Moment(1.0, (1.0, 0.0), 0.5, rough=True), Moment(1.02, (0.5, 0.5), 0.6)
    for moment in (first, played, first):
        history.add(moment)
    assert history.moments == [played]
    history.add(Moment(9.0, (0.4, 0.6), 0.5, rough=True))
    assert not history.gap_before(1)  # the two looks tell something of what lies between

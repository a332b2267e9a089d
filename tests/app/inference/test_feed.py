"""Turns of the sources that one worker serves."""

import threading
from collections import Counter

import pytest

from app.core.channel import Channel, Closed
from app.core.live_options import LiveOptions
from app.core.stats import Stats
from app.inference.feed import Feed, Turns
from app.rendering.view_options import ViewOptions


@pytest.fixture
def turns():
    made = Turns()
    for _ in range(3):
        inbox = Channel(100, made.changed)
        made.add(Feed(inbox, (), LiveOptions(ViewOptions(), True), Stats()))
    return made


def test_who_brings_more_gets_no_more(turns):
    loud, *others = turns.feeds
    for number in range(30):
        loud.inbox.put(number)
    for feed in others:
        for number in range(10):
            feed.inbox.put(number)
    served = [turns.take(0)[0] for _ in range(30)]
    assert Counter(map(turns.feeds.index, served)) == {0: 10, 1: 10, 2: 10}
    assert all(len(set(served[i : i + 3])) == 3 for i in range(0, 30, 3))


def test_who_brings_nothing_costs_no_turn(turns):
    for number in range(4):
        turns.feeds[1].inbox.put(number)
    assert [turns.take(0)[1] for _ in range(4)] == [0, 1, 2, 3]
    assert turns.take(0) is None


def test_whoever_waits_is_woken_by_any_of_them(turns):
    got = []
    waiting = threading.Thread(target=lambda: got.append(turns.take(300)))
    waiting.start()
    turns.feeds[2].inbox.put("late")
    waiting.join(300)
    assert got == [(turns.feeds[2], "late")]


def test_it_ends_when_all_have_ended_and_are_empty(turns):
    turns.feeds[0].inbox.put("last")
    for feed in turns.feeds:
        feed.inbox.close()
    assert turns.take(0)[1] == "last"
    with pytest.raises(Closed):
        turns.take(0)

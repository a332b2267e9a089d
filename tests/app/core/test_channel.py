import threading
import time

import pytest

from app.core.channel import Channel, Closed
from tests.support.waiting import PATIENCE


def test_a_channel_that_is_enlarged_takes_those_who_waited_for_room():
    channel = Channel(1)
    assert channel.put("a")
    waiting = threading.Thread(target=channel.put, args=("b",))
    waiting.start()
    channel.resize(2)
    waiting.join(PATIENCE)
    assert len(channel) == 2
    assert not channel.offer("c")


def test_items_come_out_in_order():
    channel = Channel(3)
    for i in range(3):
        assert channel.put(i)
    assert [channel.get() for _ in range(3)] == [0, 1, 2]


def test_put_waits_for_room():
    channel = Channel(1)
    channel.put(1)
    thread = threading.Thread(target=channel.put, args=(2,))
    thread.start()
    time.sleep(0.05)
    assert thread.is_alive()
    assert channel.get() == 1
    thread.join(PATIENCE)
    assert channel.get() == 2


def test_offer_gives_up_when_full():
    channel = Channel(1)
    assert channel.offer(1)
    assert not channel.offer(2)
    assert len(channel) == 1


def test_replace_keeps_the_newest_and_returns_the_rest():
    channel = Channel(2)
    assert channel.replace(1) == []
    assert channel.replace(2) == [1]
    assert channel.get() == 2


def test_get_returns_none_when_nothing_comes_in_time():
    assert Channel(1).get(timeout=0.01) is None


def test_a_closed_channel_hands_out_what_waits_then_says_so():
    channel = Channel(2)
    channel.put(1)
    channel.close()
    assert not channel.put(2)
    assert not channel.offer(2)
    assert channel.replace(2) == [1, 2]
    with pytest.raises(Closed):
        channel.get()


def test_closing_wakes_a_waiting_producer_and_consumer():
    full, empty = Channel(1), Channel(1)
    full.put(1)
    results = []

    def consume():
        try:
            empty.get()
        except Closed:
            results.append("closed")

    threads = [
        threading.Thread(target=lambda: results.append(full.put(2))),
        threading.Thread(target=consume),
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    full.close()
    empty.close()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(map(str, results)) == ["False", "closed"]

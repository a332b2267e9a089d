import pytest

from app.core.formatting import percent
from app.rendering.class_shares import SteadyShares


def with_shares(**by_id):
    values = [0.0] * 19
    for name, share in by_id.items():
        values[int(name[1:])] = share
    return values


def test_the_first_picture_is_taken_as_it_is_and_the_next_ones_calmly():
    shares = SteadyShares()
    shares.look(with_shares(c0=0.6, c10=0.4))
    assert shares.values[0] == 0.6
    shares.look(with_shares(c0=0.2, c10=0.8))
    assert 0.2 < shares.values[0] < 0.6
    for _ in range(12):
        shares.look(with_shares(c0=0.2, c10=0.8))
    assert shares.values[0] == pytest.approx(0.2, abs=0.01)


def test_the_largest_stand_first_and_equal_ones_keep_the_order_of_the_table():
    shares = SteadyShares()
    shares.look(with_shares(c13=0.5, c0=0.3, c10=0.2))
    assert shares.order[:5] == (13, 0, 10, 1, 2)


def test_small_differences_change_no_places_and_clear_ones_do():
    shares = SteadyShares()
    shares.look(with_shares(c0=0.40, c10=0.38))
    for swing in (0.41, 0.36, 0.42, 0.37) * 5:
        shares.look(with_shares(c0=0.40, c10=swing))
        assert shares.order[:2] == (0, 10)
    for _ in range(10):
        shares.look(with_shares(c0=0.2, c10=0.6))
    assert shares.order[:2] == (10, 0)
    assert sorted(shares.order) == list(range(19))


def test_sorting_anew_counts_small_differences_too():
    steady = SteadyShares()
    steady.look(with_shares(c0=0.30, c1=0.28))
    for _ in range(9):
        steady.look(with_shares(c0=0.28, c1=0.30))
    assert steady.order[0] == 0
    steady.sort()
    assert steady.order[0] == 1


def test_after_forgetting_the_next_picture_is_the_first():
    shares = SteadyShares()
    shares.look(with_shares(c0=1.0))
    shares.forget()
    assert sum(shares.values) == 0
    shares.look(with_shares(c10=1.0))
    assert shares.values[10] == 1.0
    assert shares.order[0] == 10


def test_shares_in_words():
    assert [percent(x) for x in (0, 0.0001, 0.004, 0.01, 0.314, 1)] == [
        "–", "–", "<1 %", "1 %", "31 %", "100 %",
    ]  # fmt: skip

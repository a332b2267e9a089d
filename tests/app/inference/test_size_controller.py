"""The size controller under a load that comes and goes, on a clock of the test's own."""

import random

import pytest

from app.inference.size_controller import SizeController

PIXELS = [256 * 448, 384 * 672, 512 * 896, 768 * 1344, 1024 * 1792]
HALF = 2


class Machine:
    """A machine on which a frame takes a fixed time, and more by its pixels; a load stretches it.

    Getting another size ready takes a third of a second, beside the frames.
    """

    def __init__(self, pixels_ms, *, noise=0.0, rate=30.0):
        self.now, self.load, self.noise, self.rate = 0.0, 1.0, noise, rate
        self.pixels_ms, self.random = pixels_ms, random.Random(4)
        self.controller = SizeController(PIXELS, HALF, lambda: self.now)
        self.changes, self.coming = [], None

    def took(self):
        size = self.controller.size
        seconds = (2 + self.pixels_ms * PIXELS[size] / PIXELS[HALF]) / 1000
        return self.load * seconds * (1 + self.random.uniform(-1, 1) * self.noise)

    def run(self, seconds):
        end = self.now + seconds
        while self.now < end:
            took = self.took()
            self.now += max(took, 1 / self.rate)
            wanted = self.controller.observe(took, 1 / self.rate)
            if self.coming is not None and self.now >= self.coming[0]:
                self.controller.change(self.coming[1])
                self.changes.append(self.now)
                self.coming = None
            elif wanted is not None and self.coming is None:
                self.coming = self.now + 0.33, wanted

    @property
    def size(self):
        return self.controller.size


@pytest.mark.parametrize("noise", [0.0, 0.15])
@pytest.mark.parametrize("pixels_ms", [3, 12, 25, 60, 200])
def test_it_settles_within_three_seconds_and_stays(pixels_ms, noise):
    machine = Machine(pixels_ms, noise=noise)
    machine.run(8 if noise else 3.2)
    settled = machine.size
    machine.run(120)
    assert machine.size == settled


@pytest.mark.parametrize(
    ("pixels_ms", "size"), [(3, 4), (8, 3), (25, 2), (35, 1), (60, 0), (200, 0)]
)
def test_it_is_the_largest_that_holds_the_rate(pixels_ms, size):
    machine = Machine(pixels_ms)
    machine.run(20)
    assert machine.size == size
    assert machine.controller.fits == (pixels_ms < 200)


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("load", [1.7, 3.0])
def test_under_a_load_it_goes_down_within_three_seconds_and_recovers_after_it(load, noise):
    machine = Machine(20, noise=noise)
    machine.run(10)
    assert machine.size == HALF
    machine.load = load
    machine.run(3)
    assert machine.size < HALF
    assert machine.controller.fits
    machine.changes.clear()
    machine.run(30)
    assert not machine.changes
    machine.load = 1.0
    machine.run(20)
    assert machine.size == HALF
    machine.changes.clear()
    machine.run(60)
    assert not machine.changes


@pytest.mark.parametrize("period", [1.0, 3.0, 5.0])
def test_a_load_that_comes_and_goes_is_not_followed(period):
    machine = Machine(20)
    for _ in range(20):
        machine.load = 3.0
        machine.run(period)
        machine.load = 1.0
        machine.run(period)
    assert len(machine.changes) <= 5
    late = [at for at in machine.changes if at > machine.now / 2]
    assert not late
    machine.run(30)
    assert machine.size == HALF


@pytest.mark.parametrize("rate", [1.0, 4.0, 60.0])
def test_slow_and_fast_sources_are_held_too(rate):
    machine = Machine(20, rate=rate)
    machine.run(20)
    assert machine.size == {1.0: 4, 4.0: 4, 60.0: 1}[rate]


def test_single_slow_frames_change_nothing():
    machine = Machine(20)
    machine.run(5)
    for _ in range(20):
        machine.now += 0.3
        assert machine.controller.observe(0.3, 1 / 30) is None
        machine.run(0.9)
    assert not machine.changes


def test_where_memory_ran_out_it_stays_below():
    machine = Machine(3)
    machine.run(10)
    machine.controller.limit(1)
    machine.run(60)
    assert machine.size == 1
    assert machine.controller.is_largest


def test_what_was_measured_before_is_forgotten_on_request():
    machine = Machine(60)
    machine.run(0.6)
    machine.controller.forget()
    machine.run(0.6)
    assert not machine.changes

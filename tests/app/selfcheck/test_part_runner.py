"""A part that fails, hangs or ends its process is one line of the table; the next ones run."""

import os
import signal
import time

import pytest

from app.selfcheck.findings import Findings, NotHere, Part, Setup
from app.selfcheck.part_runner import run_parts

CPU = Setup("cpu", quick=True)


def fine(setup):
    return Findings(["all well"], figures={"process": os.getpid(), "device": setup.device})


def faulty(setup):
    found = Findings()
    found.expect(1 + 1 == 3, "sums are off")
    return found


def raises(setup):
    raise ValueError("no such thing\nand more")


def lacks(setup):
    raise NotHere("there is no decoder")


def hangs(setup):
    time.sleep(600)


def is_killed(setup):
    os.kill(os.getpid(), signal.SIGKILL)


def run(*parts, seconds=120.0):
    told = []
    outcomes = run_parts(parts, CPU, seconds, told.append)
    assert told == outcomes
    return outcomes


def test_what_fails_is_told_and_the_next_part_runs_in_the_same_process():
    first, sums, error, lack, last = run(
        *(Part(each.__name__, each, 60) for each in (fine, faulty, raises, lacks, fine))
    )
    assert (first.status, first.facts) == ("passed", ["all well"])
    assert (sums.status, sums.faults) == ("failed", ["sums are off"])
    assert (error.status, error.faults) == ("failed", ["ValueError: no such thing"])
    assert (lack.status, lack.facts) == ("not here", ["there is no decoder"])
    assert last.figures["process"] == first.figures["process"] != os.getpid()
    assert last.figures["device"] == "cpu"


@pytest.mark.parametrize(
    ("part", "fault"), [(hangs, "took longer than 1 s"), (is_killed, "ended with code -9")]
)
def test_a_part_that_does_not_come_back_is_ended_and_the_next_one_runs(part, fault):
    first, bad, last = run(Part("a", fine, 60), Part("b", part, 1), Part("c", fine, 60))
    assert bad.status == "failed"
    assert fault in bad.faults[0]
    assert last.status == "passed"
    assert last.figures["process"] != first.figures["process"]


def test_a_part_that_spoils_its_process_has_one_of_its_own():
    one, other = run(Part("a", fine, 60, alone=True), Part("b", fine, 60))
    assert one.figures["process"] != other.figures["process"]


def test_parts_for_cards_say_so_elsewhere_and_what_has_no_time_is_not_begun():
    card, late = run(Part("a", hangs, 60, needs_card=True), Part("b", hangs, 60), seconds=1)
    assert (card.status, card.facts) == ("not here", ["needs an NVIDIA card"])
    assert late.status == "not begun"

"""How many workers a machine gets, and what each of them may use."""

import multiprocessing
import os
import sys

import pytest

from app.batch.units import Recipe
from app.batch.workers.crew_size import local_crew, usable_processors
from app.config.settings import NetworkOptions

CPU = NetworkOptions(device="cpu")
RECIPE = Recipe({}, "out", "", "")


def test_a_machine_gets_a_worker_for_each_processor_at_most():
    assert 1 <= local_crew(RECIPE, CPU, None).size <= len(usable_processors())


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_who_says_how_many_gets_as_many(workers):
    assert local_crew(RECIPE, CPU, workers).size == workers


def _size_on_one_processor(pipe):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pipe.send(local_crew(RECIPE, CPU, None).size)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processors are given by Linux")
def test_processors_that_this_process_may_not_use_do_not_count():
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_size_on_one_processor, args=(theirs,)
    )
    process.start()
    assert ours.recv() == 1
    process.join()

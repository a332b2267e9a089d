"""Memory of the process: that threads share heaps, so that it does not grow with their number."""

import os
import platform
import re
import subprocess
import sys

import pytest

GLIBC = platform.libc_ver()[0] == "glibc"
PROGRAM = """
from app.cli.launcher import main

try:
    main(["--version"])
except SystemExit:
    pass
"""
BATCH = """
from app.batch.units import Recipe
from app.batch.workers.unit_worker import UnitWorker

UnitWorker(Recipe({"device": "cpu"}, "out", "", "")).prepare()
"""
HEAPS = """
import ctypes, sys, threading
import numpy as np

together = threading.Barrier(24)


def hold():
    image = np.empty(100_000, np.uint8)
    together.wait()  # a thread that has ended would leave its heap to another


threads = [threading.Thread(target=hold) for _ in range(24)]
for each in threads:
    each.start()
for each in threads:
    each.join()
c = ctypes.CDLL(None)
c.fdopen.restype = ctypes.c_void_p
sys.stdout.flush()
out = ctypes.c_void_p(c.fdopen(1, b"w"))
c.malloc_info(0, out)
c.fflush(out)
"""


def heaps(begin, **variables):
    """How many heaps a process has that has begun, and 24 of whose threads hold an image each."""
    kept = {k: v for k, v in os.environ.items() if k not in {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"}}
    command = [sys.executable, "-c", begin + HEAPS]
    done = subprocess.run(command, env=kept | variables, capture_output=True, text=True, check=True)
    return len(re.findall("<heap ", done.stdout))


@pytest.mark.skipif(not GLIBC, reason="heaps of threads are glibc's")
@pytest.mark.parametrize("begin", [PROGRAM, BATCH], ids=["program", "batch"])
def test_however_many_threads_there_are_they_share_a_few_heaps(begin):
    assert heaps(begin) == min(25, max(4, os.cpu_count() or 1))


@pytest.mark.skipif(not GLIBC, reason="heaps of threads are glibc's")
def test_who_says_how_many_heaps_there_are_has_so_many():
    assert heaps(PROGRAM, MALLOC_ARENA_MAX="7") == 7

"""Schedules of work: recordings, threads, and the engine that the program uses."""

from __future__ import annotations

import random
import threading
import time

import numpy as np
import torch

from app.core.frame import Frame
from app.inference.engine import Engine, Segmented
from app.inference.engine_factory import make_engine
from app.rendering.view_options import InferencePass
from app.selfcheck.findings import Findings, Setup, pictures
from app.selfcheck.results import reference, same
from fastscnn.inference.cuda_graphs import CudaGraphRecorder


def graphs(setup: Setup) -> Findings:
    """Look whether the network is replayed from CUDA graphs, and gives what it gave unrecorded."""
    found = Findings()
    first, other = pictures(2)
    segmenter = setup.segmenter("half")
    eager = segmenter(first)
    again, moved, back = segmenter(first), segmenter(other), segmenter(first)
    found.expect(same(eager, again) and same(eager, back), "a replay gives other labels")
    found.expect(not same(eager, moved), "a replay gives the labels of the picture before")
    found.expect("without CUDA graphs" not in segmenter.runtime, "graphs are not in use")
    found.facts.append(segmenter.runtime)
    return found


def broken_recording(setup: Setup) -> Findings:
    """Let a recording fail, and look whether the device goes on on the same stream."""
    found = Findings()
    image = pictures(1)[0]
    segmenter = setup.segmenter("quarter")
    right, device = segmenter(image), segmenter.device
    before = torch.cuda.current_stream(device)
    try:
        CudaGraphRecorder(device).record(lambda: (torch.ones(1, device=device).cpu(),))
        found.faults.append("a copy to the host was recorded")
    except RuntimeError as error:
        found.facts.append(f"fails as it should ({str(error).splitlines()[0][:60]})")
    found.expect(torch.cuda.current_stream(device) == before, "another stream stays current")
    found.expect(same(segmenter(image), right), "the network gives other labels afterwards")
    fresh = setup.segmenter("quarter")
    fresh(image)
    found.expect(same(fresh(image), right), "a new network gives other labels afterwards")
    return found


def threads(setup: Setup) -> Findings:
    """Run one network from two threads, on the default stream."""
    found = Findings()
    segmenter, images = setup.segmenter("quarter"), pictures(2)
    right = [segmenter(image) for image in images]
    rounds = 150 if setup.on_card else 10
    wrong, errors = [0, 0], []

    def hammer(mine: int) -> None:
        try:
            for _ in range(rounds):
                wrong[mine] += not same(segmenter(images[mine]), right[mine])
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")

    workers = [threading.Thread(target=hammer, args=(mine,)) for mine in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found.faults += errors
    found.expect(sum(wrong) == 0, f"{sum(wrong)} of {2 * rounds} pictures got other labels")
    found.facts.append(f"{2 * rounds} pictures from two threads")
    return found


def engine(setup: Setup) -> Findings:
    """Compare the engine's predictions, several frames under way, with the segmenter's."""
    found = Findings()
    segmenter = setup.segmenter("quarter" if setup.quick else "half")
    images = pictures(3)
    images.append(np.ascontiguousarray(images[0][:333, :467]))
    passes = [
        (InferencePass(),),
        (InferencePass(skip=False),),
        (InferencePass(), InferencePass(skip=False)),
        (InferencePass(measure="probability"), InferencePass(skip=False, measure="entropy")),
    ]
    right = {
        (number, skip): segmenter(image, skip=skip)
        for number, image in enumerate(images)
        for skip in (True, False)
    }
    choose, wrong, count = random.Random(1), 0, 0
    numbers: list[int] = []

    def check(done: Segmented) -> None:
        nonlocal wrong, count
        number = numbers[done.frame.index]
        for seen in done.predictions:
            share = (seen.labels == right[number, seen.run.skip]).mean()
            wrong, count = wrong + (share < 0.999), count + 1

    used = make_engine(segmenter)
    for index in range(300 if setup.on_card else 24 if setup.quick else 60):
        numbers.append(choose.randrange(len(images)))
        frame = Frame(images[numbers[-1]], index, index / 30, time.monotonic(), lossless=True)
        if used.pending == used.depth:
            check(used.collect())
        used.submit(frame, choose.choice(passes))
    while used.pending:
        check(used.collect())
    used.close()
    found.expect(wrong == 0, f"{wrong} of {count} predictions are not the segmenter's")
    found.facts.append(f"{type(used).__name__}, {used.depth} under way: {count} predictions")
    return found


def memory_runs_out(setup: Setup) -> Findings:
    """Leave the network too little memory, and look whether it goes on at a smaller size."""
    found = Findings()
    image = pictures(1)[0]
    device = setup.segmenter("quarter").device
    total = torch.cuda.get_device_properties(device).total_memory
    for mib in (400, 150, 60):
        torch.cuda.empty_cache()
        room = torch.cuda.memory_reserved(device) + (mib << 20)
        torch.cuda.set_per_process_memory_fraction(min(room / total, 1.0), device)
        segmenter = setup.segmenter("full")
        used = make_engine(segmenter)
        labels = _run(used, image)
        plain = reference(used.segmenter.input_size)
        share = 100 * float((labels == plain(image)).mean())
        found.expect(share > 99.5, f"{share:.2f} % of labels are right with {mib} MiB more")
        found.facts.append(f"+{mib} MiB: {used.segmenter.input_size}, {used.segmenter.runtime}")
        used.close()
        del segmenter, used
    torch.cuda.set_per_process_memory_fraction(1.0, device)
    return found


def _run(used: Engine, image: np.ndarray) -> np.ndarray:
    for index in range(4):
        used.submit(
            Frame(image, index, index / 30, time.monotonic(), lossless=True), [InferencePass()]
        )
        done = used.collect()
    return done.predictions[0].labels

"""The whole program: decoding, encoding, live switching, and its memory over many runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from app.config.settings import NetworkOptions, Settings, SourceOptions
from app.core.memory import resident_mb
from app.core.stats import Stats
from app.errors import AppError
from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import Side, ViewOptions
from app.selfcheck.findings import Findings, NotHere, Setup, pictures
from app.sinks.recording.encoders import usable_encoders
from app.sources.source_factory import open_source
from app.sources.source_spec import SourceSpec, parse_source
from fastscnn.segmenter import default_checkpoint

_GROWTH_MB = 48
"""Growth of memory that is let pass, from the first runs to the last."""


@contextmanager
def clip(frames: int, width: int = 640, height: int = 360) -> Iterator[SourceSpec]:
    """Write a clip of the demo street, in H.264, for as long as it is needed."""
    shown = pictures(8, width, height)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for index in range(frames):
                frame = av.VideoFrame.from_ndarray(shown[index // 4 % 8], format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 30)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        yield parse_source(str(path))


def play(setup: Setup, spec: SourceSpec, frames: int, *, loop: bool = False) -> tuple[float, Stats]:
    """Run the program on a source without a window; frames per second from its first frame on.

    Raises:
        AppError: it failed.
    """
    settings = Settings(
        sources=(spec,),
        source=SourceOptions(max_frames=frames, loop=loop),
        network=NetworkOptions(
            device=setup.device, input_size="quarter" if setup.quick else "half"
        ),
    )
    pipeline = Pipeline(settings, display=False)
    pipeline.start()
    try:
        pipeline.open(spec)
        while pipeline.stats.counters().processed == 0:
            if _ended(pipeline):
                break
        started, before = time.monotonic(), pipeline.stats.counters().processed
        while not _ended(pipeline):
            pass
        seconds = time.monotonic() - started
    finally:
        pipeline.stop()
    return (pipeline.stats.counters().processed - before) / max(seconds, 1e-6), pipeline.stats


def _ended(pipeline: Pipeline) -> bool:
    while not pipeline.events.empty():
        event = pipeline.events.get()
        if event.kind == "error":
            raise AppError(event.text)
        if event.kind == "ended":
            return True
    time.sleep(0.005)
    return False


def _resident_mb() -> float:
    held = resident_mb()
    if held is None:
        raise NotHere("the memory of a process is read on Linux only")
    return held


def memory(setup: Setup) -> Findings:
    """Open sources and networks over and over in one process, then let one run for long."""
    found = Findings()
    _resident_mb()
    openings, frames, patience = (9, 60, 25.0) if setup.quick else (50, 2000, 60.0)
    end = time.monotonic() + patience * 2 / 3
    with clip(12) as spec:
        held = []
        for number in range(openings):
            play(setup, spec, 10 + number % 3)
            held.append(_resident_mb())
            if time.monotonic() > end and number >= 8:
                break
        opened, settled = len(held), held[min(3, len(held) - 1)]
        play(setup, spec, frames, loop=True)
    grown = held[-1] - settled
    later = _resident_mb() - held[-1]
    found.expect(grown < _GROWTH_MB, f"memory grew by {grown:.0f} MB over {opened} openings")
    found.expect(later < _GROWTH_MB, f"memory grew by {later:.0f} MB over {frames} frames")
    found.facts.append(f"{opened} openings {grown:+.0f} MB, {frames} frames {later:+.0f} MB")
    found.figures |= {"openings_mb": held, "frames": frames, "after_frames_mb": held[-1] + later}
    return found


def live_switching(setup: Setup) -> Findings:
    """Change skip, input size, weights, precision and view while the demo street plays."""
    found = Findings()
    network = NetworkOptions(device=setup.device, input_size="quarter")
    pipeline = Pipeline(Settings(network=network), display=True)
    pipeline.start()
    kinds: set[tuple[object, ...]] = set()

    def look(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            _ended(pipeline)
            result = pipeline.take()
            if result is not None and result.predictions:
                kinds.add((result.skip, result.view.view, result.predictions[0].logits.shape))

    try:
        pipeline.open(parse_source("demo"))
        end = time.monotonic() + 20
        while not kinds and time.monotonic() < end:
            look(0.1)
        for number in range(1 if setup.quick else 6):
            pipeline.live.skip = not pipeline.live.skip
            look(0.3)
            size = ("half", "quarter")[number % 2]
            pipeline.networks.use_options(replace(pipeline.networks.options, input_size=size))
            look(0.8)
            sides = Side(skip=True), Side(skip=False)
            pipeline.view = ViewOptions("side", *sides) if number % 2 else ViewOptions("confidence")
            pipeline.networks.use_weights(default_checkpoint())
            look(0.8)
        if setup.on_card:
            pipeline.networks.use_options(replace(pipeline.networks.options, precision="bf16"))
            look(1.0)
        status = pipeline.status()
    finally:
        pipeline.stop()
    counters = pipeline.stats.counters()
    balance = counters.captured - counters.shown - counters.dropped_total
    found.expect(not status.broken and not status.stuck, "the network ended or is stuck")
    found.expect(balance == 0, f"{balance} frames are not accounted for")
    found.expect(len(kinds) > 1, "nothing changed in what was shown")
    found.facts.append(f"{counters.shown} pictures of {len(kinds)} kinds, all accounted for")
    return found


def decoding(setup: Setup) -> Findings:
    """Compare pictures that the card decodes with those of the processor."""
    found = Findings()
    by, rates = {}, {}
    with clip(120, 960, 540) as spec:
        for way in ("none", "cuda"):
            source = open_source(replace(spec, hwaccel=way))
            began = time.perf_counter()
            by[way] = [picture.image for picture in iter(source.read, None)]
            rates[way] = len(by[way]) / (time.perf_counter() - began)
            source.close()
    found.facts.append(source.info.decoder)
    if "CPU" in source.info.decoder:
        raise NotHere(f"the card does not decode: {source.info.decoder}")
    pairs = zip(by["none"], by["cuda"], strict=True)
    off = float(np.mean([np.abs(a.astype(int) - b).mean() for a, b in pairs]))
    found.expect(off < 3, f"pictures are off by {off:.1f} grey levels")
    found.facts.append(
        f"pictures differ by {off:.2f} grey levels; {rates['cuda']:.0f} fps on the card,"
        f" {rates['none']:.0f} on the processor"
    )
    found.figures |= {"fps": rates}
    return found


def encoding(setup: Setup) -> Findings:
    """Look which encoders work; one of H.264 must."""
    found = Findings()
    encoders = usable_encoders()
    works = [name for name, reason in encoders.items() if not reason]
    found.expect(bool({"libx264", "h264_nvenc"} & set(works)), "nothing encodes H.264")
    found.facts.append(f"{', '.join(works)} work")
    if setup.on_card and not any("nvenc" in name for name in works):
        found.facts.append("none on the card")
    found.figures |= {"encoders": encoders}
    return found


_WITHOUT_COMPILER = """
import sys
from app.selfcheck.findings import Setup, pictures
segmenter = Setup(sys.argv[1], True).segmenter("quarter")
segmenter(pictures(1)[0])
print(segmenter.fallback or "compiled all the same")
"""


def no_compiler(setup: Setup) -> Findings:
    """Run without a C compiler and with no kernel compiled before."""
    found = Findings()
    with tempfile.TemporaryDirectory() as folder:
        hidden = {"PATH": folder, "TRITON_CACHE_DIR": folder}
        environment = {key: value for key, value in os.environ.items() if key != "CC"} | hidden
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT_COMPILER, setup.device],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    said = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    found.expect(done.returncode == 0, f"the first frame fails: {said[-1] if said else ''}")
    found.facts += said[-1:]
    return found

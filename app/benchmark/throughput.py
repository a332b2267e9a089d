"""Throughput of the whole program: ``python -m app.benchmark CLIP``.

Decoding, network, drawing and encoding are measured each alone, then together as a headless run
does it, a clip in and an annotated MP4 out, and beside it the plain loop (``baseline_loop``) on the
same frames. All in one run and in turn, so that a busy machine slows all alike. It stands here and
not in ``fastscnn.benchmark``, because the library knows nothing of videos.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

# As app.cli.launcher does, before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from app.config.settings import NetworkOptions, Settings, SourceOptions
from app.core.events import EventBus
from app.core.frame import Frame, Result
from app.core.stats import Stats
from app.errors import AppError, SourceError, UsageError
from app.inference.engine_factory import make_engine
from app.pipeline.pipeline import Pipeline
from app.rendering.overlay import draw
from app.rendering.view_options import ViewOptions
from app.sinks.recording.recorder import Recorder
from app.sources.source_factory import open_source
from app.sources.source_spec import SourceSpec, parse_source
from fastscnn.benchmarking.timing import describe_machine
from fastscnn.inference.input_size import InputSize, parse_input_size
from fastscnn.outputs import OutputError, check_apart, check_file, write_json
from fastscnn.paths import expand_user
from fastscnn.segmenter import DeviceError, Segmenter, default_checkpoint
from fastscnn.suggestions import SuggestingParser

_HELD = 32
"""Decoded frames that the stages after decoding are measured on, over and over."""


@dataclass(slots=True)
class Report:
    """Frames per second.

    Attributes:
        machine, network: what it was measured on and with.
        frames: how many, per measurement.
        alone: per stage, with nothing else running; the median of the rounds.
        together: the headless run, from the loaded network to the closed file.
        stages: what each stage reached during that run.
        plain: the plain loop.
        ratio: together to plain, the median of the rounds' own ratios.
        of_slowest: together to the slowest stage alone.
        cpu: processor seconds per frame of the headless run, all threads.
    """

    machine: str
    network: str
    frames: int
    alone: dict[str, float] = field(default_factory=dict)
    together: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    plain: float = 0.0
    ratio: float = 0.0
    of_slowest: float = 0.0
    cpu: float = 0.0


def _rate(frames: int, run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return frames / (time.perf_counter() - started)


def decode(spec: SourceSpec, frames: int) -> list[Frame]:
    """Read a clip's first frames; the last few are kept.

    Raises:
        SourceError: the clip cannot be read, or has no frame.
    """
    source = open_source(spec)
    held: list[Frame] = []
    try:
        for index in range(frames):
            picture = source.read()
            if picture is None:
                break
            held = [
                *held[-_HELD + 1 :],
                Frame(picture.image, index, picture.time, 0.0, lossless=True),
            ]
    finally:
        source.close()
    if not held:
        raise SourceError(f"{spec.name} has no frames: choose another clip.")
    return held


def stages_alone(
    spec: SourceSpec, segmenter: Segmenter, view: ViewOptions, out: Path, frames: int
) -> dict[str, float]:
    """Frames per second of decoding, network, drawing and encoding, one after the other."""
    held: list[Frame] = []
    rates = {"decode": _rate(frames, lambda: held.extend(decode(spec, frames)))}
    engine, runs = make_engine(segmenter), view.runs(True)
    results: list[Result] = []

    def network(count: int) -> None:
        done = 0
        for index in range(count + engine.depth - 1):
            if index < count:
                engine.submit(held[index % len(held)], runs)
            if index >= engine.depth - 1:
                segmented = engine.collect()
                if done < len(held):
                    results.append(
                        Result(segmented.frame, segmented.predictions, (), (), view, True)
                    )
                done += 1

    def overlay() -> None:
        for index in range(frames):
            result = results[index % len(results)]
            picture = draw(result.frame.image, view.sides[0].content, view, result.labels)
            if index < len(results):
                results[index] = Result(
                    result.frame, result.predictions, (picture,), ("",), view, True
                )

    def encode() -> None:
        recorder = Recorder(out, Stats(), EventBus(), overwrite=True)
        recorder.start()
        for index in range(frames):
            result = results[index % len(results)]
            frame = result.frame
            at = Frame(frame.image, index, index / 30, 0.0)
            recorder.put(
                Result(at, result.predictions, result.sides, result.captions, view, True), wait=True
            )
        recorder.finish()
        recorder.join()
        if recorder.error is not None:
            raise recorder.error

    network(2)
    results.clear()
    rates["network"] = _rate(frames, lambda: network(frames))
    rates["overlay"] = _rate(frames, overlay)
    rates["encode"] = _rate(frames, encode)
    return rates


def together(settings: Settings, out: Path) -> tuple[int, float, float, dict[str, float]]:
    """Run headless; frames, seconds from the loaded network to the closed file, processor seconds
    of all threads in that time, and what each stage reached.

    Raises:
        AppError: the run failed.
    """
    assert settings.sources
    pipeline = Pipeline(settings, display=False)
    try:
        pipeline.start()
        while pipeline.networks.ready_at is None:
            _raise_errors(pipeline, timeout=0.01)
        used = time.process_time()
        started = time.monotonic()
        pipeline.open(settings.sources[0])
        pipeline.start_recording(out, overwrite=True)
        while _raise_errors(pipeline, timeout=1.0) != "ended":
            pass
    finally:
        pipeline.stop()
    seconds, used = time.monotonic() - started, time.process_time() - used
    return pipeline.stats.counters().processed, seconds, used, pipeline.stats.stage_rates()


def _raise_errors(pipeline: Pipeline, timeout: float) -> str | None:
    import queue

    try:
        event = pipeline.events.get(timeout=timeout)
    except queue.Empty:
        return None
    if event.kind == "error":
        raise AppError(event.text)
    return event.kind


def plain(clip: Path, out: Path, *, input_size: str, device: str, frames: int) -> float:
    """Frames per second of the plain loop, in a process of its own.

    Raises:
        AppError: it failed.
    """
    # The libraries' defaults: threads that spin are what the public programs run with.
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    command = [sys.executable, "-m", "app.benchmark.baseline_loop", str(clip), str(out)]
    command += ["--input-size", input_size, "--device", device, "--frames", str(frames)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise AppError(f"The plain loop failed: {done.stderr.strip().splitlines()[-1]}")
    figures = json.loads(done.stdout)
    return float(figures["frames"] / figures["seconds"])


def measure(
    clip: str, *, input_size: str, device: str, runtime: str, frames: int, rounds: int
) -> Report:
    """Measure all, each in every round, on as many frames as there are up to ``frames``.

    Raises:
        AppError: something of it failed.
    """
    spec, size = parse_source(clip), parse_input_size(input_size)
    if spec.kind != "file":
        raise UsageError(f"{clip} is no video file: the benchmark takes one from a disk.")
    frames = decode(spec, frames)[-1].index + 1  # of a shorter clip, all
    if frames < 2:
        raise SourceError(f"{spec.name} has only one frame: choose a clip of two or more.")
    segmenter = _segmenter(size, device, runtime)
    network = f"{segmenter.device}, {segmenter.precision}, {segmenter.runtime}, {input_size}"
    report = Report(describe_machine(device), network, frames)
    settings = Settings(
        sources=(spec,),
        source=SourceOptions(max_frames=frames),
        network=NetworkOptions(device=device, runtime=runtime, input_size=size),
    )
    alone: list[dict[str, float]] = []
    runs: list[tuple[int, float, float, dict[str, float]]] = []
    plains: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mp4"
        for _ in range(rounds):
            plains.append(
                plain(Path(spec.value), out, input_size=input_size, device=device, frames=frames)
            )
            runs.append(together(settings, out))
            alone.append(stages_alone(spec, segmenter, settings.view, out, frames))
    fps = [count / seconds for count, seconds, _, _ in runs]
    report.alone = {s: statistics.median(each[s] for each in alone) for s in alone[0]}
    report.together = statistics.median(fps)
    report.stages = {
        stage: statistics.median(rates[stage] for *_, rates in runs if stage in rates)
        for stage in runs[0][3]
    }
    report.plain = statistics.median(plains)
    report.ratio = statistics.median(a / b for a, b in zip(fps, plains, strict=True))
    slowest = [f / min(each.values()) for f, each in zip(fps, alone, strict=True)]
    report.of_slowest = statistics.median(slowest)
    report.cpu = statistics.median(used / count for count, _, used, _ in runs)
    return report


def _segmenter(size: InputSize, device: str, runtime: str) -> Segmenter:
    try:
        return Segmenter.from_checkpoint(device=device, input_size=size, runtime=runtime)
    except DeviceError as error:
        raise AppError(str(error)) from error


def text(report: Report) -> str:
    """The report as a table."""
    lines = [report.machine, f"network: {report.network}; {report.frames} frames", ""]
    lines.append(f"{'stage alone':<28}{'fps':>8}{'ms':>8}")
    lines += [f"  {s:<26}{fps:8.1f}{1000 / fps:8.1f}" for s, fps in report.alone.items()]
    lines += ["", f"{'during the headless run':<28}{'fps':>8}{'ms':>8}"]
    lines += [f"  {s:<26}{fps:8.1f}{1000 / fps:8.1f}" for s, fps in report.stages.items()]
    slowest = min(report.alone, key=lambda s: report.alone[s])
    lines += [
        "",
        f"{'together, clip to MP4':<28}{report.together:8.1f}{1000 / report.together:8.1f}"
        f"   {report.of_slowest:.2f} × the slowest stage alone ({slowest});"
        f" {1000 * report.cpu:.0f} ms of processor time per frame",
        f"{'plain loop':<28}{report.plain:8.1f}{1000 / report.plain:8.1f}"
        f"   ours is {report.ratio:.1f} × as fast",
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = SuggestingParser(
        prog="python -m app.benchmark",
        description="Decoding, network, drawing and encoding, alone and together, beside the plain"
        " loop of public video programs.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("clip", help="a video file")
    parser.add_argument("--input-size", default="half", help="full, half, quarter, exact or HxW")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument(
        "--runtime", default="auto", help="what runs ours: auto, torch, onnxruntime or openvino"
    )
    parser.add_argument("--frames", type=int, default=200, help="frames per measurement")
    parser.add_argument("--rounds", type=int, default=3, help="times that all is measured")
    parser.add_argument("--json", type=expand_user, metavar="FILE", help="write the figures there")
    args = parser.parse_args(argv)
    if args.frames < 2 or args.rounds < 1:
        parser.error("--frames must be at least 2 and --rounds at least 1")
    try:
        if args.json:
            check_file(args.json, overwrite=True)
            check_apart([args.json], [Path(parse_source(args.clip).value), default_checkpoint()])
        report = measure(
            args.clip,
            input_size=args.input_size,
            device=args.device,
            runtime=args.runtime,
            frames=args.frames,
            rounds=args.rounds,
        )
        print(text(report))
        if args.json:
            write_json(args.json, asdict(report))
    except (AppError, OutputError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    return 0

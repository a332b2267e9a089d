"""Mutated files and arguments through the whole program: frames or one sentence, nothing else.

One process imports everything and forks for every file, so that a crash inside FFmpeg is seen as
what it is, and a file costs a second and not ten.
"""

from __future__ import annotations

import os
import pickle
import random
import re
import resource
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path

LIMIT = 10.0
"""Seconds after which a run counts as hanging, where the machine is not busy elsewhere."""
MOST_MEMORY = 2500.0
"""Megabytes; torch alone takes some hundred."""
TOGETHER = 2
_ERROR = "Error: "


@dataclass
class _Case:
    file: Path
    kind: str
    arguments: list[str]
    good: set[int]
    said: Path
    module: str = "app.cli.launcher"
    pid: int = 0
    begun: float = 0.0


def fuzz(
    folder: Path, counts: dict[str, int], seed: int, keep: Path | None = None
) -> dict[str, object]:
    """Run the program on so many mutated files of each kind; ``failures`` lists what failed."""
    # Imported by the parent, once; no thread of theirs runs before the forks.
    import av  # noqa: F401
    import cv2
    import torch  # noqa: F401

    import app.headless  # noqa: F401
    from fastscnn import (
        evaluate,  # noqa: F401
        segmenter,  # noqa: F401
    )

    cv2.setNumThreads(0)
    dice = random.Random(seed)
    makers = {
        "videos": _videos,
        "pictures": _pictures,
        "labels": _labels,
        "checkpoints": _checkpoints,
        "arguments": _arguments,
    }
    cases = [each for kind, count in counts.items() for each in makers[kind](folder, count, dice)]
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    slowest, largest = 0.0, 0.0
    running: list[_Case] = []
    while cases or running:
        while cases and len(running) < TOGETHER:
            running.append(_start(cases.pop()))
        time.sleep(0.02)
        for case in list(running):
            pid, status, used = os.wait4(case.pid, os.WNOHANG)
            seconds = time.monotonic() - case.begun
            hanging = not pid and seconds > _limit()
            if hanging:
                os.kill(case.pid, signal.SIGKILL)
                _, status, used = os.wait4(case.pid, 0)
            elif not pid:
                continue
            running.remove(case)
            memory = used.ru_maxrss / 1e3
            outcome, why = _judge(case, status, hanging, memory)
            outcomes[f"{case.kind}: {outcome}"] += 1
            slowest, largest = max(slowest, seconds), max(largest, memory)
            if why:
                failures.append(f"{case.file.name}: {why}")
                print(failures[-1], flush=True)
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(case.file, keep)
                    shutil.copy(case.said, keep / f"{case.file.name}.txt")
            case.file.unlink()
            if sum(outcomes.values()) % 100 == 0:
                print(dict(outcomes), flush=True)
    return {
        "outcomes": dict(sorted(outcomes.items())),
        "failures": failures,
        "slowest seconds": round(slowest, 1),
        "largest MB": round(largest),
    }


def _limit() -> float:
    """Seconds that a run may take: longer on a machine that is busy elsewhere."""
    return LIMIT * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _start(case: _Case) -> _Case:
    case.begun = time.monotonic()
    case.pid = os.fork()
    if case.pid == 0:
        _run(case)
    return case


def _run(case: _Case) -> None:
    """In the child: the program, with what it says going to a file; never returns."""
    code = 99
    try:
        said = os.open(case.said, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.chdir(case.file.parent)  # what a word makes is made there
        code = import_module(case.module).main(case.arguments)
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 99
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        import sys

        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _judge(case: _Case, status: int, hanging: bool, memory: float) -> tuple[str, str]:
    """What became of a run, and why that is not good; empty where it is."""
    said = case.said.read_text("utf-8", "replace")
    if hanging:
        return "hang", f"still running after {time.monotonic() - case.begun:.0f} s"
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return "crash", f"ended by {name}; said {said[-300:]!r}"
    code = os.WEXITSTATUS(status)
    if "Traceback" in said:
        return "traceback", said[-600:]
    if code not in case.good:
        return f"exit code {code}", said[-600:]
    if memory > MOST_MEMORY:
        return "memory", f"{memory:.0f} MB"
    if code == 0:
        return (
            ("frames", "")
            if case.kind == "arguments" or re.search(r"\d frames? in |mean IoU", said)
            else ("silence", f"said {said!r}")
        )
    sentences = [line for line in said.splitlines() if line.startswith(_ERROR)]
    return ("a sentence", "") if len(sentences) == 1 else ("words", said[-600:])


_HEADLESS = ("--headless", "--device", "cpu", "--input-size", "32x64")


def _mutants(
    folder: Path, make: Callable[[Path], None], kind: str, count: int, dice: random.Random
) -> Iterator[tuple[int, Path]]:
    """Write so many mutated copies of the files that a function makes, and number them."""
    bases = _made(make, folder / kind) if count else []
    for index in range(count):
        base = bases[index % len(bases)]
        file = folder / f"{kind}{index}-{base.name}"
        file.write_bytes(_mutated(base.read_bytes(), dice))
        yield index, file


def _videos(folder: Path, count: int, dice: random.Random) -> Iterator[_Case]:
    for index, file in _mutants(folder, _make_videos, "video", count, dice):
        # Every other one with its sound.
        out = ("-o", str(folder / f"video{index}.out.mp4")) if index % 2 else ()
        arguments = [str(file), *_HEADLESS, "--max-frames", "40", *out]
        yield _Case(file, "video", arguments, {0, 3}, folder / f"video{index}.txt")


def _pictures(folder: Path, count: int, dice: random.Random) -> Iterator[_Case]:
    for index, file in _mutants(folder, _make_pictures, "picture", count, dice):
        arguments = [str(file), *_HEADLESS]
        yield _Case(file, "picture", arguments, {0, 3}, folder / f"picture{index}.txt")


def _checkpoints(folder: Path, count: int, dice: random.Random) -> Iterator[_Case]:
    for index, file in _mutants(folder, _make_checkpoints, "checkpoint", count, dice):
        arguments = ["demo", *_HEADLESS, "--max-frames", "1", "--weights", str(file)]
        yield _Case(file, "checkpoint", arguments, {0, 4}, folder / f"checkpoint{index}.txt")


def _labels(folder: Path, count: int, dice: random.Random) -> list[_Case]:
    bases = _made(_make_pictures, folder / "labelled") if count else []
    pngs = [base for base in bases if "png" in base.suffix]
    cases = []
    for index in range(count):
        data = folder / f"l{index}"
        for part in ("images", "labels"):
            (data / part).mkdir(parents=True)
        shutil.copy(next(p for p in pngs if "color" in p.name), data / "images" / "a.png")
        file = data / "labels" / "a.png"
        file.write_bytes(_mutated(pngs[index % len(pngs)].read_bytes(), dice))
        arguments = [f"folder:{data}", "--device", "cpu", "--input-size", "32x64"]
        said = folder / f"l{index}.txt"
        cases.append(_Case(file, "labels", arguments, {0, 3}, said, "fastscnn.evaluate"))
    return cases


_WORDS = (
    "",
    "-1",
    "0",
    "1e9",
    "nan",
    "~",
    "32x64",
    "x",
    "demo",
    "../x",
    "a=b",
    "📷",
    "%s",
    "-o",
)


def _arguments(folder: Path, count: int, dice: random.Random) -> list[_Case]:
    from app.cli.argument_parser import build_parser

    flags = [flag for action in build_parser()._actions for flag in action.option_strings]
    quiet = {"-h", "--help", "--help-all", "--version"}
    cases = []
    for index in range(count):
        file = folder / f"a{index}"
        file.touch()
        arguments = ["demo", *_HEADLESS]
        arguments += ["--record-dir", str(file) + "-out", "--max-frames", "1"]
        for _ in range(dice.choice([1, 1, 2, 4])):
            flag = dice.choice([f for f in flags if f not in quiet])
            arguments += [flag, *dice.choices(_WORDS, k=dice.choice([0, 1, 1, 2]))]
        said = folder / f"a{index}.txt"
        cases.append(_Case(file, "arguments", arguments, {0, 2, 3, 4, 5}, said))
    return cases


def _mutated(content: bytes, dice: random.Random) -> bytes:
    """A file with one to three of the damages that files suffer, or are given."""
    data = bytearray(content)
    for _ in range(dice.choice([1, 1, 2, 3])):
        size = len(data)
        if size < 16:
            break
        way = dice.randrange(7)
        at = dice.randrange(size)
        length = dice.randrange(1, max(2, size // 8))
        if way == 0:  # bytes here and there
            for _ in range(dice.choice([1, 10, 200])):
                data[dice.randrange(size)] = dice.randrange(256)
        elif way == 1:  # in the head, where sizes and counts stand
            for _ in range(dice.choice([1, 4, 16])):
                data[dice.randrange(min(size, 2048))] = dice.choice([0, 1, 127, 128, 255])
        elif way == 2:  # in the tail, where indexes stand
            for _ in range(dice.choice([1, 4, 16])):
                data[-1 - dice.randrange(min(size, 4096))] = dice.choice([0, 1, 127, 128, 255])
        elif way == 3:
            del data[at:]
        elif way == 4:
            del data[at : at + length]
        elif way == 5:
            data[at : at + length] = bytes(length)
        else:
            data[at:at] = data[max(0, at - length) : at]
    return bytes(data)


def _make_videos(folder: Path) -> None:
    import av
    import numpy as np

    from tests.support.media import picture

    kinds = {
        "a.mp4": ("libx264", "aac", "yuv420p"),
        "b.mkv": ("ffv1", "flac", "yuv420p"),
        "c.webm": ("libvpx-vp9", "libopus", "yuv420p"),
        "d.avi": ("mjpeg", "libmp3lame", "yuvj420p"),
        "e.ts": ("libx264", "aac", "yuv420p"),
        "f.mp4": ("libx265", "aac", "yuv420p"),
        "g.avi": ("mpeg4", "pcm_s16le", "yuv420p"),
        "h.mp4": ("libsvtav1", "alac", "yuv420p"),
        "i.gif": ("gif", None, "rgb8"),
        "j.mpg": ("mpeg2video", "mp2", "yuv420p"),
    }
    for name, (video, audio, pixels) in kinds.items():
        path = folder / f"base-{name}"
        with av.open(str(path), "w") as container:
            options = {"x265-params": "log-level=none"} if video == "libx265" else {}
            stream = container.add_stream(video, rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt = 128, 96, pixels
            sound = container.add_stream(audio, rate=48000) if audio else None
            packets = []
            for index in range(24):
                frame = av.VideoFrame.from_ndarray(picture(index, 128, 96), format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                packets += stream.encode(frame)
            packets += stream.encode(None)
            if sound is not None:
                sound.layout = "stereo"
                size = sound.codec_context.frame_size or 1024
                kind = sound.codec_context.format.name
                for begin in range(0, 46080, size):
                    wave = (np.sin(np.arange(begin, begin + size) / 20) * 9000).astype(np.int16)
                    piece = av.AudioFrame.from_ndarray(
                        np.repeat(wave, 2)[None], format="s16", layout="stereo"
                    )
                    piece.sample_rate = 48000
                    piece.pts, piece.time_base = begin, Fraction(1, 48000)
                    for part in av.AudioResampler(format=kind, layout="stereo").resample(piece):
                        packets += sound.encode(part)
                packets += sound.encode(None)
            packets.sort(key=lambda p: float((p.dts or 0) * p.time_base))
            for packet in packets:
                container.mux(packet)


def _make_pictures(folder: Path) -> None:
    import numpy as np
    from PIL import Image

    from tests.support.media import picture

    image = Image.fromarray(picture(3, 96, 64))
    for suffix in ("png", "jpg", "webp", "bmp", "tiff", "gif", "avif"):
        image.save(folder / f"base-color.{suffix}")
    more = [Image.fromarray(picture(i, 96, 64)) for i in range(4)]
    for suffix in ("webp", "png", "tiff", "gif"):
        image.save(folder / f"base-many.{suffix}", save_all=True, append_images=more)
    labels = np.arange(64 * 96, dtype=np.uint8).reshape(64, 96) % 19
    Image.fromarray(labels).save(folder / "base-grey.png")
    Image.fromarray(labels % 16).convert("P").save(folder / "base-four.png", bits=4)
    Image.fromarray(labels % 2).convert("1").save(folder / "base-one.png")


def _made(make: Callable[[Path], None], folder: Path) -> list[Path]:
    """The files to mutate, made in a child: no library must start its threads here."""
    folder.mkdir()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            make(folder)
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert status == 0, "the files to mutate could not be made"
    return sorted(folder.glob("base-*"))


def _make_checkpoints(folder: Path) -> None:
    """Ours, and those of other programs: as they are, wrapped, of an older torch, Paddle, Keras."""
    import torch

    from fastscnn.checkpoints.checkpoint import Checkpoint, load, save
    from fastscnn.model.fast_scnn import FastSCNN
    from tests.support.keras_networks import KerasLike, write_keras, write_legacy
    from tests.support.reference_models import PaddleLike, SegmenTronLike

    save(Checkpoint(FastSCNN().eval(), origin="fuzz"), folder / "base-ours.pth")
    state = SegmenTronLike().state_dict()
    torch.save(state, folder / "base-state.pth")
    torch.save({"state_dict": state, "epoch": 3}, folder / "base-wrapped.pth")
    torch.save(state, folder / "base-old.pth", _use_new_zipfile_serialization=False)
    with (folder / "base-paddle.pdparams").open("wb") as file:
        pickle.dump(PaddleLike().paddle_state(), file, protocol=4)
    keras = KerasLike("rachthree")
    keras(torch.zeros(1, 3, 256, 256))
    write_legacy(folder / "base-keras.h5", keras.numbered(), whole=True)
    write_keras(folder / "base-keras.keras", keras.by_depth())
    for path in folder.iterdir():
        load(path)  # what is not read whole tells nothing when it is damaged

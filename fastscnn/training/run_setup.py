"""Run set-up: the part that the training commands have in common."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from fastscnn.checkpoints.checkpoint import CheckpointError
from fastscnn.console import say_error
from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet, class_set, read_classes
from fastscnn.data.pair_dataset import DataError
from fastscnn.outputs import OutputError, as_json, check_apart
from fastscnn.paths import expand_user
from fastscnn.segmenter import DeviceError
from fastscnn.suggestions import SuggestingParser
from fastscnn.training import distributed
from fastscnn.training.distributed import World
from fastscnn.training.initial_weights import STATE_NAME, InitialWeights, read_start
from fastscnn.training.recipe import Recipe
from fastscnn.training.recipe_options import config_file, given, read_config, recipe_of
from fastscnn.training.run_log import FILES, RunLog
from fastscnn.training.run_loop import BEST, LAST, Pace, TrainingRun
from fastscnn.training.task import Task
from fastscnn.training.trainer import Trainer, saved_run

CONFIG = "config.json"
BYTES_PER_PIXEL = 900
"""Memory that a training step takes per pixel of its batch, measured in float32 on a CPU."""
T = TypeVar("T")


class Validator(Protocol):
    """Validator of a network while it learns: see ``Validate``."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the figures, in order."""

    def __call__(self, weights: dict[str, torch.Tensor]) -> dict[str, float]:
        """Figures of a network with these weights."""


def parser_of(name: str, data: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """Return the parser of a training command, without options so far.

    Args:
        name: of the command.
        data: metavar of what it learns from and judges by.
        description, epilog: lines of its help, printed as they are.
    """
    command = f"python -m fastscnn.{name}"
    return SuggestingParser(
        prog=command,
        usage=f"{command} --run DIR --data {data} [--val {data}] [options]\n"
        f"       {command} --run DIR --resume",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Give the parser the options of where and on what to run."""
    group = parser.add_argument_group("the run")
    group.add_argument(
        "--run",
        "--run-dir",  # torchrun takes --run for an abbreviation of an option of its own
        dest="run",
        type=expand_user,
        required=True,
        metavar="DIR",
        help="the run's folder; under torchrun only the longer name works",
    )
    group.add_argument(
        "--resume", action="store_true", help="go on with the run of that folder where it stopped"
    )
    group.add_argument(
        "--config",
        type=expand_user,
        metavar="FILE",
        help="a run's config.json (or its folder): do the same again; options go before it",
    )
    group.add_argument(
        "--start",
        type=expand_user,
        metavar="FILE",
        help="weights to start from: a checkpoint, a run's folder or state.pth (these bring the"
        " auxiliary heads along), or what fastscnn.pretrain left",
    )
    group.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: auto)"
    )
    group.add_argument(
        "--workers",
        type=_count,
        default=1,
        metavar="N",
        help="threads that prepare samples ahead (default: 1)",
    )
    group.add_argument(
        "--save-every",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="between two saved states, so what a kill costs at most (default: 60)",
    )


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} must be 0 or more")
    return value


def positive(text: str) -> int:
    """Return a whole number above 0, for ``argparse``."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} must be at least 1")
    return value


def guard(folder: Path, body: Callable[[], None]) -> int:
    """Run a command's body; return its exit code and report any error in a sentence."""
    try:
        body()
    except DeviceError as error:
        return say_error(str(error), 2)
    except DataError as error:
        return say_error(str(error), 3)
    except CheckpointError as error:
        return say_error(str(error), 4)
    except OutputError as error:
        return say_error(str(error), error.exit_code)
    except OSError as error:
        return say_error(f"{folder} cannot be written: {error.strerror or error}.", 5)
    except torch.OutOfMemoryError:
        return say_error("The GPU's memory is full: choose a smaller --batch or --crop.", 1)
    except KeyboardInterrupt:
        return say_error("Interrupted: --resume goes on from the last saved state.", 130)
    finally:
        distributed.leave()
    return 0


@dataclass(frozen=True, slots=True)
class Opened:
    """Opened run: what its options, config file and saved state request.

    Attributes:
        world: the processes that share the run.
        device: to use.
        config: values of the config file, the run's own where it is resumed.
        recipe: how to train.
        state: of the run, where it is resumed.
        start: weights to begin with, if any.
    """

    world: World
    device: str
    config: dict[str, Any]
    recipe: Recipe
    state: dict[str, Any] | None
    start: InitialWeights | None


def open_run(parser: argparse.ArgumentParser, args: argparse.Namespace, kind: str) -> Opened:
    """Read all that defines the run, and refuse what does not go together.

    Raises:
        CheckpointError: a run is there or not there against expectation, or a file is unusable.
    """
    world, device = distributed.join(args.device)
    if args.resume:
        own = args.run / CONFIG
        state, recipe = saved_run(args.run, kind)
        for name, value in given(args).items():
            if getattr(recipe, name) != value:
                raise CheckpointError(
                    f"The run in {args.run} was begun with --{name.replace('_', '-')}"
                    f" {getattr(recipe, name)}, not {value}: resume it with its own recipe, or"
                    " begin a new one from it by --start."
                )
        return Opened(
            world, device, read_config(own if own.exists() else None), recipe, state, None
        )
    if world.is_first and (args.run / STATE_NAME).exists():
        raise CheckpointError(
            f"{args.run} holds a run already: go on with it by --resume, or choose another folder."
        )
    config = read_config(args.config)
    try:
        recipe = recipe_of(args, config)
    except ValueError as error:
        parser.error(str(error))
    path = args.start or config.get("start")
    return Opened(
        world, device, config, recipe, None, read_start(expand_user(path)) if path else None
    )


def classes_of(
    parser: argparse.ArgumentParser, path: str | None, config: dict[str, Any]
) -> ClassSet:
    """Return the classes to learn: those of a file, of the config, or of Cityscapes."""
    try:
        if path:
            return read_classes(path)
        return class_set(config["classes"]) if config.get("classes") else CITYSCAPES_SET
    except ValueError as error:
        parser.error(f"--classes: {error}" if path else f"--config: of its classes, {error}.")


def restored(
    opened: Opened, args: argparse.Namespace, from_dict: Callable[[dict[str, Any]], T]
) -> T:
    """Return the task of a resumed run.

    Raises:
        CheckpointError: its state is damaged, or other data are asked for.
    """
    state = opened.state or {}
    path = args.run / STATE_NAME
    try:
        values = state["task"]
        if args.data and args.data != values["data"]:
            raise CheckpointError(
                f"The run in {args.run} was begun with other data: --resume needs no --data."
            )
        if getattr(args, "classes", None):
            raise CheckpointError(
                f"The run in {args.run} has its classes already: --resume needs no --classes."
            )
        return from_dict(values)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged ({error}).") from error


def trainer_of(task: Task, args: argparse.Namespace, opened: Opened) -> Trainer:
    """Return the trainer of a task, in the run's folder and on its device."""
    return Trainer(
        task,
        opened.recipe,
        args.run,
        device=opened.device,
        start=opened.start,
        workers=args.workers,
        world=opened.world,
    )


def given_or_before(given: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """Return values given now, each replaced by the earlier one where it is ``None``."""
    before = before or {}
    return {name: before.get(name) if value is None else value for name, value in given.items()}


def run(
    trainer: Trainer,
    args: argparse.Namespace,
    opened: Opened,
    config: dict[str, Any],
    validation: Validator | None,
    data: Iterable[Path],
) -> None:
    """Begin or resume the run, train to its end, and report what it left.

    Args:
        trainer: of the run.
        args: the command's.
        opened: the run.
        config: values of its config file beside the recipe; ``validation`` among them holds the
            interval, ``every``.
        validation: judges the network, if any.
        data: files that the run reads, of the command's own.

    Raises:
        OutputError: one of the run's files would replace what the run reads.
    """
    if trainer.world.is_first:
        _check_outputs(args, opened, data)
    begin(trainer, args, opened, config)
    every = config["validation"]["every"]
    if not every:
        every = max(1, trainer.recipe.steps // Pace.JUDGED) if trainer.recipe.steps else 0
    # A look at the loss costs a CPU nothing; another device has to finish all that it was given.
    read_every = 1 if trainer.device.type == "cpu" else 10
    names = list(validation.names) if validation else []
    TrainingRun(trainer, Pace(every, args.save_every, read_every), validation, names)()
    conclude(trainer)


def _check_outputs(args: argparse.Namespace, opened: Opened, data: Iterable[Path]) -> None:
    read = list(data)
    if opened.state is None:
        read += [opened.start.path] if opened.start else []
        read += [config_file(args.config)] if args.config else []
    check_apart([args.run / name for name in (CONFIG, STATE_NAME, LAST, BEST, *FILES)], read)


def begin(trainer: Trainer, args: argparse.Namespace, opened: Opened, more: dict[str, Any]) -> None:
    """Load the state of a resumed run, or write a new one's first files.

    They are written before the first step: a folder that refuses them would cost hours.
    """
    if trainer.device.type == "cpu" and hasattr(os, "sysconf"):
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        check_memory(trainer.recipe, trainer.world.size, memory)
    if opened.state is not None:
        trainer.load_state(opened.state)
    elif trainer.world.is_first:
        values = {
            "preset": args.preset or opened.config.get("preset") or "paper",
            "start": str(args.start or opened.config.get("start") or "") or None,
            **more,
            "recipe": trainer.recipe.to_dict(),
        }
        write_config(args.run, values)
        trainer.save_state()
    announce(trainer)


def write_config(folder: Path, values: dict[str, Any]) -> None:
    """Write what reproduces the run, for people and for ``--config``."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{CONFIG}.{os.getpid()}.part"
    try:
        temporary.write_bytes(as_json(values))
        os.replace(temporary, folder / CONFIG)
    finally:
        temporary.unlink(missing_ok=True)


def check_memory(recipe: Recipe, processes: int, memory: int) -> None:
    """Check that a training on the CPU fits into its memory, before the system ends it unasked.

    Args:
        recipe: whose batch and crop count.
        processes: that share the batch, on this machine.
        memory: bytes that the machine has.

    Raises:
        DeviceError: it does not.
    """
    need = BYTES_PER_PIXEL * recipe.batch * recipe.crop[0] * recipe.crop[1]
    if need > memory:
        raise DeviceError(
            f"A batch of {recipe.batch} at {recipe.crop[0]}×{recipe.crop[1]} needs about"
            f" {need / 2**30:.0f} GB in {processes} process{'es' * (processes > 1)}, this machine"
            f" has {memory / 2**30:.0f}: choose --preset cpu, or a smaller --batch or --crop."
        )


def announce(trainer: Trainer) -> None:
    """Report what is about to run, and on what."""
    recipe = trainer.recipe
    if not trainer.world.is_first:
        return
    if trainer.started and not trainer.step:
        print(trainer.started)
    batches = " or ".join(
        f"{each.batch} samples at {each.crop[0]}×{each.crop[1]}" for each in recipe.turns
    )
    processes = f", {trainer.world.size} processes" * (trainer.world.size > 1)
    precision = {"none": "float32", "bf16": "bfloat16", "fp16": "float16"}[trainer.amp]
    length = f"{recipe.steps} steps" if recipe.steps else f"{recipe.minutes:g} minutes, in steps"
    print(
        f"{length} of {batches}"
        f" on {trainer.device}, {precision}{processes}"
        + (f", from step {trainer.step}" if trainer.step else "")
    )
    if trainer.batches.about:
        print(trainer.batches.about)
    if trainer.device.type == "cpu" and recipe.batch * recipe.crop[0] * recipe.crop[1] > 2**23:
        print("This is a recipe for GPUs, here it takes weeks: --preset cpu is one for a CPU.")
    if not RunLog.can_draw():
        print("curve.png is left out: it needs matplotlib, pip install 'fastscnn-live[train]'.")
    sys.stdout.flush()


def conclude(trainer: Trainer) -> None:
    """Report what the run left."""
    if not trainer.world.is_first:
        return
    refused = f", {trainer.refused} of them left out (no finite gradient)" * bool(trainer.refused)
    best = trainer.folder / BEST
    also = f", {best} ({100 * trainer.best:.1f} %)" if trainer.best is not None else ""
    print(f"{trainer.step} steps{refused}: {trainer.folder / LAST}{also}")

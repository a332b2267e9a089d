"""Checkpoint averaging: ``python -m fastscnn.soup A.pth B.pth -o C.pth``.

The weights of runs that began from the same ones can be averaged, and the average is often better
than each, at no cost when it runs (Wortsman et al., Model soups, 2022). Statistics of batch norm
are averaged like the weights.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import torch

from fastscnn.checkpoints.checkpoint import Checkpoint, CheckpointError, load, save
from fastscnn.console import run_command, say_error
from fastscnn.outputs import OutputError, check_apart
from fastscnn.paths import expand_user
from fastscnn.suggestions import SuggestingParser


def average(checkpoints: Sequence[Checkpoint]) -> Checkpoint:
    """Return the mean of some checkpoints' weights, each counting the same.

    Its ``info`` is that of the first, with the steps and runs of all as ``soup``.

    Raises:
        ValueError: there is none, or they are not of one network with one normalisation.
    """
    if not checkpoints:
        raise ValueError("there is nothing to average")
    first = checkpoints[0]
    alike = (first.model.config, first.mean, first.std, first.classes)
    for other in checkpoints[1:]:
        if (other.model.config, other.mean, other.std, other.classes) != alike:
            raise ValueError("they are not of the same network, classes and normalisation")
    states = [checkpoint.model.state_dict() for checkpoint in checkpoints]
    mean = {
        name: torch.stack([state[name].double() for state in states]).mean(0).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in states[0].items()
    }
    model = copy.deepcopy(first.model)  # as wide as pruning left it
    model.load_state_dict(mean)
    info = {**first.info, "soup": [checkpoint.info for checkpoint in checkpoints]}
    return Checkpoint(model.eval(), first.mean, first.std, first.classes, info)


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = SuggestingParser(
        prog="python -m fastscnn.soup",
        description="Average the weights of runs that began from the same ones.",
    )
    parser.add_argument("weights", nargs="+", type=expand_user, metavar="FILE", help="checkpoints")
    parser.add_argument(
        "-o", "--output", required=True, type=expand_user, help="the checkpoint to write"
    )
    parser.add_argument("--half", action="store_true", help="store float16, half the size")
    parser.add_argument("--overwrite", action="store_true", help="replace it where it exists")
    args = parser.parse_args(argv)
    output: Path = args.output
    if output.exists() and not args.overwrite:
        return say_error(f"{output} exists: give another name, or --overwrite to replace it.", 5)
    try:
        check_apart([output], args.weights)
        save(average([load(path) for path in args.weights]), output, half=args.half)
    except OutputError as error:
        return say_error(str(error), error.exit_code)
    except CheckpointError as error:
        return say_error(str(error), 4)
    except ValueError as error:
        return say_error(f"These checkpoints cannot be averaged: {error}.", 4)
    except OSError as error:
        return say_error(f"{output} cannot be written ({error.strerror or error}).", 5)
    print(f"{output}: the average of {len(args.weights)} checkpoints")
    return 0


if __name__ == "__main__":
    run_command(main)

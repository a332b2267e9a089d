"""The view on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

from app.errors import UsageError
from app.rendering.view_options import (
    PAIRED,
    VIEWS,
    Side,
    View,
    ViewOptions,
    parse_classes,
    parse_side,
)

_T = TypeVar("_T")
_SWEEP = 6.0
"""Seconds in which ``--split sweep`` goes there and back."""


def share(text: str) -> float:
    """A number from 0 to 1.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} must be a number from 0 to 1")
    return value


def _split(text: str) -> float | str:
    return text if text == "sweep" else share(text)


def _saying(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """``parse`` with its ``ValueError`` as argparse wants it."""

    def checked(text: str) -> _T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return checked


def add_view_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the group of arguments that ``view_from`` reads."""
    group = parser.add_argument_group(
        "view", "what is shown and recorded, in the window and without one"
    )
    group.add_argument(
        "--view",
        choices=VIEWS,
        metavar="VIEW",
        help="overlay, labels, confidence, raw; side (two pictures next to each other) or wipe"
        " (two under a divider); default: overlay",
    )
    group.add_argument(
        "--left",
        type=_saying(parse_side),
        metavar="WHAT",
        help="left of side or wipe: overlay, labels, confidence or raw, skip-on or skip-off,"
        " weights-a or weights-b, joined by + (labels+skip-off); default: raw",
    )
    group.add_argument(
        "--right", type=_saying(parse_side), metavar="WHAT", help="right of it; default: overlay"
    )
    group.add_argument(
        "--split",
        type=_split,
        metavar="0..1",
        help="where the divider of the wipe is, or sweep: it goes to and fro; default: 0.5",
    )
    group.add_argument(
        "--weights-b", metavar="WEIGHTS", help="the second checkpoint, for weights-b"
    )
    group.add_argument(
        "--alpha",
        type=share,
        default=0.5,
        metavar="0..1",
        help="weight of the colours over the picture; default: 0.5",
    )
    group.add_argument("--contours", action="store_true", help="draw borders between classes")
    classes = group.add_mutually_exclusive_group()
    classes.add_argument(
        "--hide",
        type=_saying(parse_classes),
        metavar="CLASSES",
        help="leave out the colours of classes or groups, with commas: sky,vegetation",
    )
    classes.add_argument(
        "--only", type=_saying(parse_classes), metavar="CLASSES", help="leave out all others"
    )
    group.add_argument(
        "--confidence",
        choices=["probability", "entropy"],
        default="probability",
        help="what confidence shows: the highest probability (default), or the entropy of all",
    )


def view_from(args: argparse.Namespace) -> ViewOptions:
    """The view from parsed arguments.

    ``--left``, ``--right`` or ``--split`` alone mean a wipe; ``--weights-b`` alone a wipe of both
    checkpoints.

    Raises:
        UsageError: they do not go together.
    """
    view: View | None = args.view
    sides: list[Side | None] = [args.left, args.right]
    if view is not None and view not in PAIRED and (any(sides) or args.split is not None):
        raise UsageError(
            f"--left, --right and --split are for two pictures, not for {view}: "
            "use --view wipe or side."
        )
    if args.split is not None and view == "side":
        raise UsageError("--split is where the divider of a wipe is: use it with --view wipe.")
    if args.weights_b is not None and not any(sides) and (view is None or view in PAIRED):
        sides = [Side(weights="a"), Side(weights="b")]
    if view is None:
        view = "wipe" if any(sides) or args.split is not None else "overlay"
    sweeps = args.split == "sweep"
    options = ViewOptions(
        view=view,
        left=sides[0] or Side("raw"),
        right=sides[1] or Side("overlay"),
        split=0.5 if args.split is None or sweeps else args.split,
        sweep=_SWEEP if sweeps else 0.0,
        alpha=args.alpha,
        contours=args.contours,
        hidden=args.hide or frozenset(),
        measure=args.confidence,
    )
    if args.only is not None:
        options = options.showing_only(args.only)
    if options.compares_weights and args.weights_b is None:
        raise UsageError("weights-b needs a second checkpoint: name it with --weights-b.")
    if args.weights_b is not None and not options.compares_weights:
        raise UsageError(
            "--weights-b is shown nowhere: use --left weights-a --right weights-b, or leave both."
        )
    return options

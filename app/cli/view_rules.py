"""View rules: view options from given arguments, and which go together."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from app.cli.output_rules import check_names
from app.config.arguments import ViewArguments
from app.config.settings import NetworkOptions
from app.errors import UsageError
from app.rendering.view_options import (
    PAIRED,
    NamedClasses,
    Side,
    View,
    ViewOptions,
)
from fastscnn.labels import CLASS_NAMES

_T = TypeVar("_T")
_SWEEP = 6.0
"""Seconds in which ``--split sweep`` goes there and back."""


def view_from(args: ViewArguments, network: NetworkOptions) -> ViewOptions:
    """The view from parsed arguments.

    ``--left``, ``--right`` or ``--split`` alone mean a wipe; ``--weights-b`` alone a wipe of both
    checkpoints. Names of classes are known once the network is, but for the shipped one's.

    Raises:
        UsageError: they do not go together.
    """
    view: View | None = args.view
    weights_b = network.weights_b
    sides: list[Side | None] = [args.left, args.right]
    if view is not None and view not in PAIRED and (any(sides) or args.split is not None):
        raise UsageError(
            f"--left, --right and --split are for two pictures, not for {view}: "
            "use --view wipe or side."
        )
    if args.split is not None and view == "side":
        raise UsageError("--split is where the divider of a wipe is: use it with --view wipe.")
    if weights_b is not None and not any(sides) and (view is None or view in PAIRED):
        sides = [Side(weights="a"), Side(weights="b")]
    if view is None:
        view = "wipe" if any(sides) or args.split is not None else "overlay"
    sweeps = args.split == "sweep"
    options = ViewOptions(
        view=view,
        left=sides[0] or Side("raw"),
        right=sides[1] or Side("overlay"),
        split=args.split if isinstance(args.split, float) else 0.5,
        sweep=_SWEEP if sweeps else 0.0,
        alpha=args.alpha,
        contours=args.contours,
        class_names=args.class_names,
        steady=args.steady,
        palette=args.palette,
        measure=args.confidence,
        blurred=args.blur,
    )
    if args.hide or args.only:
        named = NamedClasses(args.only or args.hide or (), only=args.only is not None)
        check_names("--only" if named.only else "--hide", named.names, network)
        options = replace(options, named=named)
        options = options if network.weights else options.numbered_as(CLASS_NAMES)
    if options.compares_weights and weights_b is None:
        raise UsageError("weights-b needs a second checkpoint: name it with --weights-b.")
    if weights_b is not None and not options.compares_weights:
        raise UsageError(
            "--weights-b is shown nowhere: use --left weights-a --right weights-b, or leave both."
        )
    return options

"""The recipe as options of a command."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

from fastscnn.checkpoints.checkpoint import CheckpointError
from fastscnn.option_fields import Option, add_option, options_of
from fastscnn.training.recipe import PRESETS, Recipe

_NAMES = {f.name for f in fields(Recipe)}


def _pair(kind: type[int] | type[float], separators: str) -> Callable[[str], tuple[Any, Any]]:
    number = r"(\d+)" if kind is int else r"(\d*\.?\d+)"

    def parse(text: str) -> tuple[Any, Any]:
        match = re.fullmatch(rf"{number}[{separators}]{number}", text)
        if match is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not of the form A{separators[0]}B")
        return kind(match[1]), kind(match[2])

    return parse


def _shown(value: Any, metavar: str | None) -> str:
    if isinstance(value, tuple):
        return (
            ("x" if metavar == "HxW" else "-").join(f"{v:g}" for v in value)
            if any(value)
            else "off"
        )
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def add_recipe(parser: argparse.ArgumentParser, without: set[str] | None = None) -> None:
    """Give the parser ``--preset`` and an option for every field of ``Recipe``.

    Options that are not given are absent from the namespace.

    Args:
        parser: of the command.
        without: fields that mean nothing to it.
    """
    parser.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        help="the values that options below start from: the paper's (default), those for a CPU, or"
        " those for nine minutes on a large GPU",
    )
    groups: dict[str, Any] = {}
    for each, about in options_of(Recipe):
        if each.name in (without or set()):
            continue
        if about.group not in groups:
            groups[about.group] = parser.add_argument_group(about.group)
        default, more = each.default, dict[str, Any]()
        if isinstance(default, bool):
            more["action"] = argparse.BooleanOptionalAction
        elif isinstance(default, tuple):
            more["type"] = _pair(type(default[0]), "x×" if about.metavar == "HxW" else "-–")
        else:
            more["type"] = type(default)
        if not isinstance(default, bool) and not about.choices:
            more["metavar"] = about.metavar or ("N" if isinstance(default, int) else "X")
        add_option(groups[about.group], each, about, help=_help(each, about), **more)


def _help(each: Field[Any], about: Option) -> str:
    values = {n: _shown(getattr(preset, each.name), about.metavar) for n, preset in PRESETS.items()}
    paper = values.pop("paper")
    source = f", {about.source}" if about.source else ""
    others = "".join(f"; {name}: {value}" for name, value in values.items() if value != paper)
    return f"{about.help} ({paper}{source}{others})"


def given(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of the recipe that the command line names."""
    return {name: value for name, value in vars(args).items() if name in _NAMES}


def recipe_of(args: argparse.Namespace, config: dict[str, Any]) -> Recipe:
    """The recipe that is asked for: options over the config file over the preset.

    Raises:
        ValueError: a value cannot be meant.
    """
    preset = args.preset or config.get("preset") or "paper"
    if preset not in PRESETS:
        raise ValueError(f"There is no preset {preset!r}, there are {', '.join(PRESETS)}.")
    recipe = Recipe.from_dict(config.get("recipe", {}), PRESETS[preset])
    asked = given(args)
    lengths = [name for name in ("epochs", "steps", "minutes") if name in asked]
    if len(lengths) > 1:
        pair = " and ".join(f"--{name}" for name in lengths)
        raise ValueError(f"{pair} say the same thing: give one of them.")
    if "scale" in asked and "short_side" in asked:
        raise ValueError("--scale and --short-side say the same thing: give one of them.")
    if lengths:
        asked = {"steps": 0, "minutes": 0.0} | asked
    if "scale" in asked:
        asked["short_side"] = (0, 0)
    return replace(recipe, **asked)


def config_file(path: Path) -> Path:
    """Return the config that is meant by a file or a run's folder."""
    return path / "config.json" if path.is_dir() else path


def read_config(path: Path | None) -> dict[str, Any]:
    """The values of a run's ``config.json``, or of one written by hand; none for ``None``.

    Raises:
        CheckpointError: it cannot be read or is no such file.
    """
    if path is None:
        return {}
    path = config_file(path)
    try:
        values = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CheckpointError(f"{path} is no JSON ({error}).") from error
    known: dict[str, type | tuple[type, ...]] = {
        "preset": str,
        "recipe": dict,
        "data": (list, str),
        "classes": dict,
        "validation": dict,
        "start": str,
    }
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} is no config of a training run.")
    for name, kind in known.items():
        if values.get(name) is not None and not isinstance(values[name], kind):
            raise CheckpointError(f"{path}: {name} cannot be {values[name]!r}.")
    return values

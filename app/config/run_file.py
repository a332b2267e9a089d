"""Run file: the settings of a run as TOML, written by the window and read by ``--config``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import Field
from fractions import Fraction
from pathlib import Path
from typing import Any

from app import __version__
from app.config.arguments import ARGUMENTS, SourceArguments
from app.config.data_options import AlertOptions
from app.config.settings import NetworkOptions, RecordingOptions, Settings, SourceOptions
from app.config.value_parsers import is_public
from app.errors import UsageError
from app.rendering.view_options import PAIRED, ViewOptions
from app.sources.source_spec import SourceSpec
from fastscnn.labels import CLASS_NAMES
from fastscnn.option_fields import Option, options_of, value_of
from fastscnn.paths import not_readable
from fastscnn.suggestions import did_you_mean, why_missing

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MOST_BYTES = 1_000_000
_SOURCES = {"source", "camera", "demo"}
_SIDES = {"view", "left", "right", "split", "weights_b"}
_TOGETHER: tuple[tuple[set[str], set[str]], ...] = (
    (_SOURCES, {each.name for each, _ in options_of(SourceArguments)}),
    (_SIDES, _SIDES),
    ({"hide", "only"}, {"hide", "only"}),
    ({"codec", "encoder"}, {"codec", "encoder", "crf", "bitrate", "preset"}),
    ({"crf", "bitrate"}, {"crf", "bitrate"}),
)
"""Arguments that leave those behind them in a run file without meaning, where they are given."""


def with_run_file(args: argparse.Namespace) -> argparse.Namespace:
    """Return parsed arguments with those of their run file beside them; what is given wins.

    Raises:
        UsageError: the file cannot be read, or does not hold arguments.
    """
    given = vars(args)
    if "config" not in given:
        return args
    said = _read(Path(given["config"]))
    for names, others in _TOGETHER:
        if names & set(given):
            said = {name: value for name, value in said.items() if name not in others}
    return argparse.Namespace(**{**said, **given})


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        said = tomllib.loads(data.decode()) if len(data) <= _MOST_BYTES else None
    except FileNotFoundError as error:
        raise UsageError(why_missing(path, "run file")) from error
    except OSError as error:
        raise UsageError(not_readable(error, f"The run file {path}")) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The run file {path} is no TOML ({error}): mend it.") from error
    if said is None:
        raise UsageError(f"The run file {path} is longer than a megabyte: name another.")
    known = {_key(each): (each, about) for each, about in _options()}
    values: dict[str, Any] = {}
    for key, value in said.items():
        if key not in known:
            raise UsageError(
                f"{path.name}: {key!r} is no argument; --help-all shows them."
                f"{did_you_mean(key, known)}"
            )
        each, about = known[key]
        try:
            values[each.name] = _value(each, about, value)
        except ValueError as error:
            raise UsageError(f"{path.name}: {key}: {error}.") from error
    _check_rivals(path, [known[key] for key in said])
    return values


def _check_rivals(path: Path, found: Sequence[tuple[Field[Any], Option]]) -> None:
    """Refuse what the parser would refuse of the same arguments.

    Raises:
        UsageError: two of them exclude each other.
    """
    first: dict[str, str] = {}
    for each, about in found:
        other = first.setdefault(about.exclusive, _key(each)) if about.exclusive else _key(each)
        if other != _key(each):
            raise UsageError(
                f"{path.name}: {other} and {_key(each)} exclude each other: leave one out."
            )


def _value(each: Field[Any], about: Option, value: object) -> Any:
    """Return what the command line would have made of a value; an empty text is the default.

    Raises:
        ValueError: it means nothing there.
    """
    if value == "":
        return each.default
    if isinstance(each.default, bool):
        if not isinstance(value, bool):
            raise ValueError("it must be true or false")
        return value
    if about.nargs or about.repeats:
        parts = value if isinstance(value, list) else [value]
        return [_text(each, about, part) for part in parts]
    return _text(each, about, value)


def _text(each: Field[Any], about: Option, value: object) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("it must be a text or a number")
    whole = isinstance(value, float) and value.is_integer()
    return value_of(each, about, str(int(value) if whole else value))


def run_file(settings: Settings, sources: Sequence[SourceSpec]) -> str:
    """Return TOML from which ``--config`` repeats a run.

    Secrets are left out, and so are outputs by their names: a second run would replace them.

    Args:
        settings: those in use.
        sources: what plays, first to last.
    """
    lines = [f"# Fast-SCNN Live {__version__}: fastscnn-live --config THIS-FILE"]
    shown = {name: value for name, value in _values(settings, sources) if value is not None}
    for key, value in shown.items():
        if isinstance(value, list) and not all(map(_may_be_written, value)):
            lines.append(f"# {key}: cannot be written here; name it on the command line")
        elif isinstance(value, list) or not isinstance(value, str) or _may_be_written(value):
            lines.append(f"{key} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _values(settings: Settings, sources: Sequence[SourceSpec]) -> Iterator[tuple[str, Any]]:
    """Values by the names of arguments, in the order of the command line."""
    yield from _source_values(sources)
    yield from _plain_values(SourceOptions, settings.source)
    for key, value in _plain_values(NetworkOptions, settings.network):
        if key != "weights-b" or settings.view.compares_weights:
            is_file = "weights" in key and value and Path(value).is_file()
            yield key, str(Path(value).absolute()) if is_file else value
    yield from _view_values(settings.view, settings.network.weights)
    for key, value in _plain_values(RecordingOptions, settings.recording):
        if key == "record-dir":
            value = str(Path(value).absolute()) if value else ""
        if key != "overwrite":
            yield key, value
    rules = dict(_plain_values(AlertOptions, settings.alerts))
    if settings.alerts.alert:
        yield from ((key, rules[key]) for key in ("alert", "zone"))
    encoder = settings.recording.encoder
    for name in ("codec", "encoder", "crf", "bitrate", "preset"):
        yield name, getattr(encoder, name)


def _source_values(sources: Sequence[SourceSpec]) -> Iterator[tuple[str, Any]]:
    if not sources:
        return
    first = sources[0]
    if first.kind in {"camera", "demo"}:
        yield first.kind, int(first.value) if first.kind == "camera" else True
    else:
        paths = {"file", "images"}
        named = [each for each in sources if each.kind not in {"camera", "demo"}]
        texts = (
            str(Path(each.value).absolute()) if each.kind in paths else each.value for each in named
        )
        yield "source", list(texts)
    if first.kind == "camera":
        yield from (("width", first.width), ("height", first.height))
    if first.kind in {"camera", "images"}:
        # As a fraction, so that the rates of NTSC stay what they are.
        yield "fps", first.rate and str(Fraction(first.rate).limit_denominator(1001))
    yield from (("start", first.start or None), ("end", first.end))
    yield "video-stream", first.video_stream


def _view_values(view: ViewOptions, weights: str | None) -> Iterator[tuple[str, Any]]:
    yield "view", view.view
    if view.view in PAIRED:
        yield from (("left", view.left.words), ("right", view.right.words))
    if view.view == "wipe":
        yield "split", "sweep" if view.sweep else view.split
    yield from (("alpha", view.alpha), ("contours", view.contours))
    yield from (("class-names", view.class_names), ("palette", view.palette))
    if view.named is not None:
        yield ("only" if view.named.only else "hide"), ",".join(view.named.names)
    else:
        hidden = [view.numbering[number] for number in sorted(view.hidden)]
        yield "hide", ",".join(name for name in hidden if weights or name in CLASS_NAMES)
    yield "blur", ",".join(view.blurred)
    yield "confidence", view.measure


def _plain_values(kind: type, options: object) -> Iterator[tuple[str, Any]]:
    for each, about in options_of(kind):
        value = getattr(options, each.name)
        if about.repeats:
            yield _key(each), [about.format(one) for one in value] or None
            continue
        plain = isinstance(value, bool | int | float) or (value is None and not about.saved)
        yield _key(each), value if plain else about.format(value)


def _options() -> Iterator[tuple[Field[Any], Option]]:
    for kind in ARGUMENTS:
        yield from options_of(kind)


def _key(each: Field[Any]) -> str:
    return each.name.replace("_", "-")


def _may_be_written(text: str) -> bool:
    """Return whether a text is Unicode, as all of TOML is, and holds nothing secret."""
    return is_public(text) and text == text.encode("utf-8", "replace").decode()


def _toml(value: object) -> str:
    # Texts, lists of them, numbers and truth are written as in JSON, but for one sign.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

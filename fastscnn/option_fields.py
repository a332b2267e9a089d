"""Options declared as dataclass fields; flags, defaults, saved keys and documents follow."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar

from fastscnn.suggestions import did_you_mean

_T = TypeVar("_T")


def _always(value: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Option:
    """Description of one option; it lies in the metadata of its field.

    Attributes:
        help: one clause, as ``--help`` shows it.
        group: heading in ``--help`` and in the documents.
        parse: text to value; its ``ValueError`` is the sentence for the user. ``None`` keeps text.
        format: value to text, the inverse of ``parse``, for saved settings and documents.
        choices: values with the words that menus show for them; with ``parse``, others may do too.
        flags: spellings; empty stands for ``--name``, and ``--no-name`` where the default is true.
        metavar: stand-in for the value in ``--help``.
        nargs: number of values, as argparse takes it.
        repeats: whether it may be given several times, for a tuple of values.
        exclusive: options of one such name exclude each other.
        source: where a default comes from: section or table of the paper.
        saved: whether the window keeps it between runs, under ``group/name``.
        may_save: whether a value may be kept: not where it could hold a secret.
        show_default: whether ``--help`` adds the default to the clause.
    """

    help: str
    group: str
    parse: Callable[[str], Any] | None = None
    format: Callable[[Any], str] = str
    choices: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    metavar: str | None = None
    nargs: str | None = None
    repeats: bool = False
    exclusive: str = ""
    source: str = ""
    saved: bool = False
    may_save: Callable[[Any], bool] = _always
    show_default: bool = True


def option(default: Any, help: str, *, group: str, **more: Any) -> Any:
    """Declare a field of a dataclass as an option; ``more`` are attributes of ``Option``.

    Example:
        >>> @dataclass(frozen=True)
        ... class Options:
        ...     skip: bool = option(True, "use the skip connection", group="network")
        >>> parser = argparse.ArgumentParser()
        >>> add_options(parser, Options)
        >>> read_options(Options, parser.parse_args(["--no-skip"]))
        Options(skip=False)
    """
    return field(default=default, metadata={"option": Option(help, group, **more)})


def options_of(kind: type) -> Iterator[tuple[Field[Any], Option]]:
    """Fields of a dataclass that are options, in order."""
    for each in fields(kind):
        found = each.metadata.get("option")
        if found is not None:
            yield each, found


def add_options(
    parser: argparse.ArgumentParser,
    *kinds: type,
    about_groups: Mapping[str, str] | None = None,
    without: Collection[str] = (),
) -> None:
    """Give a parser an argument for every option of some dataclasses.

    Arguments that are not given are absent from the namespace: what it holds was given.

    Args:
        parser: of the command.
        kinds: the dataclasses.
        about_groups: sentences under the headings of groups.
        without: names of options that are left out.
    """
    groups: dict[str, argparse._ArgumentGroup] = {}
    exclusive: dict[str, argparse._MutuallyExclusiveGroup] = {}
    for kind in kinds:
        for each, about in options_of(kind):
            if each.name in without:
                continue
            if about.group not in groups:
                text = (about_groups or {}).get(about.group)
                groups[about.group] = parser.add_argument_group(about.group, text)
            place: argparse._ActionsContainer = groups[about.group]
            if about.exclusive:
                if about.exclusive not in exclusive:
                    exclusive[about.exclusive] = place.add_mutually_exclusive_group()
                place = exclusive[about.exclusive]
            add_option(place, each, about)


def add_option(
    place: argparse._ActionsContainer, each: Field[Any], about: Option, **more: Any
) -> None:
    """Add the argument of one option; ``more`` overrides what argparse is given."""
    words = help_of(each, about).replace("%", "%%")  # which argparse would take for its own
    arguments: dict[str, Any] = {"default": argparse.SUPPRESS, "help": words}
    names = flags_of(each, about)
    if isinstance(each.default, bool):
        arguments["action"] = "store_false" if each.default else "store_true"
    else:
        arguments["metavar"] = about.metavar
        if about.parse is not None:
            arguments["type"] = _argument(about.parse, about.choices)
        elif about.choices:
            arguments["choices"] = tuple(about.choices)
        if about.nargs is not None:
            arguments["nargs"] = about.nargs
        if about.repeats:
            arguments["action"] = "append"
    if names[0].startswith("-"):
        arguments["dest"] = each.name
    place.add_argument(*names, **{**arguments, **more})


def flags_of(each: Field[Any], about: Option) -> tuple[str, ...]:
    """Spellings of an option on the command line."""
    no = "no-" if each.default is True else ""
    return about.flags or (f"--{no}{each.name.replace('_', '-')}",)


def help_of(each: Field[Any], about: Option) -> str:
    """Clause of ``--help`` with the default where that says something."""
    plain = each.default is None or isinstance(each.default, bool | tuple)
    if plain or not about.show_default:
        return about.help
    return f"{about.help}; default: {about.format(each.default)}"


def read_options(kind: type[_T], args: argparse.Namespace) -> _T:
    """Create a dataclass from the options that were given."""
    names = {each.name for each, _ in options_of(kind)}
    given = {name: value for name, value in vars(args).items() if name in names}
    return kind(**{n: tuple(v) if isinstance(v, list) else v for n, v in given.items()})


def value_of(each: Field[Any], about: Option, text: str) -> Any:
    """Return the value of an option that ``Option.format`` wrote.

    Raises:
        ValueError: it is none.
    """
    if isinstance(each.default, bool):
        return {"True": True, "False": False}[text] if text in {"True", "False"} else each.default
    if about.parse is not None:
        return about.parse(text)
    if about.choices and text not in about.choices:
        raise ValueError(f"{text} must be one of {', '.join(about.choices)}")
    return text


def _argument(parse: Callable[[str], _T], names: Iterable[str]) -> Callable[[str], _T]:
    """Return ``parse`` with its ``ValueError`` as argparse wants it, and names that come close."""

    def checked(text: str) -> _T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{error}{did_you_mean(text, names)}") from error

    return checked

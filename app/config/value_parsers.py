"""Parsers of option values: text to value, or a ``ValueError`` whose text says what is wrong."""

from __future__ import annotations

import re
import shlex
import string
from fractions import Fraction
from typing import NamedTuple
from urllib.parse import urlsplit

from app.errors import UsageError
from fastscnn.inference.input_size import parse_input_size

PATTERN = "{source}-{date}-{time}.mp4"
"""Pattern of recordings' names unless the user gives another."""


_FIELDS = frozenset({"source", "date", "time"})


_NTSC = (24, 30, 48, 60, 120, 240)
"""Rates that exist 1001/1000 times slower too."""


_SUFFIXES = (".mp4", ".m4v", ".mov")


def check_pattern(pattern: str) -> str:
    """The pattern, if recordings can be named by it.

    Raises:
        UsageError: they cannot.
    """
    try:
        parts = string.Formatter().parse(pattern)
        fields = {field or "" for _, field, spec, _ in parts if spec is not None}
        if fields <= _FIELDS:
            pattern.format(**dict.fromkeys(_FIELDS, ""))
    except ValueError as error:
        raise UsageError(f"{pattern} is no pattern for names: {error}.") from error
    if unknown := fields - _FIELDS:
        known = ", ".join(f"{{{field}}}" for field in sorted(_FIELDS))
        raise UsageError(f"{{{min(unknown)}}} means nothing in a name: there are {known}.")
    if "/" in pattern or "\\" in pattern:
        raise UsageError(f"{pattern} names a folder: give that by --record-dir.")
    if not pattern.lower().endswith(_SUFFIXES):
        raise UsageError(f"{pattern} cannot be recorded: the name must end in .mp4.")
    return pattern


def parse_count(text: str) -> int:
    """Return a whole number above 0."""
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise ValueError(f"{text} must be a whole number above 0")
    return int(text)


def parse_merging(text: str) -> str:
    """Return the name of a table of classes that count as one, or the classes, checked."""
    from fastscnn.evaluation.class_merging import read_merging  # few runs need it

    try:
        read_merging(text)
    except ValueError as error:
        raise ValueError(str(error).removeprefix("--merge ").removeprefix(f"{text}: ")) from error
    return text


def parse_command(text: str) -> tuple[str, ...]:
    """Return a program and its arguments, in a shell's quotes."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no command: {error}") from error
    if not words:
        raise ValueError("the command is empty")
    return words


def parse_names(text: str) -> tuple[str, ...]:
    """Return names with commas between them."""
    names = tuple(filter(None, map(str.strip, text.split(","))))
    if not names:
        raise ValueError("it is empty: name classes, with commas between them")
    return names


def parse_rate(text: str) -> float:
    """Return frames per second from a whole number, a decimal or a fraction.

    Decimals that stand for a rate of NTSC mean it exactly: 29.97 is 30000/1001.
    """
    try:
        rate = (
            Fraction(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9}|/\d{1,9})?", text) else Fraction(0)
        )
    except ZeroDivisionError:
        rate = Fraction(0)
    if not Fraction(1, 1000) <= rate <= 1000:
        raise ValueError(f"{text} must be a rate from 0.001 to 1000: 25, 29.97 or 30000/1001")
    decimals = len(text.partition(".")[2])
    for whole in _NTSC:
        exact = Fraction(1000 * whole, 1001)
        if decimals >= 2 and round(exact, decimals) == rate:
            return float(exact)
    return float(rate)


def parse_index(text: str) -> int:
    """Return the index of a camera or stream, from 0."""
    if not text.isdecimal() or int(text) > 999:
        raise ValueError(f"{text} must be a camera index: 0, 1, 2, …")
    return int(text)


def parse_time(text: str) -> float:
    """Return seconds from seconds, or hours, minutes and seconds."""
    parts = text.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    plain = all(part.isdecimal() for part in parts[:-1]) and not text.startswith(("-", "+"))
    plain = plain and all(number < 60 for number in numbers[1:])
    seconds = 0.0
    for number in numbers:
        seconds = 60 * seconds + number
    if not plain or not 0 < len(numbers) <= 3 or not 0 <= seconds < 1e7:
        raise ValueError(f"{text} must be a time: 90, 1:30 or 0:01:30.5")
    return seconds


def parse_share(text: str) -> float:
    """Return a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError(f"{text} must be a number from 0 to 1")
    return value


def parse_split(text: str) -> float | str:
    """Return where the divider is, 0 to 1, or ``sweep``."""
    return text if text == "sweep" else parse_share(text)


def parse_crf(text: str) -> int:
    """Return a constant quality, 0 to 63."""
    if not text.isdecimal() or int(text) > 63:
        raise ValueError(f"{text} must be a whole number from 0 to 51 (av1: 63)")
    return int(text)


class Address(NamedTuple):
    """Place where a server listens; port 0 is any that is free."""

    host: str
    port: int


def parse_address(text: str) -> Address:
    """Return where to listen from a port, or a host and a port; without a host this machine."""
    match = re.fullmatch(r"(?:(\[[0-9A-Fa-f:.]+\]|[\w.-]+):)?(\d{1,5})", text)
    if match is None or int(match[2]) > 65535:
        raise ValueError(f"{text} must be a port, or a host and a port: 8765, 0.0.0.0:8765")
    return Address((match[1] or "127.0.0.1").strip("[]"), int(match[2]))


def parse_bitrate(text: str) -> int:
    """Return bits per second from a number with ``k`` or ``M``."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([kKmM]?)", text)
    rate = float(match[1]) * {"": 1, "k": 1e3, "m": 1e6}[match[2].lower()] if match else 0.0
    if not 1e4 <= rate <= 1e9:
        raise ValueError(f"{text} must be bits per second from 10k to 1000M: 4M")
    return round(rate)


def parse_size_choice(text: str | tuple[int, int]) -> str | tuple[int, int]:
    """Read an input size as ``parse_input_size`` does, or ``auto``.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(text, str) and text.strip().lower() == "auto":
        return "auto"
    try:
        return parse_input_size(text)
    except ValueError as error:
        raise ValueError(str(error).replace("use full", "use auto, full")) from error


def format_input_size(size: str | tuple[int, int]) -> str:
    """Return an input size as ``parse_input_size`` reads it."""
    return size if isinstance(size, str) else f"{size[0]}x{size[1]}"


def is_public(address: str | None) -> bool:
    """Return whether an address holds nothing that could be secret: user, password, query."""
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return False
    secret = parts.username or parts.password or parts.query
    return "://" not in (address or "") or not secret

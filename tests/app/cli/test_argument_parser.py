"""Command lines and the settings that they mean."""

import argparse
import json
import shlex
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.config.arguments import ARGUMENTS
from app.config.settings import (
    NetworkOptions,
    RecordingOptions,
    RunOptions,
    ServeOptions,
    Settings,
    SourceOptions,
    WindowOptions,
)
from app.errors import AppError
from fastscnn.option_fields import add_options, flags_of, option, options_of

LINES = json.loads(Path(__file__).with_name("command_lines.json").read_text("utf-8"))
"""Meaning of each line when it was recorded: fields that are not as usual, or how it is refused."""
GROUPS = (
    SourceOptions,
    NetworkOptions,
    RecordingOptions,
    WindowOptions,
    ServeOptions,
    RunOptions,
)


def _flat(settings):
    found = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value) and isinstance(value, GROUPS):
            found |= {f"{field.name}.{f.name}": repr(getattr(value, f.name)) for f in fields(value)}
        elif field.name != "given":
            found[field.name] = repr(value)
    return found


USUAL = _flat(Settings())


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_means_what_it_meant(line, capsys):
    try:
        settings = settings_from(build_parser().parse_args(shlex.split(line)))
        found = {key: text for key, text in _flat(settings).items() if text != USUAL.get(key)}
    except SystemExit as refused:
        found = ["exit", refused.code, capsys.readouterr().err]
    except AppError as error:
        found = ["error", error.exit_code, str(error)]
    assert found == LINES[line]


def test_the_namespace_holds_what_was_given_and_nothing_else():
    args = build_parser().parse_args(["demo", "--no-skip", "--alpha", "0.5"])
    assert set(vars(args)) == {"source", "skip", "alpha"}
    assert settings_from(args).given == {"source", "skip", "alpha"}


def test_every_option_has_flags_of_its_own():
    flags = [
        flag
        for kind in ARGUMENTS
        for each, about in options_of(kind)
        for flag in flags_of(each, about)
    ]
    assert len(flags) == len(set(flags)) > 40


def test_an_option_that_is_saved_reads_what_it_writes():
    for each, about in options_of(NetworkOptions):
        if about.saved:
            for value in (
                each.default,
                *(((96, 128), "full") if each.name == "input_size" else ()),
            ):
                text = about.format(value)
                assert (about.parse(text) if about.parse and text else text or None) == value


@pytest.mark.parametrize("words", ["over 5 % of it", "> N% [for Ns]", "100%", "%(prog)s"])
def test_help_shows_signs_of_per_cent_as_they_are(words):
    @dataclass(frozen=True)
    class Options:
        share: float = option(0.5, words, group="view")

    parser = argparse.ArgumentParser()
    add_options(parser, Options)
    assert words in parser.format_help()
    assert build_parser().format_help()


@pytest.mark.parametrize(
    "option", ["--save-labels", "--record-dir", "--stats-json", "--keys", "-o"]
)
def test_every_path_may_begin_with_the_home(option, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    chosen = settings_from(build_parser().parse_args(["demo", option, "~/x.mkv"]))
    assert str(tmp_path / "x.mkv") in repr(chosen)
    chosen = settings_from(build_parser().parse_args(["demo", option, "~x.mkv"]))
    assert "'~x.mkv'" in repr(chosen)

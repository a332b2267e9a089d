"""The documents keep their promises: links lead somewhere, flags exist, the README stays short."""

import argparse
import re
import shlex
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.support.media import ROOT

PLACES = ["*.md", "docs/**/*.md", "examples/*.md", "weights/*.md", ".github/**/*.md"]
DOCUMENTS = sorted(path for place in PLACES for path in ROOT.glob(place))
COMMANDS = [
    "train",
    "pretrain",
    "evaluate",
    "soup",
    "benchmark",
    "export",
    "compress.compress_command",
]
OTHERS = {
    "--no-install-recommends": "apt-get",
    "--hook-type": "pre-commit",
    "--durations": "pytest",
    "--units": "app.batch.workers.simulated_crew",
    "--nodes": "app.batch.workers.simulated_crew",
    "--dying": "app.batch.workers.simulated_crew",
    "--failing": "app.batch.workers.simulated_crew",
    "--index-url": "pip",
    "--nproc-per-node": "torchrun",
    "--nnodes": "torchrun",
    "--rdzv-backend": "torchrun",
    "--rdzv-endpoint": "torchrun",
    "--format": "ruff",
    "--check": "ruff",
    "--frames": "app.benchmark",
    "--rounds": "app.benchmark",
    "--minutes": "tests.soak",
    "--operations": "tests.soak",
    "--times": "tests.soak",
    "--videos": "tests.soak",
    "--checkpoints": "tests.soak",
    "--keep": "tests.soak",
}
"""Flags of other commands."""


class _Parsed(Exception):
    pass


def parser_of(command: str) -> argparse.ArgumentParser:
    """The parser that a command builds, caught when it begins to parse."""
    caught: list[argparse.ArgumentParser] = []

    def catch(parser: argparse.ArgumentParser, *rest: object, **named: object) -> None:
        caught.append(parser)
        raise _Parsed

    main = import_module(f"fastscnn.{command}").main
    with patch.object(argparse.ArgumentParser, "parse_known_args", catch), pytest.raises(_Parsed):
        main([])
    return caught[0]


def flags_of(parser: argparse.ArgumentParser) -> set[str]:
    return {flag for action in parser._actions for flag in action.option_strings}


@pytest.fixture(scope="module")
def flags():
    from app.batch.batch_options import build_batch_parser
    from app.cli.argument_parser import build_parser

    found = flags_of(build_parser()) | flags_of(build_batch_parser())
    return found.union(OTHERS, *(flags_of(parser_of(command)) for command in COMMANDS))


def anchors(path: Path) -> set[str]:
    """What links can name in a document, as forges derive it from headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 120


@pytest.mark.parametrize("path", DOCUMENTS, ids=names(DOCUMENTS))
def test_links_lead_somewhere(path):
    text = re.sub(r"^(```|    ).*?$", "", path.read_text("utf-8"), flags=re.MULTILINE)
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=names(DOCUMENTS))
def test_flags_exist(path, flags):
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*[a-z0-9]", path.read_text("utf-8")))
    assert named - flags == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=names(DOCUMENTS))
def test_command_lines_are_understood(path):
    from app.cli.argument_parser import build_parser

    lines = re.findall(r"^    (?:python main\.py|fastscnn-live)\b(.*)$", path.read_text(), re.M)
    for line in lines:
        build_parser().parse_args(shlex.split(line, comments=True))

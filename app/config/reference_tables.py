"""Reference tables of the documents: ``python -m app.config.reference_tables`` writes them."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.config.arguments import ARGUMENTS
from app.config.shortcuts import COMMANDS
from fastscnn.console import run_command
from fastscnn.option_fields import flags_of, help_of, options_of

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_BEGIN, _END = "<!-- table: written by app.config.reference_tables -->", "<!-- end of table -->"


def flags_table() -> str:
    """Return all options of the program as Markdown, group by group."""
    groups: dict[str, list[str]] = {}
    for kind in ARGUMENTS:
        for each, about in options_of(kind):
            value = about.metavar or "\\|".join(about.choices)
            flags = ", ".join(
                f"`{flag}{f' {value}' if value and flag.startswith('-') else ''}`"
                for flag in flags_of(each, about)
            )
            text = _cell(help_of(each, about))
            groups.setdefault(about.group, []).append(f"| {flags} | {text} |")
    tables = [
        "\n".join([f"## {group.capitalize()}", "", "| flag | means |", "|---|---|", *rows])
        for group, rows in groups.items()
    ]
    return "\n\n".join(tables)


def keys_table() -> str:
    """Return the commands of the window with their keys as Markdown."""
    lines = ["| command | keys | does |", "|---|---|---|"]
    lines += [
        f"| `{command.name}` | {', '.join(f'`{key}`' for key in command.keys)} |"
        f" {_cell(command.text)} |"
        for command in COMMANDS
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


TABLES = {"flags.md": flags_table, "keys.md": keys_table}
"""Documents with a table, and the function that makes it."""


def updated(name: str) -> str:
    """Return a document with its table as it is now."""
    before, _, rest = (_DOCS / name).read_text("utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    return f"{before}{_BEGIN}\n\n{TABLES[name]()}\n\n{_END}{after}"


def main(argv: list[str] | None = None) -> int:
    """Write the tables; returns the exit code."""
    argparse.ArgumentParser(
        prog="python -m app.config.reference_tables", description=__doc__
    ).parse_args(argv)
    for name in TABLES:
        (_DOCS / name).write_text(updated(name), "utf-8")
    return 0


if __name__ == "__main__":
    run_command(main)

"""Every name that the glossary gives is in the code; nothing is imported for it."""

import ast
import re
from collections import Counter

import pytest

from tests.support.media import ROOT

TEXT = (ROOT / "docs" / "glossary.md").read_text("utf-8")
TERMS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.split("## ")[0].splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| term "))
]
NAMES = sorted({name for row in TERMS for name in re.findall(r"`([\w.]+)`", row[2])})


def defined(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """Names that statements define, with what stands in their classes."""
    found: dict[str, list[ast.stmt]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = node.body
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = []
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = []
        elif isinstance(node, ast.Assign):
            found |= {t.id: [] for t in node.targets if isinstance(t, ast.Name)}
    return found


def is_in_the_code(name: str) -> bool:
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        module = ROOT.joinpath(*parts[:count])
        path = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
        if not path.is_file():
            continue
        body = ast.parse(path.read_text("utf-8")).body
        for part in parts[count:]:
            names = defined(body)
            if part not in names:
                return False
            body = names[part]
        return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_the_glossary_is_in_the_code(name):
    assert is_in_the_code(name)


@pytest.mark.parametrize(
    "name", ["app.core.frame.Picture", "app.nothing", "fastscnn.segmenter.Segmenter.nothing"]
)
def test_a_name_that_is_gone_is_found_out(name):
    assert not is_in_the_code(name)


def test_every_row_is_whole_and_every_term_stands_once():
    assert all(len(row) == 4 and all(row) for row in TERMS)
    assert [term for term, count in Counter(row[0] for row in TERMS).items() if count > 1] == []

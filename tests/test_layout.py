"""The house: small rooms, short functions, one direction of imports."""

import ast
import os
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for package in ("app", "fastscnn")
    for path in sorted((ROOT / package).rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}
FLOORS = {
    "app": "entry_point batch cli gui headless headless_progress serve video selfcheck benchmark"
    " run_report diagnostics pipeline inference sinks config core sources rendering preflight"
    " errors",
    "app.gui": "application grid window panels playback video feedback controllers widgets",
}
"""Per package its parts from top to bottom: each may import only from those behind it."""
COMMANDS = {"train", "pretrain", "evaluate", "benchmark", "export", "soup", "compress"}
TOP = "app fastscnn assets weights tests docs examples main.py pyproject.toml Dockerfile LICENSE"
"""Top level, beside pages in capitals and names that begin with a dot."""


def imports(name: str) -> set[str]:
    """Modules of the house that a module imports anywhere, those under TYPE_CHECKING too."""
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    known = {part for part in found if part in MODULES}
    return known | {f"{part}.__init__" for part in found if f"{part}.__init__" in MODULES}


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Sets of nodes that reach each other."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        todo = [start]
        while todo:
            new = edges.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        return seen

    reached = {node: reach(node) for node in edges}
    return [
        {node, *(other for other in reached[node] if node in reached.get(other, ()))}
        for node in edges
        if node in reached[node]
    ]


def test_nothing_is_kept_that_a_run_or_an_installer_left_behind():
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this copy of the project is no git checkout")
    names = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    files = [Path(os.fsdecode(name)) for name in names.split(b"\0") if name]
    tops = {file.parts[0] for file in files}
    page = re.compile(r"\..+|[A-Z_]+\.(md|cff)")
    assert {top for top in tops - set(TOP.split()) if not page.fullmatch(top)} == set()
    large = {str(each) for each in files if (ROOT / each).exists() and _megabytes(each) > 3}
    assert large == set()


def _megabytes(file: Path) -> float:
    return (ROOT / file).stat().st_size / 2**20


def test_no_folder_holds_more_than_fifteen_modules():
    held = Counter(path.parent for path in MODULES.values() if path.stem != "__init__")
    assert {str(folder): count for folder, count in held.items() if count > 15} == {}


def test_no_module_is_longer_than_400_lines():
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_function_is_longer_than_60_lines():
    """But the painters of the demo street, which are lists of strokes."""
    long = {
        f"{name}.{node.name}": node.end_lineno - node.lineno + 1
        for name, tree in TREES.items()
        if not name.startswith("fastscnn.data.street.")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > 60
    }
    assert long == {}


def test_no_two_modules_have_one_name():
    stems = Counter(name.rpartition(".")[2] for name in MODULES)
    allowed = {"__init__", "__main__", "base"}
    assert {stem for stem, count in stems.items() if count > 1} - allowed == set()


def test_no_modules_import_each_other_in_a_circle():
    inits = [name for name in MODULES if name.endswith(".__init__")]
    edges = {name: imports(name) - set(inits) for name in MODULES}
    assert circles(edges) == []


def test_the_library_does_not_know_the_application():
    guilty = [
        (name, other)
        for name in MODULES
        if name.startswith("fastscnn.")
        for other in imports(name)
        if other.startswith("app.")
    ]
    assert guilty == []


def test_nothing_imports_a_command_of_the_library():
    commands = {f"fastscnn.{command}" for command in COMMANDS}
    guilty = [(name, other) for name in MODULES for other in imports(name) & commands]
    assert guilty == []


@pytest.mark.parametrize("package", FLOORS)
def test_imports_run_down_the_floors(package):
    order = FLOORS[package].split()
    depth = len(package.split("."))
    upward = defaultdict(set)
    for name in MODULES:
        parts = name.split(".")
        if not name.startswith(f"{package}.") or parts[depth] == "__init__":
            continue
        for other in imports(name):
            to = other.split(".")
            if not other.startswith(f"{package}.") or to[depth] == "__init__":
                continue
            if order.index(to[depth]) < order.index(parts[depth]):
                upward[name].add(other)
    assert dict(upward) == {}


def test_every_part_of_the_application_has_its_floor():
    for package, order in FLOORS.items():
        folder = ROOT.joinpath(*package.split("."))
        there = {
            path.stem
            for path in folder.iterdir()
            if (path.is_dir() and (path / "__init__.py").exists()) or path.suffix == ".py"
        }
        assert there - {"__init__"} == set(order.split())


def test_docstrings_open_with_a_thing_or_a_deed():
    """Never with a clause in place of a noun."""
    guilty = [
        (name, line.strip())
        for name, path in MODULES.items()
        for line in path.read_text("utf-8").splitlines()
        if re.match(r' *"""(What|Who|How|Where|Whether|Which) ', line)
    ]
    assert guilty == []

"""Paths as they are meant: homes, hidden files, names that look like patterns."""

from pathlib import Path

import pytest

from fastscnn.paths import expand_user, files_below, is_pattern, matches, natural, visible


@pytest.fixture
def tree(tmp_path):
    for name in (
        "cam [front] 2024/2.png",
        "cam [front] 2024/10.png",
        "cam f 2024/other.png",
        "drive/a [1]/x.png",
        "drive/b/x.png",
        "drive/x.png",
        "drive/.cache/x.png",
        "drive/._x.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def names(root, paths):
    return sorted(path.relative_to(root).as_posix() for path in paths)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("~", "{home}"),
        ("~/a b.mp4", "{home}/a b.mp4"),
        ("~nobody-is-called-so", "~nobody-is-called-so"),
        ("~nobody-is-called-so/x.pth", "~nobody-is-called-so/x.pth"),
        ("~x.pth", "~x.pth"),
        ("a/~/b", "a/~/b"),
    ],
)
def test_a_tilde_is_a_home_where_there_is_one_and_else_a_letter(text, meant, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand_user(text) == Path(meant.format(home=tmp_path))


def test_without_any_home_a_tilde_is_a_letter(monkeypatch):
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert expand_user("~/x.mp4") == Path("~/x.mp4")


def test_hidden_files_and_folders_are_no_content(tree):
    assert names(tree, visible(tree / "drive")) == ["drive/a [1]", "drive/b", "drive/x.png"]
    found = ["drive/a [1]/x.png", "drive/b/x.png", "drive/x.png"]
    assert names(tree, files_below(tree / "drive")) == found
    assert names(tree, files_below(tree / "drive" / ".cache")) == ["drive/.cache/x.png"]


@pytest.mark.parametrize(
    ("pattern", "root", "found"),
    [
        (
            "cam [front] 2024/*.png",
            "cam [front] 2024",
            ["cam [front] 2024/10.png", "cam [front] 2024/2.png"],
        ),
        ("cam [f] 2024/*.png", ".", ["cam f 2024/other.png"]),
        ("drive/*/x.png", "drive", ["drive/a [1]/x.png", "drive/b/x.png"]),
        ("*/a [1]/*.png", ".", ["drive/a [1]/x.png"]),
        ("drive/**/x.png", "drive", ["drive/a [1]/x.png", "drive/b/x.png", "drive/x.png"]),
        ("drive/**/*.png", "drive", ["drive/a [1]/x.png", "drive/b/x.png", "drive/x.png"]),
        ("drive/a [12]/*", ".", []),
        ("nothing/*.png", ".", []),
    ],
)
def test_what_is_there_as_it_is_written_is_no_pattern(tree, pattern, root, found):
    if pattern == "drive/a [12]/*":
        root = "drive"  # "a 1" would match, "a [1]" does not
    start, matched = matches(tree / pattern)
    assert start == tree / root
    assert names(tree, matched) == found


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("cam [front] 2024", False),
        ("cam [front] 2024/gone.mp4", False),
        ("cam [front] 2024/2.*", True),
        ("cam [f] 2024", True),
        ("gone.mp4", False),
        ("x" * 300, False),
    ],
)
def test_only_what_is_not_there_can_be_a_pattern(tree, text, pattern):
    assert is_pattern(tree / text) == pattern


def test_people_count_two_before_ten():
    given = [Path(name) for name in ("b10", "b2", "B1", "a")]
    assert sorted(given, key=natural) == [Path(name) for name in ("a", "B1", "b2", "b10")]

"""What a batch takes for drives, and what their folders are called."""

import json

import fsspec
import pytest

from app.batch.drive_listing import find_sources, named_drives
from app.batch.units import Done
from app.errors import SourceError, UsageError


def listed(*sources, pattern=None, out="/nowhere", names=None):
    found = named_drives(find_sources(map(str, sources), pattern, str(out)), names or {})
    return {drive.name: drive.source for drive in found}


@pytest.fixture
def folder(tmp_path):
    videos = ("a.mp4", "b/a.mp4", "b/a.mkv", "b/.hidden.mp4", "out/a/old.mp4")
    for name in (*videos, "b/notes.txt", "out/a/drive.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"video")
    return tmp_path


def test_folders_are_read_to_the_bottom_but_for_the_results(folder):
    assert listed(folder, out=folder / "out") == {
        "a": str(folder / "a.mp4"),
        "b/a": str(folder / "b" / "a.mkv"),
        "b/a-2": str(folder / "b" / "a.mp4"),
    }


def test_results_of_other_batches_are_no_drives(folder):
    done = json.dumps(Done("done").as_json("1")).encode()
    mine = b'{"driver": "somebody", "facts": 5}'
    memory = fsspec.filesystem("memory")
    for name, content in (("c/1/drive.json", done), ("c/2/drive.json", mine)):
        for file, data in ((name, content), (name.replace("drive.json", "seen.mp4"), b"video")):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(data)
            memory.pipe(f"/others/{file}", data)
    assert list(listed(folder / "c")) == ["2/seen"]
    assert list(listed("memory://others")) == ["c/2/seen"]
    assert list(listed(folder / "c" / "1" / "seen.mp4")) == ["seen"]  # who names one means it


@pytest.mark.parametrize(
    ("sources", "out"),
    [(["."], "."), (["b"], "."), (["b/a.mp4"], "b"), (["out", "a.mp4"], "."), (["out"], "out")],
)
def test_results_do_not_go_in_between_sources(folder, monkeypatch, sources, out):
    monkeypatch.chdir(folder)
    with pytest.raises(UsageError, match=r"Results cannot go into .*: name another folder"):
        listed(*sources, out=out)


def test_results_do_not_go_in_between_sources_at_an_address():
    fsspec.filesystem("memory").pipe("/between/in/a.mp4", b"video")
    with pytest.raises(UsageError, match="Results cannot go into memory://between,"):
        listed("memory://between/in", out="memory://between")


def test_a_pattern_chooses_by_name(folder):
    assert listed(folder, pattern="*.mkv") == {"b/a": str(folder / "b" / "a.mkv")}
    with pytest.raises(SourceError, match=r"no video like \*\.xyz"):
        listed(folder, pattern="*.xyz")


def test_no_folder_of_results_lies_in_another(tmp_path):
    for name in ("x/a.mp4", "x/a/b.mp4", "y/a.mp4", "y/A.avi", "y/report.html.mp4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"video")
    names = list(listed(tmp_path / "x", tmp_path / "y"))
    assert len({name.casefold() for name in names}) == 5
    assert not [a for a in names for b in names if b.startswith(f"{a}/")]
    assert "report.html" not in names


def test_a_drive_keeps_its_folder(folder):
    path = folder / "b" / "a.mp4"
    assert listed(path) == {"a": str(path)}
    assert listed(folder / "a.mp4", path, names={str(path): "b/a-2"}) == {
        "a": str(folder / "a.mp4"),
        "b/a-2": str(path),
    }


def test_a_drive_that_is_named_twice_is_done_once(folder):
    assert list(listed(folder / "a.mp4", folder / "a.mp4", f"file://{folder}/a.mp4")) == ["a"]


def test_lists_name_a_path_or_an_address_a_line(folder):
    fsspec.filesystem("memory").pipe("/listed/far.mp4", b"video")
    (folder / "all.txt").write_text(f"# drives\n\na.mp4\n{folder}/b/a.mkv\nmemory://listed\n")
    found = listed(folder / "all.txt")
    assert found == {
        "a": str(folder / "a.mp4"),
        "a-2": str(folder / "b" / "a.mkv"),
        "far": "memory:///listed/far.mp4",
    }


def test_a_line_of_a_list_that_is_wrong_costs_that_drive_alone(folder):
    (folder / "all.txt").write_text("a.mp4\nnosuch.mp4\nmemory://nothing/there.mp4\nodd://a.mp4\n")
    found = find_sources([str(folder / "all.txt")], None, "/nowhere")
    assert [bool(drive.error) for drive in found] == [False, True, True, True]
    assert "check the path" in found[1].error
    assert named_drives(found, {})[2].name == "there"


def test_a_file_that_is_no_list_is_refused(folder):
    (folder / "all.txt").write_bytes(b"\0\1\2")
    with pytest.raises(SourceError, match="no list of paths"):
        listed(folder / "all.txt")


def test_addresses_are_listed_with_their_sizes():
    memory = fsspec.filesystem("memory")
    memory.pipe({"/bucket/x/a.mp4": b"12345", "/bucket/b.mp4": b"1", "/bucket/c.txt": b"1"})
    found = named_drives(find_sources(["memory://bucket"], None, "memory://out"), {})
    assert {drive.name: drive.size for drive in found} == {"b": 1, "x/a": 5}
    assert all(drive.mtime > 0 for drive in found)

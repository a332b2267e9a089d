"""Drives and results that lie elsewhere: in memory, and on a real server of S3 on loopback."""

import fsspec
import numpy as np
import pytest

from app.batch import manifest_place
from app.batch.batch_command import main
from app.batch.storage import Results
from tests.app.batch.test_batch_command import rows
from tests.support.media import write_clip

FAST = ("--input-size", "64x96", "--workers", "1")


@pytest.fixture
def clips(tmp_path):
    return [
        write_clip(tmp_path / f"{name}.mp4", frames).read_bytes()
        for name, frames in (("a", 4), ("b", 6))
    ]


def check(system, bucket, command, clips, capsys):
    """A batch from one folder of a file system to another, and the same again."""
    system.pipe_file(f"{bucket}/in/a.mp4", clips[0])
    system.pipe_file(f"{bucket}/in/deep/b.mp4", clips[1])
    system.pipe_file(f"{bucket}/in/noise.mp4", b"noise" * 100)
    assert main(command) == 3
    assert "noise.mp4 cannot be read as a video" in capsys.readouterr().err
    found = sorted(path.partition("/out/")[2] for path in system.find(f"{bucket}/out"))
    assert found == [
        *(f"a/{name}" for name in ("annotated.mp4", "drive.json", "labels.mkv", "thumbnail.jpg")),
        *(
            f"deep/b/{name}"
            for name in ("annotated.mp4", "drive.json", "labels.mkv", "thumbnail.jpg")
        ),
        "manifest.sqlite",
        "report.html",
        "summary.parquet",
    ]
    assert main(command) == 3
    assert "2 done already, 1 failed before" in capsys.readouterr().err
    system.pipe_file(f"{bucket}/in/a.mp4", clips[1])
    assert main([*command, "--no-skip"]) == 3
    assert "1 changed" in capsys.readouterr().err


def test_memory_is_read_and_written_in_this_process(clips, capsys):
    command = ["memory://batch/in", "-o", "memory://batch/out", "--save-labels", "labels.mkv"]
    check(fsspec.filesystem("memory"), "/batch", [*command, *FAST], clips, capsys)


def test_what_was_whole_before_the_manifest_was_lost_is_not_done_again(clips, capsys):
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/lost/in/a.mp4", clips[0])
    command = ["memory://lost/in", "-o", "memory://lost/out", *FAST]
    assert main(command) == 0
    written = memory.info("/lost/out/a/annotated.mp4")["created"]
    memory.rm("/lost/out/manifest.sqlite")
    assert main(command) == 0
    assert memory.info("/lost/out/a/annotated.mp4")["created"] == written
    assert "1 of 1 drives done" in capsys.readouterr().out


def test_another_machine_goes_on_from_the_copy_of_the_manifest(tmp_path, monkeypatch, capsys):
    memory = fsspec.filesystem("memory")
    noise = np.random.default_rng(0).integers(0, 255, (270, 480, 3), np.uint8)
    first = write_clip(tmp_path / "a.mp4", 5, size=(480, 270), pictures=[noise, 255 - noise])
    memory.pipe_file("/shared/in/a.mp4", first.read_bytes())
    memory.pipe_file("/shared/in/b.mp4", write_clip(tmp_path / "b.mp4", 200).read_bytes())
    memory.pipe_file("/shared/in/c.mp4", b"noise")
    monkeypatch.setattr(manifest_place, "EVERY", 0.01)
    monkeypatch.setattr(manifest_place, "_SHARE", 0)
    seen, put = {}, Results.put

    def put_and_look(results, file, name):
        """Keep all that is there at a moment in the middle, and nothing of what comes later."""
        put(results, file, name)
        if name == manifest_place.MANIFEST and not seen:
            (tmp_path / "copy.sqlite").write_bytes(memory.cat(f"/shared/out/{name}"))
            states = [row[0] for row in rows(tmp_path, file="copy.sqlite").values()]
            if states == ["done", "running", "waiting"]:
                seen.update({path: memory.cat(path) for path in memory.find("/shared/out")})

    monkeypatch.setattr(Results, "put", put_and_look)
    command = ["memory://shared/in", "-o", "memory://shared/out", *FAST]
    assert main(command) == 3
    assert seen
    assert not memory.exists("/shared/out/manifest.sqlite.new")
    memory.rm("/shared/out", recursive=True)
    for path, content in seen.items():
        memory.pipe_file(path, content)
    written = memory.info("/shared/out/a/annotated.mp4")["created"]
    capsys.readouterr()
    assert main(command) == 3
    assert "3 drives: 1 done already, 2 cut off." in capsys.readouterr().err
    assert memory.info("/shared/out/a/annotated.mp4")["created"] == written
    (tmp_path / "copy.sqlite").write_bytes(memory.cat("/shared/out/manifest.sqlite"))
    found = rows(tmp_path, file="copy.sqlite")
    assert {name: row[:2] for name, row in found.items()} == {
        "a": ("done", 1),
        "b": ("done", 2),
        "c": ("failed", 1),
    }


@pytest.mark.slow
def test_a_bucket_is_read_and_written(clips, capsys, monkeypatch):
    moto = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        system = fsspec.filesystem("s3")
        system.mkdir("drives")
        command = ["s3://drives/in", "-o", "s3://drives/out", "--save-labels", "labels.mkv"]
        check(system, "drives", [*command, *FAST], clips, capsys)
    finally:
        server.stop()


def test_an_address_that_is_not_there_is_said_before_any_work(capsys):
    assert main(["memory://nothing/here", "-o", "memory://nothing/out", *FAST]) == 3
    said = capsys.readouterr().err
    assert said.startswith("Error: There is nothing at memory://nothing/here")


def test_results_that_cannot_be_reached_are_said_in_a_sentence(tmp_path, monkeypatch, capsys):
    pytest.importorskip("s3fs")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    command = [str(write_clip(tmp_path / "a.mp4", 3)), "-o", "s3://nowhere/out", *FAST]
    assert main(command) == 5
    said = capsys.readouterr().err
    assert said.startswith("Error: s3://nowhere/out cannot be used (Could not connect to the")
    assert said.count("\n") == 1


def test_passwords_of_addresses_are_not_shown(capsys, tmp_path):
    assert main(["nosuch://me:secret@host/a", "-o", str(tmp_path / "out"), *FAST]) == 2
    assert "secret" not in capsys.readouterr().err

"""Drives and results that lie elsewhere: in memory, and on a real server of S3 on loopback."""

import fsspec
import pytest

from app.batch.batch_command import main
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


def test_passwords_of_addresses_are_not_shown(capsys, tmp_path):
    assert main(["nosuch://me:secret@host/a", "-o", str(tmp_path / "out"), *FAST]) == 2
    assert "secret" not in capsys.readouterr().err

"""Standard streams that cannot show a sign, are full, closed or have no reader."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli_process import Started
from tests.support.media import ROOT, count_by_opencv, write_clip
from tests.support.waiting import PATIENCE

SIGNS = "mean – 512×1024 █ ä stra\\udcdfe"
SCRIPT = f"""
import sys
from fastscnn.console import run_command

def main():
    for stream in (sys.stdout, sys.stderr):
        print("{SIGNS}", file=stream, flush=True)
        print("x" * 100_000, file=stream)
    open(sys.argv[1], "w").close()
    return 7

run_command(main)
"""
needs_shell = pytest.mark.skipif(os.name != "posix", reason="redirections are those of a shell")


def shell(line, *words, **environment):
    """Run a line of the shell in which "$@" stands for a command of this Python."""
    return subprocess.run(
        ["sh", "-c", line, "sh", sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


@needs_shell
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "redirection",
    [">/dev/full", "2>/dev/full", ">&-", "2>&-", "<&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"],
)
def test_the_work_is_done_whatever_becomes_of_the_streams(tmp_path, redirection, unbuffered):
    if "/dev/full" in redirection and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    done = tmp_path / "done"
    line = f'"$@" {redirection}'
    ended = shell(line, "-c", SCRIPT, str(done), PYTHONUNBUFFERED=unbuffered)
    assert ended.returncode == 7
    assert done.exists()
    assert b"Traceback" not in ended.stdout + ended.stderr


@needs_shell
@pytest.mark.parametrize("stream", ["", "2>&1 >/dev/null"])
def test_a_reader_that_goes_away_is_no_failure(tmp_path, stream):
    done, code = tmp_path / "done", tmp_path / "code"
    line = f'{{ "$@" {stream}; echo $? > {code}; }} | true'
    ended = shell(line, "-c", SCRIPT, str(done))
    assert code.read_text().strip() == "7"
    assert done.exists()
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b]0;title\x07.mp4", "?]0;title?.mp4"),
        ("\x1b[2J\x9b1A.mp4", "?[2J?1A.mp4"),
        ("\x7f\b\0.mp4", "???.mp4"),
        ("\x1b[31mred\x1b[0m\tä.mp4\r\n", "\x1b[31mred\x1b[0m\tä.mp4\r\n"),
    ],
)
def test_the_name_of_a_file_cannot_steer_the_terminal(name, shown):
    script = (
        "import sys; from fastscnn.console import secure_streams; secure_streams();"
        f" print({name!r}, end=''); print({name!r}, end='', file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
    )
    assert ended.stdout == ended.stderr == shown.encode()


@pytest.mark.parametrize("encoding", ["ascii", "cp850", "cp437", "latin-1", "utf-8"])
def test_a_sign_that_cannot_be_shown_is_replaced(tmp_path, encoding):
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "done")],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 7
    shown = "mean – 512×1024 █ ä stra\udcdfe".encode(encoding, "replace")
    for output in (ended.stdout, ended.stderr):
        assert output.splitlines()[0] == shown


@needs_shell
@pytest.mark.parametrize("command", ["-c", "main.py", "-m app.batch", "main.py batch"])
def test_ctrl_c_ends_a_command_without_a_traceback_while_it_is_loaded(tmp_path, command):
    """An import of cv2 that interrupts stands for a user who is quick."""
    (tmp_path / "cv2.py").write_text("import signal; signal.raise_signal(signal.SIGINT)\n")
    script = "from fastscnn.console import run_command; run_command(lambda: __import__('cv2'))"
    words = [*command.split(), *([script] if command == "-c" else ["--version"])]
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    ended = shell('"$@"', *words, PYTHONPATH=path)
    assert (ended.returncode, ended.stderr) == (130, b"")


def test_every_command_has_such_streams():
    """Of the application the launcher, of all others what stands behind ``__main__``."""
    modules = [*ROOT.glob("fastscnn/**/*.py"), *ROOT.glob("app/**/*.py")]
    ends = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8").partition('"__main__":\n')[2]
        for path in modules
    }
    commands = {name: end.strip() for name, end in ends.items() if end}
    assert len(commands) >= 9
    assert set(commands.values()) == {"run_command(main)"}
    launcher = (ROOT / "app" / "cli" / "launcher.py").read_text("utf-8")
    assert re.search(r"def run\(\)[^\n]*\n    \"\"\"[^\n]*\n    secure_streams\(\)", launcher)


@pytest.mark.parametrize("arguments", [["--list-weights"], ["--help"]])
def test_the_program_lists_and_helps_on_an_old_console(arguments):
    ended = subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.isascii()


@needs_shell
def test_a_service_without_streams_records_every_frame(tmp_path):
    clip, out = write_clip(tmp_path / "a.mp4", 12), tmp_path / "o.mp4"
    words = ("main.py", str(clip), "--headless", "--input-size", "64x96", "-o", str(out))
    assert shell('"$@" <&- >&- 2>&-', *words).returncode == 0
    assert count_by_opencv(out) == 12


LONG = "9" * 400


@pytest.mark.parametrize(
    "words",
    [
        ("fastscnn.evaluate", LONG),
        ("fastscnn.evaluate", "street", "--json", LONG),
        ("fastscnn.train", "--run", LONG, "--data", "street", "--steps", "1"),
    ],
)
def test_a_name_that_is_too_long_for_a_file_is_refused_by_every_command(words):
    module, *arguments = words
    with Started(*arguments, module=module) as command:
        done = command.finish()
    assert done.returncode in {2, 5}
    assert "File name too long" in done.stderr
    assert "Traceback" not in done.stderr

"""What cannot run is refused before anybody waits for torch."""

import subprocess
import sys
from dataclasses import replace

import pytest

from app.cli import network_rules
from app.cli.launcher import main
from app.cli.network_rules import check_network
from app.config.settings import NetworkOptions
from app.errors import UsageError
from fastscnn.checkpoints.zoo_catalog import NAMES
from tests.support.media import ROOT, write_clip


@pytest.fixture
def no_card(monkeypatch):
    monkeypatch.setattr(network_rules, "_may_have_cuda", lambda: False)
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"device": "cuda"}, "The device cuda is not in this machine"),
        ({"device": "cuda:1"}, "The device cuda:1 is not in this machine"),
        ({"device": "mps"}, "The device mps is not in this machine"),
        ({"device": "cudda"}, r"is no device: .* Did you mean cuda\?"),
        ({"device": "cuda:x"}, "is no device"),
        ({"precision": "fp16"}, "float16 is not for the CPU"),
        ({"precision": "fp16", "device": "cpu"}, "float16 is not for the CPU"),
    ],
)
def test_what_this_machine_cannot_do_is_refused(no_card, options, sentence):
    with pytest.raises(UsageError, match=sentence):
        check_network(replace(NetworkOptions(), **options))


@pytest.mark.parametrize(
    "options", [{}, {"device": "cpu"}, {"precision": "bf16"}, {"runtime": "torch"}]
)
def test_what_it_may_do_passes(no_card, options):
    check_network(replace(NetworkOptions(), **options))


def test_a_card_that_may_be_there_is_left_to_torch(monkeypatch):
    monkeypatch.setattr(network_rules, "_may_have_cuda", lambda: True)
    check_network(NetworkOptions(device="cuda:3"))
    check_network(NetworkOptions(precision="fp16"))


def test_a_runtime_that_is_not_installed_is_refused(monkeypatch):
    monkeypatch.setattr(network_rules, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="openvino is not installed: pip install openvino"):
        check_network(NetworkOptions(runtime="openvino"))


def test_the_refusal_does_not_wait_for_torch():
    """The whole program, on a machine without a card: torch is not imported."""
    code = (
        "import sys; from app.cli.launcher import main;"
        "code = main(['demo', '--headless', '--device', 'cpu', '--precision', 'fp16']);"
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.split() == ["2", "False"]
    assert "float16 is not for the CPU" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["--inputsize", "half"], "--input-size"),
        (["--input-size", "quater"], "quarter"),
        (["--precision", "fp61"], "fp16"),
        (["--hide", "vegitation"], "vegetation"),
        (["--encoder", "h264_nvnec"], "h264_nvenc"),
        (["--weights", NAMES[0][:-1]], NAMES[0]),
    ],
)
def test_mistyped_names_are_answered_with_what_was_meant(arguments, meant, capsys):
    try:
        code = main(["demo", "--headless", "--max-frames", "1", *arguments])
    except SystemExit as ended:
        code = ended.code
    assert code
    assert f"Did you mean {meant}?" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "meant"), [("clpi.mp4", "clip.mp4"), ("demmo", "demo")])
def test_a_mistyped_clip_is_answered_with_its_neighbour(tmp_path, monkeypatch, capsys, name, meant):
    write_clip(tmp_path / "clip.mp4", 2)
    monkeypatch.chdir(tmp_path)
    assert main([name, "--headless", "--input-size", "64x96"]) == 3
    assert f"Did you mean {meant}?" in capsys.readouterr().err

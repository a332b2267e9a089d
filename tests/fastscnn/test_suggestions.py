"""A name that is mistyped is answered with the one that was meant."""

import argparse

import pytest

from fastscnn.checkpoints.checkpoint import CheckpointError, load
from fastscnn.checkpoints.model_zoo import resolve
from fastscnn.checkpoints.zoo_catalog import ZooError
from fastscnn.compress.compress_command import main as compress
from fastscnn.data.dataset_factory import open_frames
from fastscnn.data.pair_dataset import DataError
from fastscnn.evaluate import main as evaluate
from fastscnn.export import main as export
from fastscnn.suggestions import SuggestingParser, did_you_mean, did_you_mean_file
from fastscnn.train import main as train


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mmsge", " Did you mean mmseg?"),
        ("TRAMAC", " Did you mean tramac?"),
        ("gluon", " Did you mean gluoncv?"),
        ("elephant", ""),
        ("mmseg", ""),
    ],
)
def test_a_close_name_is_asked_for_and_a_far_one_is_not(text, meant):
    assert did_you_mean(text, ["tramac", "mmseg", "gluoncv"]) == meant


def test_a_file_is_looked_for_where_it_was_thought_to_be(tmp_path):
    (tmp_path / "street.mp4").touch()
    assert did_you_mean_file(tmp_path / "strete.mp4") == " Did you mean street.mp4?"
    assert did_you_mean_file(tmp_path / "other.avi") == ""
    assert did_you_mean_file(tmp_path / "none" / "street.mp4") == ""


def _parser():
    parser = SuggestingParser(exit_on_error=True)
    parser.add_argument("--input-size")
    parser.add_argument("--view", choices=["overlay", "wipe"])
    return parser


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["--inputsize", "half"], "--input-size"),
        (["--imput-size=half"], "--input-size"),
        (["--view", "overlya"], "overlay"),
        (["--viw=wipe"], "--view"),
    ],
)
def test_options_and_their_values_are_suggested(arguments, meant, capsys):
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args(arguments)
    assert ended.value.code == 2
    assert f"Did you mean {meant}?" in capsys.readouterr().err


def test_what_is_right_is_parsed_as_ever():
    assert _parser().parse_args(["--view", "wipe"]) == argparse.Namespace(
        input_size=None, view="wipe"
    )


@pytest.mark.parametrize(
    ("command", "arguments", "meant"),
    [
        (evaluate, ["street", "--skp", "both"], "--skip"),
        (evaluate, ["street", "--skip", "bott"], "both"),
        (export, ["x.onnx", "--outptu", "prob"], "--output"),
        (train, ["--run", "r", "--preset", "cpuu"], "cpu"),
    ],
)
def test_every_command_suggests(command, arguments, meant, capsys):
    with pytest.raises(SystemExit):
        command(arguments)
    assert f"Did you mean {meant}?" in capsys.readouterr().err


def test_weights_and_data_are_suggested(tmp_path):
    (tmp_path / "best.pth").touch()
    with pytest.raises(ZooError, match=r"Did you mean segmentron\?"):
        resolve("segmenton")
    with pytest.raises(CheckpointError, match=r"Did you mean best\.pth\?"):
        load(tmp_path / "bset.pth")
    with pytest.raises(DataError, match=r"Did you mean street\?"):
        open_frames("sreet")
    with pytest.raises(DataError, match=r"Did you mean frames\?"):
        open_frames("street?frame=3")


@pytest.mark.parametrize(
    ("command", "arguments"),
    [(compress, ["-o", "a.pth", "--prune", "x"]), (compress, []), (export, ["a.xyz"]), (train, [])],
)
def test_wrong_use_is_said_in_one_line(command, arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        command(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert said.endswith(" (--help shows all arguments).\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "names", "size"),
    [
        (["a", "--size", "5", "b"], ["a", "b"], 5),
        (["a", "b", "--size", "5", "c", "--loop", "d", "e"], ["a", "b", "c", "d", "e"], 5),
        (["--size", "5", "a", "--loop", "b"], ["a", "b"], 5),
        (["--loop", "--", "-a"], ["-a"], None),
    ],
)
def test_options_may_stand_between_names(words, names, size):
    parser = SuggestingParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--size", type=int)
    parser.add_argument("--loop", action="store_true")
    found = parser.parse_args(words)
    assert (found.names, found.size) == (names, size)


def test_names_apart_are_read_as_those_together_are(capsys):
    parser = SuggestingParser()
    parser.add_argument("numbers", nargs="+", type=int)
    parser.add_argument("--loop", action="store_true")
    assert parser.parse_args(["1", "--loop", "2"]).numbers == [1, 2]
    for words in (["1", "--loop", "x"], ["1", "--nope", "2"]):
        with pytest.raises(SystemExit) as refused:
            parser.parse_args(words)
        assert refused.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert "invalid int value: 'x'" in said[0]
    assert "unrecognized arguments: --nope" in said[1]

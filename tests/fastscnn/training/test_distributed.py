"""Several processes of one run, as ``torchrun`` starts them."""

import os
import subprocess
import sys

import pytest
import torch

from fastscnn.segmenter import DeviceError
from fastscnn.train import main
from fastscnn.training.distributed import World
from tests.support.labelled_data import labelled_folder
from tests.support.waiting import PATIENCE


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="torchrun's gloo needs a POSIX system")
def test_two_processes_end_with_the_weights_of_one(tmp_path):
    folder = labelled_folder(tmp_path / "data")
    arguments = ["--data", f"folder:{folder}", "--batch", "4", "--steps", "4", "--crop", "64x96"]
    arguments += ["--freeze-bn", "--skip-drop", "0.5", "--class-balance", "enet", "--clip", "5"]
    arguments += ["--ema", "0.5", "--device", "cpu", "--workers", "0"]
    alone, together = tmp_path / "alone", tmp_path / "together"
    assert main([*arguments, "--run", str(alone)]) == 0
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *torchrun, "-m", "fastscnn.train", *arguments, "--run-dir", str(together)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2 processes" in done.stdout
    one, two = (torch.load(run / "state.pth") for run in (alone, together))
    for part in ("trainee", "average"):
        for name, tensor in one[part].items():
            torch.testing.assert_close(tensor, two[part][name], rtol=1e-4, atol=1e-5, msg=name)
    assert one["step"] == two["step"] == 4


def test_a_batch_that_cannot_be_divided_is_refused():
    with pytest.raises(DeviceError, match="3 processes"):
        World(0, 3).places(4)
    parts = [World(rank, 2).places(4) for rank in (0, 1)]
    assert [list(part) for part in parts] == [[0, 1], [2, 3]]

"""A short training from scratch on two cores, killed half-way: minutes, so only when asked for."""

import re
import signal
import subprocess
import sys
import time

import pytest
import torch

RECIPE = "--preset cpu --steps 150 --batch 4 --crop 192x384 --short-side 192-512 --ema 0.98"
JUDGED = "--val street?frames=20 --val-every 150 --val-size 256x512"
ARGUMENTS = f"--data street?worlds=4 {RECIPE} {JUDGED} --save-every 5 --device cpu".split()
TRAIN = [sys.executable, "-m", "fastscnn.train"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_short_training_learns_and_survives_a_kill(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = subprocess.run(
        [*TRAIN, *ARGUMENTS, "--run", str(whole)], capture_output=True, text=True, check=True
    )
    before, after = (float(x) for x in re.findall(r"mean IoU ([\d.]+) %", done.stdout))
    print(f"mean IoU {before} % before, {after} % after")
    assert after > before + 10
    command = [*TRAIN, *ARGUMENTS, "--run", str(killed)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (killed / "log.csv").exists() or len((killed / "log.csv").read_text()) < 3000:
            assert process.poll() is None
            time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
    assert 0 < torch.load(killed / "state.pth")["step"] < 150
    subprocess.run([*TRAIN, "--run", str(killed), "--resume", "--device", "cpu"], check=True)
    a, b = (torch.load(run / "state.pth") for run in (whole, killed))
    for part in ("trainee", "average"):
        for name, tensor in a[part].items():
            assert torch.equal(tensor, b[part][name]), name

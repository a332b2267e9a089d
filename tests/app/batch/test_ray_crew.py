"""A batch on a real Ray cluster of two nodes on this machine."""

import contextlib
import os
import signal
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from app.batch.batch_command import main
from tests.app.batch.test_batch_command import rows
from tests.support.media import read_clip, write_clip
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

FAST = ("--input-size", "64x96", "--save-labels", "labels.mkv", "--data", "rows.csv")


@pytest.fixture
def cluster(monkeypatch):
    pytest.importorskip("ray")
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    found = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False}
    )
    yield found
    ray.shutdown()
    found.shutdown()


def read(out, name):
    """What a drive became: stamps, pixels of the labels, rows without what clocks say."""
    lines = (out / name / "rows.csv").read_text().splitlines()
    columns = [i for i, c in enumerate(lines[0].split(",")) if c not in {"wall_time", "latency"}]
    cells = [[line.split(",")[i] for i in columns] for line in lines]
    stamps, pictures = read_clip(out / name / "annotated.mp4")
    return stamps, np.stack(pictures), np.stack(read_clip(out / name / "labels.mkv")[1]), cells


def actors():
    """Processes of the workers."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().startswith(b"ray::_Actor"):
                found.add(int(path.parent.name))
    return found


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "nosuch.invalid:9"])
def test_a_cluster_that_is_not_there_is_said_at_once_and_changes_nothing(tmp_path, capsys, address):
    pytest.importorskip("ray")
    command = [str(write_clip(tmp_path / "a.mp4", 4)), "-o", str(tmp_path / "out"), *FAST]
    assert main(command) == 0
    before = rows(tmp_path / "out")
    assert main([*command, "--no-skip", "--ray", address]) == 2
    assert f"Error: There is no Ray cluster at {address} (" in capsys.readouterr().err
    assert rows(tmp_path / "out") == before


@pytest.mark.parametrize("split", [(), ("--split", "5s")])
def test_a_node_and_a_worker_that_die_cost_no_drive_and_none_is_done_twice(
    cluster, tmp_path, split
):
    drives, out, serial = (tmp_path / name for name in ("drives", "out", "serial"))
    drives.mkdir()
    for number in range(8):
        write_clip(drives / f"{number}.mp4", 400 + number)
    second = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()
    command = [str(drives), *FAST, *split, "-o"]
    options = ["--ray", cluster.address, "--cpus-per-worker", "1"]

    def under_way():
        with contextlib.suppress(sqlite3.Error):  # it is being made
            return [row for row in rows(out).values() if row[0] == "running"]
        return []

    def interfere():
        wait_until(lambda: list(out.glob("*/drive.json")) and len(under_way()) >= 4)
        before = actors()
        cluster.remove_node(second, allow_graceful=False)
        wait_until(lambda: len(before & actors()) <= 2)
        os.kill(min(before & actors()), signal.SIGKILL)

    thread = threading.Thread(target=interfere)
    thread.start()
    assert main([*command, str(out), *options]) == 0
    thread.join()
    found = rows(out, "name, state, attempts - lost, lost, kind")
    names = {name for name, row in found.items() if row[3] == "drive"}
    assert names == set("01234567")
    assert bool(split) == (len(found) > len(names))
    assert {row[:2] for row in found.values()} == {("done", 1)}
    assert 2 <= sum(row[2] for row in found.values()) <= 3
    assert main([*command, str(serial), "--workers", "1"]) == 0
    for name in names:
        for ours, theirs in zip(read(out, name), read(serial, name), strict=True):
            assert np.array_equal(ours, theirs)

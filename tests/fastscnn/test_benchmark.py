import json

import numpy as np
import pytest
import torch

from fastscnn import FastSCNN, Segmenter, benchmark
from fastscnn.benchmarking import roofline
from fastscnn.benchmarking.baseline import Baseline
from fastscnn.benchmarking.ways import ways_of
from fastscnn.checkpoints.checkpoint import load
from fastscnn.data.street import Street
from fastscnn.segmenter import default_checkpoint, pick_device


def test_the_plain_way_gives_the_labels_that_ours_gives():
    image, _ = Street(2, 320, 160).render(1.0)
    plain = Baseline(load(default_checkpoint()), pick_device("cpu"))
    ours = Segmenter.from_checkpoint(device="cpu", precision="fp32", input_size="exact")
    assert (plain(image) == ours(image)).mean() > 0.999
    assert np.allclose(plain.prob(image), ours.prob(image), atol=1e-3)
    assert plain(image, (100, 333)).shape == (100, 333)


def test_all_ways_to_labels_give_the_same_labels():
    image, _ = Street(2, 256, 128).render(1.0)
    ways, ours = ways_of(default_checkpoint(), "cpu", "fp32", "auto")
    found = {key: way(image) for key, way in ways.items() if key[0] in {"cls", "labels alone"}}
    assert {("cls", "plain"), ("cls", "labels by cells"), ("cls", "ours")} <= found.keys()
    for labels in found.values():
        assert (labels == ours(image)).mean() > 0.999
    for output in ("prob", "cls + confidence"):
        plain, fast = ways[output, "plain"](image), ways[output, "ours"](image)
        assert np.shape(plain[0]) == np.shape(fast[0])


def test_every_way_is_measured_in_turn_after_the_burn_in():
    order = []
    ways = {name: lambda _, name=name: order.append(name) for name in ("a", "b")}
    times = benchmark.measure(ways, [np.zeros((1, 1, 3), np.uint8)], burn_in=2, frames=3)
    assert order == ["a", "b"] * 5
    assert [len(t) for t in times.values()] == [3, 3]


def test_the_work_of_a_network_is_that_of_its_convolutions():
    work = roofline.network_work(FastSCNN().eval(), (512, 1024), 4)
    # The first convolution: 32 sums over 3×3×3 for every second pixel, multiply and add.
    assert work[0].flops == 2 * 27 * 32 * 256 * 512
    values = 3 * 512 * 1024 + 32 * 256 * 512 + 27 * 32
    assert work[0].bytes == 4 * values
    half = roofline.network_work(FastSCNN().eval(), (256, 512), 4)
    assert sum(w.flops for w in work) == pytest.approx(4 * sum(w.flops for w in half), rel=0.01)
    slow, fast = roofline.Rates(1e9, 1e9), roofline.Rates(1e9, 1e12)
    assert work[0].seconds(slow) == pytest.approx(max(work[0].flops, work[0].bytes) / 1e9)
    assert work[0].seconds(fast) == pytest.approx(work[0].flops / 1e9)


def test_the_rates_of_this_device_are_measured():
    rates = roofline.measure_rates(torch.device("cpu"), torch.float32, rounds=1)
    assert rates.flops > 1e8
    assert rates.bytes > 1e7


def test_the_command_prints_a_table_and_writes_json(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "SIZES", {"tiny": (64, 128)})
    arguments = ["--device", "cpu", "--burn-in", "0", "--frames", "1"]
    assert benchmark.main([*arguments, "--json", str(tmp_path / "b.json")]) == 0
    out = capsys.readouterr().out
    assert "× plain" in out
    figures = json.loads((tmp_path / "b.json").read_text())
    rows = figures["timings"]
    assert {r["output"] for r in rows} == set(benchmark.OUTPUTS)
    for output in benchmark.OUTPUTS:
        ways = [r["way"] for r in rows if r["output"] == output]
        assert ways[0] == "plain"
        assert ways[-1] == "ours"
    assert all((r["reached"] is not None) == (
        r["way"] == "ours" and r["output"] in {"cls", "network alone", "labels alone"}
    ) for r in rows)  # fmt: skip
    assert figures["rates"]["flops"] > 0


def test_quick_measures_the_smallest_size_only(tmp_path, capsys):
    file = tmp_path / "b.json"
    arguments = ["--device", "cpu", "--quick", "--output", "network alone", "--json", str(file)]
    assert benchmark.main(arguments) == 0
    figures = json.loads(file.read_text())
    assert (figures["burn_in"], figures["frames"]) == (1, 3)
    assert {row["size"] for row in figures["timings"]} == {"quarter"}


def test_only_what_is_asked_for_is_measured(capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "SIZES", {"tiny": (64, 128)})
    arguments = ["--device", "cpu", "--burn-in", "0", "--frames", "1", "--output", "prob"]
    assert benchmark.main(arguments) == 0
    out = capsys.readouterr().out
    assert "prob" in out
    assert "labels alone" not in out


def test_the_command_says_in_a_sentence_what_is_wrong(capsys):
    assert benchmark.main(["--weights", "nosuch.pth"]) == 2
    assert "nosuch.pth" in capsys.readouterr().err
    assert benchmark.main(["--runtime", "abacus"]) == 2
    assert "no runtime" in capsys.readouterr().err

import json

import numpy as np

from fastscnn import Segmenter, benchmark
from fastscnn.checkpoint import load
from fastscnn.data.street import Street
from fastscnn.segmenter import default_checkpoint, pick_device


def test_the_plain_way_gives_the_labels_that_ours_gives():
    image, _ = Street(2, 320, 160).render(1.0)
    plain = benchmark.Plain(load(default_checkpoint()), pick_device("cpu"))
    ours = Segmenter.from_checkpoint(device="cpu", input_size="exact")
    assert (plain(image) == ours(image)).mean() > 0.999
    assert np.allclose(plain(image, prob=True), ours.prob(image), atol=1e-3)


def test_every_way_is_measured_in_turn_after_the_burn_in():
    order = []
    ways = {name: lambda _, name=name: order.append(name) for name in ("a", "b")}
    times = benchmark.measure(ways, [np.zeros((1, 1, 3), np.uint8)], burn_in=2, frames=3)
    assert order == ["a", "b"] * 5
    assert [len(t) for t in times.values()] == [3, 3]


def test_the_command_prints_a_table_and_writes_json(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "SIZES", {"tiny": (64, 128)})
    arguments = ["--device", "cpu", "--burn-in", "0", "--frames", "1"]
    assert benchmark.main([*arguments, "--json", str(tmp_path / "b.json")]) == 0
    out = capsys.readouterr().out
    assert "ours cls" in out
    assert "× plain" in out
    rows = json.loads((tmp_path / "b.json").read_text())["timings"]
    assert {r["way"] for r in rows} == {"plain cls", "ours cls", "plain prob", "ours prob"}


def test_the_command_says_in_a_sentence_what_is_wrong(capsys):
    assert benchmark.main(["--weights", "nosuch.pth"]) == 2
    assert "nosuch.pth" in capsys.readouterr().err

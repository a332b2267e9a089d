"""The window tells the classes of the network that it shows."""

from dataclasses import replace

import pytest
import torch
from PyQt6.QtCore import QPoint
from PyQt6.QtTest import QTest

from app.gui.video.pixel_probe import probe_pixel
from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.data.class_sets import ClassSet
from fastscnn.labels import CLASS_NAMES
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.model.model_config import FastSCNNConfig
from tests.support.onnx_networks import five_classes
from tests.support.window_driver import SMALL, click, holding, messages, wait_until

OWN = ("lane", "kerb", "sky", "puddle", "cone")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("weights")
    for name, names in (("five", OWN), ("thirty", tuple(map(str, range(30))))):
        network = FastSCNN(FastSCNNConfig(num_classes=len(names))).eval()
        save(Checkpoint(network, classes=ClassSet(names)), folder / f"{name}.pth")
    network = FastSCNN(FastSCNNConfig(num_classes=3)).eval()
    own = ClassSet(("floor", "crack", "tool"), ((9, 8, 7), (1, 2, 3), (200, 0, 0)))
    save(Checkpoint(network, classes=own), folder / "colored.pth")
    return folder


@pytest.fixture(scope="module")
def held():
    # By any runtime: PyTorch, which is at its first frame sooner, runs no ONNX networks.
    any_runtime = replace(SMALL, network=replace(SMALL.network, runtime="auto"))
    with holding(1360, 830, any_runtime) as made:
        yield made


def use(made, weights, names):
    made.network_commands.use_weights(str(weights) if weights else None)
    wait_until(lambda: listed(made) == list(names), "the list of classes")


def listed(made):
    return [row.text() for row in made.legend.rows]


def test_the_list_the_mouse_and_the_picture_go_with_the_network(held, folder):
    for name, names in (
        ("five.pth", OWN),
        ("thirty.pth", tuple(map(str, range(30)))),
        (None, CLASS_NAMES),
    ):
        use(held, folder / name if name else None, names)
        assert all(row.isVisible() for row in held.legend.rows)
        result = held.view.result
        assert result.labels.max() < len(names)
        assert sum(row.share for row in held.legend.rows) == pytest.approx(1, abs=0.02)
        QTest.mouseMove(held.view, QPoint(held.view.width() // 2, held.view.height() // 2))
        seen = held.view.pixel_info()
        assert seen.lines[0].startswith(names[result.labels[seen.row, seen.column]])
        assert seen.color == result.classes.rows[seen.train_id].color
    told = [text for text in messages(held) if "know 5 classes, 4 of them of their own" in text]
    assert len(told) == 1


def test_a_class_that_both_networks_know_stays_hidden_and_others_do_not(held, folder):
    use(held, None, CLASS_NAMES)
    for name in ("sky", "road"):
        click(held.legend.rows[CLASS_NAMES.index(name)])
    use(held, folder / "five.pth", OWN)
    wait_until(lambda: held.legend.hidden == {OWN.index("sky")}, "the hidden class")
    click(held.legend.rows[0])
    wait_until(lambda: held.legend.hidden == {0, OWN.index("sky")}, "both hidden")
    use(held, None, CLASS_NAMES)
    wait_until(lambda: held.legend.hidden == {CLASS_NAMES.index("sky")}, "the sky alone")
    click(held.legend.show_all)


def test_a_class_outlined_in_one_network_is_no_other_class_in_the_next(held, folder):
    use(held, folder / "five.pth", OWN)
    held.legend.class_chosen.emit(3)
    assert held.legend.rows[3].marked
    use(held, None, CLASS_NAMES)
    held.refresh()
    assert not any(row.marked for row in held.legend.rows)


def test_a_click_beside_the_divider_chooses_among_the_classes_of_the_list(held, folder):
    use(held, None, CLASS_NAMES)
    held.network_commands.compare_with(str(folder / "five.pth"))
    wait_until(lambda: len(held.view.result.predictions) == 2, "both networks")
    first, second = held.view.result.predictions
    assert (first.classes.names, second.classes.names) == (CLASS_NAMES, OWN)
    held.view_commands.set_split(0.0)
    held.refresh()
    QTest.mouseMove(held.view, QPoint(held.view.width() // 2 + 60, held.view.height() // 2))
    seen = held.view.pixel_info()
    assert seen.classes.names == OWN
    name = OWN[seen.train_id]
    assert seen.listed == (CLASS_NAMES.index(name) if name in CLASS_NAMES else None)
    assert listed(held) == list(CLASS_NAMES)


def test_an_onnx_network_of_another_kind_is_listed_and_has_no_skip_to_switch(held, tmp_path):
    use(held, five_classes(tmp_path / "m.onnx"), "abcde")
    wait_until(lambda: not held.view_panel.skip.isEnabled(), "the switch without use")
    assert "no skip connection" in held.view_panel.skip.toolTip()
    assert any("m.onnx does not say all" in text for text in messages(held))
    use(held, five_classes(tmp_path / "n.onnx", output="labels"), "abcde")
    wait_until(lambda: not held.view.result.predictions[0].logits.size, "labels alone")
    result = held.view.result
    seen = probe_pixel(result, 0, 9, 7)
    assert seen.lines[0] == "abcde"[result.labels[7, 9]]
    use(held, None, CLASS_NAMES)
    wait_until(lambda: held.view_panel.skip.isEnabled(), "the switch")


def test_the_colours_that_weights_bring_are_those_of_list_and_picture(held, folder):
    use(held, folder / "colored.pth", ("floor", "crack", "tool"))
    wait_until(lambda: len(held.view.result.classes) == 3, "a result of the network")
    table = held.view.result.classes
    assert [row.color for row in table.rows] == [(9, 8, 7), (1, 2, 3), (200, 0, 0)]
    assert held.legend.classes.palette[:3].tolist() == table.palette[:3].tolist()
    use(held, None, CLASS_NAMES)

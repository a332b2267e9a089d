import json

import numpy as np
import pytest

from fastscnn.data.class_sets import ClassSet, class_set, read_classes
from fastscnn.labels import CLASS_NAMES, ID_TO_TRAIN_ID, TRAIN_ID_TO_ID, UNKNOWN

THREE = {
    "classes": ["floor", "crack", "person"],
    "colors": ["#102030", [0, 255, 0], [9, 9, 9]],
    "ids": {"floor": [0, 4], "crack": 255, "person": [7]},
    "ignore": [3],
}


def written(tmp_path, said):
    path = tmp_path / "classes.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said), "utf-8")
    return path


def test_a_file_gives_names_colours_and_values(tmp_path):
    found = read_classes(written(tmp_path, THREE))
    assert found.names == ("floor", "crack", "person")
    assert found.table.palette[:3].tolist() == [[16, 32, 48], [0, 255, 0], [9, 9, 9]]
    assert found.label_values == {0: 0, 4: 0, 255: 1, 7: 2, 3: UNKNOWN}
    assert found.to_values[[0, 1, 2, UNKNOWN]].tolist() == [0, 255, 7, 3]
    assert class_set(json.loads(json.dumps(found.to_dict()))) == found


def test_names_alone_are_numbered_and_the_others_may_be_ignored(tmp_path):
    found = read_classes(written(tmp_path, {"classes": ["a", "b"]}))
    assert found.label_values == {0: 0, 1: 1}
    found = read_classes(written(tmp_path, {"classes": ["a", "b"], "ignore": "others"}))
    assert found.label_values == {0: 0, 1: 1} | dict.fromkeys(range(2, 256), UNKNOWN)


def test_colours_by_name_leave_the_other_classes_their_own(tmp_path):
    said = {"classes": ["car", "crack"], "colors": {"crack": "#ff0000"}}
    found = read_classes(written(tmp_path, said))
    assert found.colors == ((0, 0, 142), (255, 0, 0))


def test_classes_of_cityscapes_go_by_their_names_and_parts():
    assert np.array_equal(ClassSet().of_cityscapes, ID_TO_TRAIN_ID)
    assert np.array_equal(ClassSet().to_values, TRAIN_ID_TO_ID)
    said = {
        "classes": ["vehicle", "crack", "road"],
        "ids": {"vehicle": 26, "crack": 7, "road": 1},
        "cityscapes": {"vehicle": ["car", "bus"]},
    }
    found = class_set(said)
    of = {name: int(found.of_cityscapes[TRAIN_ID_TO_ID[i]]) for i, name in enumerate(CLASS_NAMES)}
    assert {name: number for name, number in of.items() if number != UNKNOWN} == {
        "road": 2,
        "car": 0,
        "bus": 0,
    }
    assert class_set(found.to_dict()) == found


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("[1, 2]", "not one JSON object"),
        ('{"classes": ["a",', "is no JSON"),
        ("\ufffe" * 3, "is no JSON"),
        ('{"classes": ["a", "b"], "classes": ["c", "d"]}', "says 'classes' twice"),
        ({"names": ["a", "b"]}, "must be a list of 2 to 255 names"),
        ({"classes": ["a"]}, "must be a list of 2 to 255 names"),
        ({"classes": [f"c{i}" for i in range(256)]}, "must be a list of 2 to 255 names"),
        ({"classes": ["a", "b", "A"]}, "name 'A' twice"),
        ({"classes": ["a", 3]}, "in place 1"),
        ({"classes": ["a", "b\nc"]}, "in place 1"),
        ({"classes": ["a" * 41, "b"]}, "in place 0"),
        ({"classes": ["a", "b,c"]}, "in place 1"),
        ({"classes": ["a", "b"], "colors": [[1, 2, 3]]}, "list of 2 colours"),
        ({"classes": ["a", "b"], "colors": [[1, 2, 3], [1, 2, 256]]}, "of 0 to 255"),
        ({"classes": ["a", "b"], "colors": ["red", "#000000"]}, "of 0 to 255"),
        ({"classes": ["a", "b"], "colors": {"c": "#000000"}}, "'c', which is no class"),
        ({"classes": ["a", "b"], "ids": {"a": 1}}, "no values of label files, 0 to 255, for 'b'"),
        ({"classes": ["a", "b"], "ids": {"a": 1, "b": []}}, "0 to 255, for 'b'"),
        ({"classes": ["a", "b"], "ids": {"a": 1, "b": 256}}, "0 to 255, for 'b'"),
        ({"classes": ["a", "b"], "ids": {"a": 1, "b": True}}, "0 to 255, for 'b'"),
        ({"classes": ["a", "b"], "ids": {"a": 1, "b": [2, 1]}}, "give 1 to 'a' and 'b'"),
        ({"classes": ["a", "b"], "ids": {"a": 1, "b": 2, "c": 3}}, "'c', which is no class"),
        ({"classes": ["a", "b"], "ids": [1, 2]}, "no object with the names of classes"),
        ({"classes": ["a", "b"], "ignore": "all"}, '"ignore" is no list'),
        ({"classes": ["a", "b"], "ignore": [1]}, "leaves out 1, which is 'b'"),
        ({"classes": ["a", "b"], "cityscapes": {"a": "boat"}}, "'boat', which is no class of"),
        ({"classes": ["a", "b"], "cityscapes": {"a": "car", "b": "car"}}, "'car' to two classes"),
        ("[" * 100_000, "cannot be used"),
        (f'{{"classes": ["a", "b"], "x": "{"y" * 2**20}"}}', "of a few kilobytes"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_a_sentence(said, sentence, tmp_path):
    with pytest.raises(ValueError, match=r"classes\.json") as refused:
        read_classes(written(tmp_path, said))
    text = str(refused.value)
    assert sentence in text
    assert "\n" not in text
    assert text.endswith("docs/training.md.")


def test_a_file_that_is_not_there_is_said():
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        read_classes("/nosuch/classes.json")

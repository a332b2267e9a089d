import numpy as np
import pytest
import torch

from fastscnn.data.dataset_check import check
from fastscnn.data.dataset_factory import open_frames
from fastscnn.data.dataset_mix import Mix, open_dataset
from fastscnn.data.folder_dataset import FolderDataset
from fastscnn.data.label_sets import TargetSets, read_sets
from fastscnn.data.pair_dataset import DataError
from fastscnn.training.batch_loader import BatchLoader
from tests.support.labelled_data import labelled_folder, write_twins


@pytest.fixture
def folder(tmp_path):
    return labelled_folder(tmp_path / "data")


def test_the_shipped_table_of_sets_covers_idd_lites_seven_groups():
    table = read_sets("idd_lite")
    assert table.folder == "groups"
    assert sorted(table.sets) == list(range(7))
    assert table.sets[5] == (2, 8)
    assert sorted(i for ids in table.sets.values() for i in ids) == list(range(19))


def test_a_table_that_is_not_there_or_names_no_class_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no table"):
        read_sets("nosuch")
    (tmp_path / "t.json").write_text('{"0": ["lorry"]}')
    with pytest.raises(ValueError, match="lorry"):
        read_sets(str(tmp_path / "t.json"))


def test_groups_become_numbered_sets(folder):
    sets = TargetSets()
    _, target = FolderDataset(folder, sets, "idd_lite")[0]
    members = sets.members()
    seen = {tuple(torch.where(members[n])[0].tolist()) for n in np.unique(target) if n != 255}
    assert seen == {(0,), (2, 8)}


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (
            lambda d: (d / "labels" / "1.png").unlink(),
            "lacks labels for 1 of 3",
        ),
        (lambda d: (d / "labels" / "1.png").write_bytes(b"x"), "cannot be read"),
        (lambda d: (d / "labels").rename(d / "masks"), "is not there"),
    ],
)
def test_damaged_folders_are_named_in_a_sentence(folder, damage, sentence):
    damage(folder)
    with pytest.raises(DataError, match=sentence):
        [*map(FolderDataset(folder, TargetSets()).__getitem__, range(3))]


def test_labels_that_are_no_train_ids_are_refused(folder):
    import cv2

    cv2.imwrite(str(folder / "labels" / "0.png"), np.full((72, 96), 33, np.uint8))
    with pytest.raises(DataError, match="33, which is no label"):
        FolderDataset(folder, TargetSets())[0]


def test_labels_of_another_size_are_refused(folder):
    import cv2

    cv2.imwrite(str(folder / "labels" / "0.png"), np.zeros((10, 10), np.uint8))
    with pytest.raises(DataError, match="10×10 pixels, its picture 96×72"):
        FolderDataset(folder, TargetSets())[0]


def test_hidden_files_are_no_pairs(folder):
    write_twins(folder)
    assert len(FolderDataset(folder, TargetSets())) == 3
    check([FolderDataset(folder, TargetSets())], progress=False)


@pytest.mark.parametrize("name", ["cam [front] 2024", "what?", "a?sets=camvid&b", "~drive", "50%"])
def test_a_folder_may_have_any_name(tmp_path, name, monkeypatch):
    labelled_folder(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for place in (name, str(tmp_path / name)):
        for text in (place, f"folder:{place}"):
            assert len(open_frames(text)) == 3
            assert len(open_frames(f"{text}?sets=idd_lite")) == 3
        assert len(open_dataset(f"folder:{place}?weight=2", TargetSets())[0]) == 3


def test_the_home_is_found_in_the_name_of_a_data_set_too(tmp_path, monkeypatch):
    labelled_folder(tmp_path / "data")
    (tmp_path / "t.json").write_text('{"0": ["road"], "5": ["car"]}')
    monkeypatch.setenv("HOME", str(tmp_path))
    for text in ("~/data", "folder:~/data", "folder:~/data?sets=~/t.json"):
        assert len(open_frames(text)) == 3
    assert len(open_dataset("folder:~/data", TargetSets())[0]) == 3


@pytest.mark.parametrize("spec", ["folder:/nosuch", "cloud:x", "street?weight=-1", "street?x=1"])
def test_data_that_cannot_be_meant_is_refused(spec):
    with pytest.raises(DataError, match=r"\.$"):
        Mix([spec], TargetSets())


def test_batches_do_not_depend_on_who_prepares_them():
    def draw(rng, step):
        return rng.integers(0, 256, (4, 4, 3), np.uint8), rng.integers(0, 19, (4, 4), np.uint8)

    made = []
    for workers, places in ((0, [range(4)]), (3, [range(4)]), (1, [range(2), range(2, 4)])):
        parts = [
            BatchLoader(draw, seed=5, places=lambda _, p=p: p, steps=6, workers=workers)
            for p in places
        ]
        made.append([torch.cat([part(s)[0] for part in parts]) for s in range(6)])
        for part in parts:
            part.close()
    for other in made[1:]:
        for a, b in zip(made[0], other, strict=True):
            assert torch.equal(a, b)
    assert not torch.equal(made[0][0], made[0][1])

import numpy as np
import pytest

from fastscnn.data.dataset_factory import open_frames
from fastscnn.data.dataset_mix import Mix
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.pair_dataset import DataError
from fastscnn.data.splits import fold_of
from tests.support.labelled_data import write_pair

DRIVES = [f"d{i}" for i in range(12)]


@pytest.fixture
def folder(tmp_path):
    for drive in DRIVES:
        for frame in range(2):
            write_pair(tmp_path, f"{drive}_{frame:03d}", np.zeros((8, 8)))
    return tmp_path


def names(frames):
    return {frames.name(i) for i in range(len(frames))}


def test_a_drive_is_what_stands_before_the_first_underscore(folder):
    frames = open_frames(f"{folder}?drives=d3,d5")
    assert names(frames) == {"d3_000", "d3_001", "d5_000", "d5_001"}
    assert {frames.drive(i) for i in range(4)} == {"d3", "d5"}


def test_drives_can_be_left_out(folder):
    rest = open_frames(f"folder:{folder}?without=d3")
    assert names(rest) == names(open_frames(str(folder))) - {"d3_000", "d3_001"}


def test_a_fold_and_all_others_divide_the_drives_between_them(folder):
    inside = names(open_frames(f"{folder}?fold=0/3"))
    others = names(open_frames(f"{folder}?fold=!0/3"))
    assert inside
    assert others
    assert not inside & others
    assert inside | others == names(open_frames(str(folder)))
    assert len({name.partition("_")[0] for name in inside}) * 2 == len(inside)


def test_a_drive_stays_in_its_fold_whatever_else_is_there():
    # Figures of published checkpoints rest on these: they may never change.
    assert [fold_of(drive, 10) for drive in ("0001TP", "0006R0", "0016E5", "127")] == [2, 7, 2, 0]


def test_folds_of_all_parts_cover_every_drive_once(folder):
    parts = [names(open_frames(f"{folder}?fold={k}/2")) for k in range(2)]
    assert len(parts[0]) + len(parts[1]) == 2 * len(DRIVES)


def test_a_training_mix_draws_from_the_chosen_drives_alone(folder):
    for drive in DRIVES:
        write_pair(folder, f"{drive}_000", np.full((8, 8), int(drive[1:])))
        write_pair(folder, f"{drive}_001", np.full((8, 8), int(drive[1:])))
    mix = Mix([f"folder:{folder}?without=d0,d1&fold=!0/3"], TargetSets())
    rng = np.random.default_rng(0)
    seen = {int(mix.sample(rng)[1][0, 0]) for _ in range(200)}
    assert seen == {i for i in range(2, 12) if fold_of(f"d{i}", 3) != 0}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("drives=nosuch", "no drive 'nosuch'"),
        ("without=d0,nosuch", "no drive 'nosuch'"),
        ("drives=d1&without=d1", "No drive of .* is left"),
        ("fold=3/3", "no fold"),
        ("fold=a/3", "no fold"),
        ("fold=0/1", "no fold"),
        ("drives=", "has no value"),
        ("fold=0/3&fold=1/3", "given twice"),
        ("weight=2", "'weight' is no option"),
    ],
)
def test_splits_that_cannot_be_meant_are_refused(folder, options, sentence):
    with pytest.raises(DataError, match=sentence) as error:
        open_frames(f"{folder}?{options}")
    assert str(error.value).endswith(".")


@pytest.mark.parametrize("options", ["fold=9/9", "drives=nosuch", "color=red"])
def test_training_refuses_them_too(folder, options):
    with pytest.raises(DataError):
        Mix([f"folder:{folder}?{options}"], TargetSets())

"""Cityscapes, on a small tree with the official names."""

import importlib.util
import json

import cv2
import numpy as np
import pytest

from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.data.dataset_check import check
from fastscnn.data.dataset_factory import open_frames
from fastscnn.data.dataset_mix import Mix, open_dataset
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.pair_dataset import DataError
from fastscnn.evaluate import main
from fastscnn.labels import CATEGORIES, CLASS_NAMES, LABELS
from fastscnn.segmenter import Segmenter, default_checkpoint
from tests.support.labelled_data import knowing, write_twins

IDS = {label.name: label.id for label in LABELS}
TREE = [
    ("gtFine", "train", "aachen_000000_000019"),
    ("gtFine", "train", "bochum_000000_000313"),
    ("gtFine", "val", "munster_000000_000019"),
    ("gtCoarse", "train", "aachen_000000_000019"),
    ("gtCoarse", "train", "bochum_000000_000313"),
    ("gtCoarse", "val", "munster_000000_000019"),
    ("gtCoarse", "train_extra", "augsburg_000000_000003"),
]


def truth_path(root, package, split, name):
    city = name.partition("_")[0]
    return root / package / split / city / f"{name}_{package}_labelIds.png"


def image_path(root, split, name):
    return root / "leftImg8bit" / split / name.partition("_")[0] / f"{name}_leftImg8bit.png"


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


@pytest.fixture
def root(tmp_path):
    """Every label picture holds all 34 ids; the coarse ones are mostly unlabelled."""
    for package, split, name in TREE:
        ids = np.resize(np.arange(34, dtype=np.uint8), (64, 68))
        if package == "gtCoarse":
            ids[:, 20:] = 0
        write(truth_path(tmp_path, package, split, name), ids)
        gray = np.random.default_rng(len(name)).integers(0, 256, (64, 68, 1), np.uint8)
        write(image_path(tmp_path, split, name), np.repeat(gray, 3, axis=2))
        # What else lies in the official packages is none of our business.
        (truth_path(tmp_path, package, split, name).parent / f"{name}_polygons.json").touch()
    return tmp_path


def names(frames):
    return [frames.name(i) for i in range(len(frames))]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", ["munster_000000_000019"]),
        ("?split=train", ["aachen_000000_000019", "bochum_000000_000313"]),
        ("?split=train_extra&labels=coarse", ["augsburg_000000_000003"]),
        ("?split=train&labels=coarse", ["aachen_000000_000019", "bochum_000000_000313"]),
        (
            "?split=train&labels=fine+coarse",
            ["aachen_000000_000019", "bochum_000000_000313", "augsburg_000000_000003"],
        ),
        (
            "?split=train+val",
            ["aachen_000000_000019", "bochum_000000_000313", "munster_000000_000019"],
        ),
        ("?split=train&without=bochum", ["aachen_000000_000019"]),
    ],
)
def test_splits_and_labels_are_found_by_their_official_names(root, options, expected):
    assert names(open_frames(f"cityscapes:{root}{options}")) == expected


def test_hidden_files_are_no_frames(root):
    write_twins(root)
    (root / "leftImg8bit" / "val" / ".cache").mkdir()
    assert names(open_frames(f"cityscapes:{root}")) == ["munster_000000_000019"]


def test_fine_labels_come_before_coarse_ones(root):
    frames = open_frames(f"cityscapes:{root}?split=train&labels=fine+coarse")
    fine, _, extra = (frames.read(i)[1] for i in range(3))
    assert (fine != 255).mean() > 0.5
    assert (extra != 255).mean() < 0.3


def test_ids_become_train_ids_by_the_official_table(root):
    image, target = open_frames(f"cityscapes:{root}").read(0)
    assert image.shape == (64, 68, 3)
    ids = np.resize(np.arange(34), (64, 68))
    for label in LABELS:
        if label.id >= 0:
            assert (target[ids == label.id] == label.train_id).all(), label.name


def test_training_draws_from_train_unless_told_otherwise(root):
    dataset, weight = open_dataset(f"cityscapes:{root}?weight=3", TargetSets())
    assert weight == 3
    assert names(dataset) == ["aachen_000000_000019", "bochum_000000_000313"]
    image, target = Mix([f"cityscapes:{root}"], TargetSets()).sample(np.random.default_rng(0))
    assert image.shape[:2] == target.shape


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("?split=nosuch", "split=nosuch has no fine labels"),
        ("?split=train_extra", "train_extra has no fine labels in Cityscapes"),
        ("?split=test&labels=coarse", "test has no coarse labels"),
        ("?labels=good", "labels=good is not in Cityscapes: use fine, coarse, fine\\+coarse"),
        ("?split=test", "leftImg8bit/test is not there"),
        ("?drives=paris", "no drive 'paris', there are munster"),
        ("?sets=camvid", "'sets' is no option"),
    ],
)
def test_what_is_not_in_cityscapes_is_refused(root, options, sentence):
    with pytest.raises(DataError, match=sentence):
        open_frames(f"cityscapes:{root}{options}")


def test_missing_pairs_are_named_whichever_half_is_missing(root):
    truth_path(root, "gtFine", "train", TREE[0][2]).unlink()
    with pytest.raises(DataError, match=r"lacks labels for 1 of 2 pictures.* aachen_000000_000019"):
        open_dataset(f"cityscapes:{root}", TargetSets())
    image_path(root, "val", TREE[2][2]).unlink()
    with pytest.raises(DataError, match="holds no pictures"):
        open_frames(f"cityscapes:{root}")
    image_path(root, "train", TREE[0][2]).unlink()
    image_path(root, "train", TREE[1][2]).unlink()
    truth_path(root, "gtFine", "train", TREE[1][2]).unlink()
    write(image_path(root, "train", "a_0_0"), np.zeros((4, 4, 3), np.uint8))
    for name in ("a_0_0", "b_0_0"):
        write(truth_path(root, "gtFine", "train", name), np.zeros((4, 4), np.uint8))
    with pytest.raises(DataError, match="lacks the pictures of 1 of 2 labels, the first is b_0_0"):
        open_dataset(f"cityscapes:{root}", TargetSets())


def test_labels_are_written_as_the_benchmarks_server_takes_them(root, tmp_path):
    save(Checkpoint(knowing(CLASS_NAMES.index("truck"), 0)), tmp_path / "known.pth")
    arguments = [f"cityscapes:{root}?split=train", "--weights", str(tmp_path / "known.pth")]
    arguments += ["--input-size", "exact", "--device", "cpu", "--labels", str(tmp_path / "seen")]
    assert main(arguments) == 0
    written = sorted(path.name for path in (tmp_path / "seen").iterdir())
    assert written == ["aachen_000000_000019.png", "bochum_000000_000313.png"]
    labels = cv2.imread(str(tmp_path / "seen" / written[0]), cv2.IMREAD_UNCHANGED)
    segmenter = Segmenter.from_checkpoint(tmp_path / "known.pth", device="cpu", input_size="exact")
    image, _ = open_frames(f"cityscapes:{root}?split=train").read(0)
    train_to_id = np.array([IDS[name] for name in CLASS_NAMES], np.uint8)
    assert np.array_equal(labels, train_to_id[segmenter(image)])
    assert set(np.unique(labels)) == {IDS["road"], IDS["truck"]}


def test_labels_are_never_written_where_the_data_lie(root, capsys):
    truths = root / "gtFine" / "val" / "munster"
    before = {path: path.read_bytes() for path in truths.iterdir()}
    assert main([f"cityscapes:{root}", "--labels", str(truths), "--overwrite"]) == 5
    assert "holds what is being read" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in truths.iterdir()} == before


def test_a_split_whose_labels_say_nothing_has_no_figures_and_no_failure(root, tmp_path, capsys):
    for number in range(2):
        name = f"berlin_{number:06d}_000019"
        write(image_path(root, "test", name), np.zeros((64, 68, 3), np.uint8))
        write(truth_path(root, "gtFine", "test", name), np.ones((64, 68), np.uint8))
    arguments = [f"cityscapes:{root}?split=test", "--device", "cpu", "--skip", "both"]
    arguments += ["--input-size", "64x64", "--worst", "1", "--pictures", str(tmp_path / "w")]
    arguments += ["--by-drive"]
    if importlib.util.find_spec("matplotlib"):  # the extra train
        arguments += ["--confusion", str(tmp_path / "c.png")]
    assert main(arguments) == 0
    assert "0 of 19 classes occur" in capsys.readouterr().out


def opened(root, options=""):
    return [open_dataset(f"cityscapes:{root}{options}", TargetSets())[0]]


def test_a_tree_with_nothing_wrong_passes_the_check(root):
    check(opened(root, "?labels=fine+coarse"))
    check([*opened(root, "?split=val"), object()])


@pytest.mark.parametrize(
    ("pixels", "sentence"),
    [
        (np.full((64, 68), 34, np.uint8), "holds 34, which is no label"),
        (np.zeros((64, 60), np.uint8), "has 60×64 pixels, its picture 68×64"),
        (np.zeros((64, 68, 3), np.uint8), "8-bit grey"),
        (np.zeros((64, 68), np.uint16), "8-bit grey"),
    ],
)
def test_the_check_names_what_would_end_a_training_later(root, pixels, sentence):
    write(truth_path(root, "gtFine", "train", TREE[1][2]), pixels)
    with pytest.raises(DataError, match=f"bochum_000000_000313.*{sentence}"):
        check(opened(root))


def test_the_check_has_one_sentence_for_each_kind_of_trouble_and_counts(root):
    paths = [truth_path(root, "gtFine", "train", name) for _, _, name in TREE[:2]]
    for path in paths:
        write(path, np.full((64, 68), 200, np.uint8))
    write(truth_path(root, "gtFine", "val", TREE[2][2]), np.zeros((10, 10), np.uint8))
    with pytest.raises(DataError) as error:
        check(opened(root, "?split=train+val"))
    first, second = str(error.value).split(". ")
    assert "aachen" in first
    assert "the same trouble in 1 more of 3 pairs" in first
    assert "10×10" in second


def test_the_check_notices_pictures_that_are_none_and_labels_that_say_nothing(root):
    image_path(root, "val", TREE[2][2]).write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"leftImg8bit.png cannot be read"):
        check(opened(root, "?split=val"))
    for _, _, name in TREE[:2]:
        write(truth_path(root, "gtFine", "train", name), np.zeros((64, 68), np.uint8))
    with pytest.raises(DataError, match="no labelled pixel"):
        check(opened(root))


@pytest.mark.parametrize("known", [True, False], ids=["two classes", "shipped weights"])
def test_figures_are_those_of_the_official_evaluator(root, tmp_path, known):
    official = pytest.importorskip(
        "cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling",
        reason="cityscapesscripts, the official evaluator, is not installed",
        exc_type=ImportError,
    )
    # Random truths and pictures, several frames; ids of every kind, ignored ones too.
    rng = np.random.default_rng(5)
    for number in range(3):
        name = f"munster_{number:06d}_000019"
        blocks = rng.integers(0, 30, (8, 9), np.uint8)  # neither train nor bicycle occur
        write(truth_path(root, "gtFine", "val", name), np.kron(blocks, np.ones((8, 8), np.uint8)))
        gray = np.kron(rng.integers(0, 256, (4, 3), np.uint8), np.ones((16, 24), np.uint8))
        write(image_path(root, "val", name), np.repeat(gray[..., None], 3, axis=2))
    weights = tmp_path / "known.pth" if known else default_checkpoint()
    if known:
        save(Checkpoint(knowing(CLASS_NAMES.index("truck"), 0)), weights)
    arguments = [f"cityscapes:{root}", "--weights", str(weights), "--device", "cpu"]
    arguments += ["--input-size", "exact", "--skip", "both", "--json", str(tmp_path / "x.json")]
    arguments += ["--labels", str(tmp_path / "seen")]
    assert main(arguments) == 0
    reports = json.loads((tmp_path / "x.json").read_text("utf-8"))["reports"]
    frames = open_frames(f"cityscapes:{root}")
    for report in reports:
        folder = tmp_path / "seen" / f"exact_skip-{'on' if report['skip'] else 'off'}"
        predictions = [str(folder / f"{pair.name}.png") for pair in frames.pairs]
        truths = [str(pair.truth) for pair in frames.pairs]
        official.args.evalInstLevelScore = official.args.JSONOutput = False
        official.args.quiet = True
        theirs = official.evaluateImgLists(predictions, truths, official.args)
        for name in CLASS_NAMES:
            ours = report["class_iou"][name]
            expected = theirs["classScores"][name]
            assert (np.nan if ours is None else ours) == pytest.approx(expected, nan_ok=True), name
        for name in CATEGORIES:
            ours = report["category_iou"][name]
            expected = theirs["categoryScores"][name]
            assert (np.nan if ours is None else ours) == pytest.approx(expected, nan_ok=True), name
        assert report["mean_iou"] == pytest.approx(theirs["averageScoreClasses"])
        assert report["mean_category_iou"] == pytest.approx(theirs["averageScoreCategories"])
    assert 0 < reports[0]["mean_iou"] != reports[1]["mean_iou"]

"""Dataset factory for evaluation: frames by number, named on the command line."""

from __future__ import annotations

from pathlib import Path

from fastscnn.data import cityscapes_dataset
from fastscnn.data.cityscapes_dataset import CityscapesDataset
from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet
from fastscnn.data.dataset_spec import DataSpec, read_spec
from fastscnn.data.folder_dataset import FolderDataset
from fastscnn.data.label_sets import SetTable, TargetSets
from fastscnn.data.pair_dataset import DataError, PairDataset
from fastscnn.data.splits import OPTIONS, read_split
from fastscnn.data.street_frames import SEEDS, StreetFrames
from fastscnn.paths import expand_user
from fastscnn.suggestions import did_you_mean, did_you_mean_file


def open_cityscapes(
    spec: DataSpec, sets: TargetSets, default: str, *others: str
) -> CityscapesDataset:
    """Open Cityscapes from ``cityscapes:PATH?split=SPLIT&labels=KIND``.

    Args:
        spec: the command line's argument.
        sets: where sets of classes are numbered.
        default: the split when none is named.
        others: options that are allowed beside those of Cityscapes and of splits.

    Raises:
        DataError: it is malformed, or the data set cannot be used.
    """
    spec.allow(*others, *cityscapes_dataset.OPTIONS, *OPTIONS)
    return CityscapesDataset(
        spec.path,
        sets,
        spec.options.get("split", default),
        spec.options.get("labels", "fine"),
        read_split(spec.options),
    )


def open_frames(
    text: str, table: SetTable | None = None, classes: ClassSet = CITYSCAPES_SET
) -> PairDataset | StreetFrames:
    """Open the frames that a network is to be judged by.

    Args:
        text: ``folder:PATH?sets=TABLE`` or the path alone,
            ``cityscapes:PATH?split=SPLIT&labels=KIND`` (the fine labels of ``val`` when not given),
            or ``street?seeds=A,B&frames=N``.
        table: how a folder is read that has what the table reads and names no ``sets`` itself.
        classes: what labels are brought to.

    Raises:
        DataError: it is malformed, or the data set cannot be used.
    """
    spec = read_spec(text)
    if spec.name == "street":
        spec.allow("seeds", "frames")
        seeds, frames = spec.options.get("seeds"), spec.options.get("frames", "60")
        try:
            chosen = tuple(int(seed) for seed in seeds.split(",")) if seeds else SEEDS
            return StreetFrames(chosen, int(frames), classes)
        except ValueError as error:
            raise DataError(f"{text}: seeds and frames are whole numbers.") from error
    if spec.kind == "cityscapes" and spec.path:
        return open_cityscapes(spec, TargetSets(classes), "val")
    # A path alone is a folder: there may be a colon in it.
    path = spec.path if spec.kind == "folder" else spec.name and str(expand_user(spec.name))
    if not path or (spec.kind != "folder" and not Path(path).exists()):
        raise DataError(
            f"There is no {text!r}: use folder:PATH, a path alone, cityscapes:PATH or street."
            f"{did_you_mean(text, ['street']) or did_you_mean_file(Path(path or text))}"
        )
    if (Path(path) / "leftImg8bit").is_dir():
        raise DataError(f"{path} looks like Cityscapes: use cityscapes:{path}.")
    spec.allow("sets", *OPTIONS)
    sets: str | SetTable | None = spec.options.get("sets")
    if not sets and table and table.folder == "groups" and (Path(path) / "groups").is_dir():
        sets = table
    return FolderDataset(path, TargetSets(classes), sets, read_split(spec.options))

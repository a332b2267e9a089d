"""Labelled images in plain folders: ``images/NAME.*`` beside ``labels/NAME.png``.

``labels/`` holds PNGs of train ids, or of values that own classes give, grey or with a palette (255
is ignored, unless they give it). Where a table of sets is named, it says which classes each value
stands for, and whether ``labels/`` or ``groups/`` is read.
"""

from __future__ import annotations

from pathlib import Path

from fastscnn.data.image_files import IMAGE_SUFFIXES
from fastscnn.data.label_sets import SetTable, TargetSets, lookup, read_sets, table_of
from fastscnn.data.pair_dataset import DataError, PairDataset, known_values, match
from fastscnn.data.splits import EVERYTHING, Split
from fastscnn.paths import visible


class FolderDataset(PairDataset):
    """The pairs of one folder.

    Args:
        root: the folder that holds ``images/`` and ``labels/`` (or ``groups/``).
        sets: where sets of classes are numbered.
        table: a table of sets, or its name or path; ``None`` reads values of classes (train ids,
            where they are those of Cityscapes) from ``labels/``.
        split: which of the frames are meant.

    Raises:
        DataError: the folders are not there or empty, images lack labels, or the split leaves
            nothing.
    """

    def __init__(
        self,
        root: str | Path,
        sets: TargetSets,
        table: str | SetTable | None = None,
        split: Split = EVERYTHING,
    ) -> None:
        root = Path(root)
        try:
            names = sets.classes.names
            read = read_sets(table, names) if isinstance(table, str) else table
            meaning = read or table_of(sets.classes)
        except ValueError as error:
            raise DataError(str(error)) from error
        truths = root / meaning.folder
        for folder in (root / "images", truths):
            if not folder.is_dir():
                raise DataError(
                    f"{folder} is not there: {root} needs images/ and {meaning.folder}/."
                )
        images = {p.stem: p for p in visible(root / "images") if p.suffix.lower() in IMAGE_SUFFIXES}
        labels = {p.stem: p for p in visible(truths) if p.suffix.lower() == ".png"}
        pairs = match(images, labels, str(root / "images"), str(truths))
        known = known_values(meaning.known)
        super().__init__(split.choose(pairs, root), lookup(meaning.sets, sets), known, sets)

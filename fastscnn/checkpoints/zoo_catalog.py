"""Catalog of the zoo: public checkpoints with addresses, checksums and terms."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["sha1", "sha256", "git"]


class ZooError(Exception):
    """A checkpoint cannot be had; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """Checksum that a checkpoint's bytes must give.

    Attributes:
        kind: ``git`` is the SHA-1 that git names the file's content by.
        value: hexadecimal, or its beginning where no more is published.
    """

    kind: Kind
    value: str

    def fits(self, path: Path) -> bool:
        """Return whether a file is the one that is meant."""
        return _digest(path, self.kind).startswith(self.value)


@dataclass(frozen=True, slots=True)
class Entry:
    """Entry of the zoo: a checkpoint that can be fetched.

    Attributes:
        name: what ``--weights`` calls it.
        address: where it is published; one that ends in ``.zip`` holds the file of the rest of
            its name.
        file: its name in the cache.
        format: the implementation that it is of, as ``fastscnn.checkpoints.conversion`` calls it.
        checksum: of the checkpoint itself; ``None`` is pinned on the first download.
        figure: published mIoU in per cent on the validation set of Cityscapes.
        size: bytes of the download, where published.
        differs: what its network does differently from the paper's.
        terms: the licence that it is published under.
    """

    name: str
    address: str
    file: str
    format: str = ""
    checksum: Checksum | None = None
    figure: float | None = None
    size: int | None = None
    differs: str = ""
    terms: str = ""


_SEE = "Licence: see the project"


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "gluoncv",
        "https://github.com/osmr/imgclsmob/releases/download/v0.0.474/"
        "fastscnn_cityscapes-6576-b9859a25.pth.zip",
        "gluoncv-b9859a25.pth",
        "pytorchcv (GluonCV)",
        Checksum("sha1", "b9859a25c6940383248bf2f53e2a5f02c1727cc8"),
        72.3,
        differs="as tramac's; the weights and their figure are GluonCV's",
        terms="MIT",
    ),
    Entry(
        "mmseg",
        "https://download.openmmlab.com/mmsegmentation/v0.5/fast_scnn/"
        "fast_scnn_lr0.12_8x4_160k_cityscapes/"
        "fast_scnn_lr0.12_8x4_160k_cityscapes_20210630_164853-0cec9937.pth",
        "mmseg-0cec9937.pth",
        "mmsegmentation",
        Checksum("sha256", "0cec9937"),
        70.96,
        differs="3×3 convolution after the pyramid, fusion not dilated, corners not aligned",
        terms="Apache-2.0",
    ),
    Entry(
        "tramac",
        "https://github.com/Tramac/Fast-SCNN-pytorch/raw/master/weights/fast_scnn_citys.pth",
        "tramac-a246ce1f.pth",
        "Tramac/Fast-SCNN-pytorch",
        Checksum("git", "a246ce1f31c9f9c43c4b73560e6610c0eeda3cb7"),
        differs="stem not padded, ReLU after depthwise convolutions, fusion not dilated, corners"
        " aligned",
        terms="Apache-2.0",
    ),
    Entry(
        "zh320",
        "https://github.com/zh320/realtime-semantic-segmentation-pytorch/releases/download/v1.0/"
        "fastscnn.pth",
        "zh320-v1.0.pth",
        "zh320/realtime-semantic-segmentation-pytorch",
        figure=69.37,
        differs="3, 2, 3 bottlenecks; pyramid of 1, 2, 4, 6 bins without batch norm; batch norm"
        " after the classifier",
        terms=_SEE,
    ),
    Entry(
        "segmentron",
        "https://github.com/LikeLy-Journey/SegmenTron/releases/download/v0.1.0/"
        "fast_scnn_segmentron.pth",
        "segmentron-v0.1.0.pth",
        "SegmenTron",
        figure=68.9,
        differs="as tramac's, with ReLU6 in bottlenecks and a dense convolution in the fusion",
        terms=_SEE,
    ),
)
"""Known checkpoints; all were trained on Cityscapes, whose own terms apply too."""


NAMES = tuple(entry.name for entry in ENTRIES)


def _digest(path: Path, kind: Kind) -> str:
    digest = hashlib.sha256() if kind == "sha256" else hashlib.sha1()
    if kind == "git":
        digest.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()

"""Pre-training on labelled images of single things, such as ImageNet (§4.3).

The feature fusion module is replaced by average pooling, the classifier by a softmax layer. What
stands before them keeps its names, so that a segmentation network can start from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from fastscnn.checkpoints.checkpoint import atomic_save
from fastscnn.checkpoints.public_formats import IMAGENET_MEAN, IMAGENET_STD
from fastscnn.data.augmentation import Augmentation
from fastscnn.data.image_files import IMAGE_SUFFIXES, PictureError, read_picture
from fastscnn.data.pair_dataset import DataError
from fastscnn.model.fast_scnn import GlobalFeatureExtractor, LearningToDownsample
from fastscnn.model.model_config import FastSCNNConfig
from fastscnn.paths import expand_user, files_below, visible
from fastscnn.training.batch_loader import BatchLoader, BatchSource, Example
from fastscnn.training.initial_weights import PRETRAINED
from fastscnn.training.loss import Mean
from fastscnn.training.recipe import Recipe
from fastscnn.training.task import Normalisation, augmentation_of


class ImageTree:
    """A folder with one folder of images per class, as ``ImageFolder`` reads it.

    Args:
        root: that folder.
        classes: their names, in order; ``None`` takes the folders' own.

    Raises:
        DataError: it is not there, holds fewer than two classes, a class has no images, or a
            folder is no class.
    """

    def __init__(self, root: str | Path, classes: list[str] | None = None) -> None:
        root = expand_user(root)
        if not root.is_dir():
            raise DataError(f"{root} is no folder: give one with a folder of pictures per class.")
        folders = sorted(path for path in visible(root) if path.is_dir())
        self.classes = classes or [folder.name for folder in folders]
        if len(self.classes) < 2:
            raise DataError(f"{root} needs at least two folders, one per class.")
        strange = [folder.name for folder in folders if folder.name not in self.classes]
        if strange:
            raise DataError(f"{root} has a folder {strange[0]!r}, which is no class of this run.")
        self.images: list[tuple[Path, int]] = []
        for folder in folders:
            found = sorted(p for p in files_below(folder) if p.suffix.lower() in IMAGE_SUFFIXES)
            if not found:
                raise DataError(f"{folder} holds no pictures.")
            self.images += [(path, self.classes.index(folder.name)) for path in found]

    def __len__(self) -> int:
        return len(self.images)

    def read(self, index: int) -> tuple[NDArray[np.uint8], int]:
        """Return an image (RGB uint8 H×W×3) and the number of its class.

        Raises:
            DataError: it cannot be read.
        """
        path, number = self.images[index]
        try:
            image = read_picture(path, cv2.IMREAD_COLOR)
        except PictureError as error:
            raise DataError(f"{path} {error}") from error
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8), number


class ImageClassifier(nn.Module):
    """Both feature modules, average pooling, and a linear layer before the softmax (§4.3)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        config = FastSCNNConfig()
        self.learning_to_downsample = LearningToDownsample(config)
        self.global_feature_extractor = GlobalFeatureExtractor(config)
        self.classifier = nn.Linear(GlobalFeatureExtractor.OUT_CHANNELS, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits N×classes of normalised N×3×H×W images."""
        features = self.global_feature_extractor(self.learning_to_downsample(x))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits


class _ClassifierLoss(nn.Module):
    """A classifier with its loss."""

    def __init__(self, classes: int, mean: Mean) -> None:
        super().__init__()
        self.network = ImageClassifier(classes)
        self._mean = mean

    def forward(self, images: Tensor, targets: Tensor, skip: bool, seeds: Sequence[int]) -> Tensor:
        losses = F.cross_entropy(self.network(images).float(), targets, reduction="sum")
        return losses / self._mean(losses.new_full((), len(targets)))


class Pretraining:
    """Pre-training task: image classification, which the feature modules can learn first.

    Args:
        data: folder with one folder of images per class.
        classes: their names, in order; ``None`` takes the folders' own.

    Raises:
        DataError: the data cannot be used.
    """

    kind = "pretraining"
    normalisation: Normalisation = (IMAGENET_MEAN, IMAGENET_STD)

    def __init__(self, data: str, classes: list[str] | None = None) -> None:
        self.data = data
        self.tree = ImageTree(data, classes)
        self.epoch = float(len(self.tree))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Pretraining:
        """Return the inverse of ``to_dict``.

        Raises:
            DataError: the data cannot be used any more.
            KeyError, TypeError: the values cannot be meant.
        """
        return cls(str(values["data"]), [str(name) for name in values["classes"]])

    def batches(
        self, recipe: Recipe, places: Callable[[int], range], device: torch.device, workers: int
    ) -> BatchSource:
        """Return the source of batches, on the host."""
        return BatchLoader(
            lambda rng, step: self._sample(augmentation_of(recipe.at(step)), rng),
            seed=recipe.seed,
            places=places,
            steps=recipe.steps,
            workers=workers,
        )

    def _sample(self, augment: Augmentation, rng: np.random.Generator) -> Example:
        image, number = self.tree.read(int(rng.integers(len(self.tree))))
        blank = np.zeros(image.shape[:2], np.uint8)
        return augment((image, blank), rng)[0], np.asarray(number, np.int64)

    def module(self, recipe: Recipe, mean: Mean) -> nn.Module:
        """Return the classifier with its loss."""
        torch.manual_seed(recipe.seed)
        return _ClassifierLoss(len(self.tree.classes), mean)

    def network(self, state: dict[str, Tensor]) -> ImageClassifier:
        """Return a classifier with these weights, in evaluation mode, on the CPU."""
        network = ImageClassifier(len(self.tree.classes))
        network.load_state_dict({name: tensor.cpu() for name, tensor in state.items()})
        return network.eval()

    def to_dict(self) -> dict[str, Any]:
        """Return what a run's state holds of the task."""
        return {"data": self.data, "classes": self.tree.classes}

    def save(self, state: dict[str, Tensor], info: dict[str, Any], path: Path) -> None:
        """Write the weights for ``--start``."""
        weights = {name: tensor.cpu() for name, tensor in state.items()}
        atomic_save(
            {"format": PRETRAINED, "info": info, "weights": weights, **self.to_dict()}, path
        )


class Accuracy:
    """Top-1 and top-5 accuracy on a tree of images (§4.3), each resized to cover the crop.

    Args:
        task: what is trained.
        data: folder with one folder of images per class.
        crop: height and width of what the network sees.
        device: to run on.

    Raises:
        DataError: the data cannot be used.
    """

    names = ("top-1", "top-5")
    BATCH = 32

    def __init__(
        self, task: Pretraining, data: str, crop: tuple[int, int], device: torch.device
    ) -> None:
        self._task, self._crop, self._device = task, crop, device
        self.tree = ImageTree(data, task.tree.classes)

    @torch.inference_mode()
    def __call__(self, weights: dict[str, Tensor]) -> dict[str, float]:
        """Return both accuracies, as shares."""
        network = self._task.network(weights).to(self._device)
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in self._task.normalisation)
        hits = np.zeros(2)
        for begin in range(0, len(self.tree), self.BATCH):
            places = range(begin, min(begin + self.BATCH, len(self.tree)))
            found, numbers = zip(*map(self.tree.read, places), strict=True)
            images = torch.from_numpy(np.stack([self._fit(image) for image in found]))
            x = (images.permute(0, 3, 1, 2).float() / 255 - mean) / std
            logits = network(x.to(self._device)).cpu()
            ranks = logits.topk(min(5, logits.shape[1]), dim=1).indices
            right = (ranks == torch.tensor(numbers)[:, None]).numpy()
            hits += right[:, 0].sum(), right.any(axis=1).sum()
        return dict(zip(self.names, (float(h) / len(self.tree) for h in hits), strict=True))

    def _fit(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the middle of the image, as large as the crop allows."""
        height, width = image.shape[:2]
        factor = max(self._crop[0] / height, self._crop[1] / width)
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        rows, columns = (max(1, round(v / factor)) for v in self._crop)
        y, x = max(0, (height - rows) // 2), max(0, (width - columns) // 2)
        middle = image[y : y + rows, x : x + columns]
        return np.asarray(cv2.resize(middle, self._crop[::-1], interpolation=method), np.uint8)

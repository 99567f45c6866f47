"""Which images train, validate and test in one run: a source, cut into its long-tailed splits."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wbtui.config import DataConfig
from wbtui.data.available import available, check_mean, check_test_images, reader
from wbtui.data.profile import SplitPlan, cut, rank_within_class, split_counts
from wbtui.data.source_images import Labels, Pixels, SourceImages
from wbtui.errors import UsageError

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class LongTailData:
    """The three splits of one run, as uint8 images on the CPU. Class id = rank, but under natural counts."""

    train_images: Tensor
    """(N, channels, size, size) uint8."""

    train_labels: Tensor
    """(N,) int64."""

    validation_images: Tensor
    """(V, channels, size, size) uint8; V = 0 under the full rule."""

    validation_labels: Tensor
    """(V,) int64."""

    test_images: Tensor
    """(M, channels, size, size) uint8."""

    test_labels: Tensor
    """(M,) int64."""

    class_names: tuple[str, ...]
    """C names."""

    train_counts: npt.NDArray[np.int64]
    """(C,) training images of each class, n_k."""

    many_above: int
    """A class with more training images than this is Many."""

    few_below: int
    """A class with fewer training images than this is Few."""

    mean: tuple[float, ...]
    """Per channel, subtracted from images in [0, 1]: the configured one, or that of the training split."""

    std: tuple[float, ...]
    """Per channel, that they are then divided by."""

    fingerprint: str
    """SHA-256 (hex) over the pixels and labels of the three splits."""

    description: str
    """The split rule in words, to stand beside a result."""

    @property
    def classes(self) -> int:
        """C."""
        return len(self.class_names)

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return self.train_images.shape[1]

    @property
    def image_size(self) -> int:
        """Side of an image in pixels."""
        return self.train_images.shape[2]

    def split(self, name: str) -> tuple[Tensor, Tensor]:
        """Images (N, channels, size, size) uint8 and labels (N,) int64 of `train`, `validation` or `test`."""
        images: Tensor = getattr(self, f"{name}_images")
        labels: Tensor = getattr(self, f"{name}_labels")
        return images, labels


def load(config: DataConfig) -> LongTailData:
    """Read a source and cut it into its long-tailed splits.

    Nothing is downloaded: `wbtui.data.fetch` does that, in a process of its own.

    Args:
        config: Which images, in which profile.

    Raises:
        UsageError: Files are missing, corrupt or too small for what was asked.
    """
    found = available(config)
    if not found.ready:
        raise UsageError(found.problem)
    source = reader(config).read(config)
    plan = split_counts(config, source.train_found(), source.class_names)
    train, validation = cut(source.train_labels, plan)
    test = _test_positions(config, source, plan)
    splits = [
        (source.train_images[train], source.train_labels[train]),
        (source.train_images[validation], source.train_labels[validation]),
        (source.test_images[test], source.test_labels[test]),
    ]
    mean, std = _normalisation(config, splits[0][0])
    tensors = [(torch.from_numpy(images), torch.from_numpy(labels)) for images, labels in splits]
    return LongTailData(
        *tensors[0],
        *tensors[1],
        *tensors[2],
        class_names=source.class_names[: plan.classes],
        train_counts=np.array(plan.train_counts, np.int64),
        many_above=config.many_above,
        few_below=config.few_below,
        mean=mean,
        std=std,
        fingerprint=_fingerprint(splits),
        description=plan.description,
    )


def _test_positions(config: DataConfig, source: SourceImages, plan: SplitPlan) -> npt.NDArray[np.int64]:
    kept = source.test_labels < plan.classes
    wanted = config.test_per_class
    check_test_images(config, source.test_found()[: plan.classes], source.class_names)
    if wanted:
        kept &= rank_within_class(source.test_labels) < wanted
    return np.flatnonzero(kept)


def _normalisation(config: DataConfig, images: Pixels) -> tuple[tuple[float, ...], tuple[float, ...]]:
    channels = images.shape[1]
    check_mean(config, channels)
    if config.mean:
        return config.mean, config.std
    # Sums over whole numbers are exact, so that the last bit does not depend on the order of a machine's
    # additions.
    value = np.arange(256)
    histograms = [np.bincount(images[:, c].ravel(), minlength=256) for c in range(channels)]
    pixels = images[:, 0].size
    sums = [int((h * value).sum()) for h in histograms]
    squares = [int((h * value * value).sum()) for h in histograms]
    mean = tuple(s / pixels / 255 for s in sums)
    std = tuple((q * pixels - s * s) ** 0.5 / pixels / 255 for s, q in zip(sums, squares, strict=True))
    return mean, tuple(s or 1.0 for s in std)


def _fingerprint(splits: list[tuple[Pixels, Labels]]) -> str:
    digest = hashlib.sha256()
    for images, labels in splits:
        digest.update(repr(images.shape).encode())
        digest.update(np.ascontiguousarray(images).data)
        digest.update(labels.astype("<i8").data)
    return digest.hexdigest()

"""Are the images of a source there, and do they suffice for the splits asked of them? Imports no torch."""

from typing import Protocol

from wbtui.config import DataConfig
from wbtui.data.profile import SplitPlan, split_counts
from wbtui.data.source_images import AvailableData, SourceImages
from wbtui.data.sources import digits, folder, glyphs, npz, torchvision_sets
from wbtui.errors import UsageError


class Reader(Protocol):
    """What a module of wbtui/data/sources provides."""

    def available(self, config: DataConfig) -> AvailableData:
        """Whether the source's files are there; never raises for what a user can get wrong."""

    def read(self, config: DataConfig) -> SourceImages:
        """The whole source; UsageError where its files cannot be read."""


_READERS: dict[str, Reader] = {
    "digits": digits,
    "glyphs": glyphs,
    "cifar10": torchvision_sets,
    "cifar100": torchvision_sets,
    "mnist": torchvision_sets,
    "fashion_mnist": torchvision_sets,
    "npz": npz,
    "folder": folder,
}


def reader(config: DataConfig) -> Reader:
    """The module that reads the configured source."""
    return _READERS[config.source]


def available(config: DataConfig) -> AvailableData:
    """Whether the configured source can be read, and if not why: asked before a run is made."""
    return reader(config).available(config)


def planned_splits(config: DataConfig) -> SplitPlan | None:
    """The class counts that a run on this configuration would have; None where only a download would tell.

    Raises:
        UsageError: The source has too few images for the plan, or its files cannot be read.
    """
    found = available(config)
    return split_counts(config, found.per_class) if found.per_class else None


def planned_images(config: DataConfig) -> int | None:
    """The training images that a run would have; None where nobody can say before the run, or the split cannot be."""
    try:
        plan = planned_splits(config)
    except (UsageError, OSError, ValueError):
        return None
    return sum(plan.train_counts) if plan else None

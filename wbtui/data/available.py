"""Are the images of a source there, and do they suffice for the splits asked of them? Imports no torch."""

from collections.abc import Sequence
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
    try:
        return reader(config).available(config)
    except OSError as error:  # a folder on the way that may not be entered, a name that is too long
        problem = f"{error.filename or config.root}: {error.strerror or error} (data.root, --data-root)"
        return AvailableData(config.source, config.root, problem=problem)


def planned_splits(config: DataConfig) -> SplitPlan | None:
    """The class counts that a run on this configuration would have; None where only a download would tell.

    Raises:
        UsageError: The source has too few images for the plan, other channels than data.mean has, or files that
            cannot be read.
    """
    found = available(config)
    if found.channels:
        check_mean(config, found.channels)
    if not found.per_class:
        return None
    plan = split_counts(config, found.per_class, found.class_names)
    if found.test_per_class:
        check_test_images(config, found.test_per_class[: plan.classes], found.class_names)
    return plan


def check_test_images(config: DataConfig, found: Sequence[int], class_names: Sequence[str] = ()) -> None:
    """Refuse a source whose test file does not show every class often enough.

    Args:
        config: How many images of each class are to test.
        found: Images of each class of the plan in the source's test file.
        class_names: Names of the classes, for messages.

    Raises:
        UsageError: A class has too few.
    """
    wanted = config.test_per_class
    for k, has in enumerate(found):
        if has < max(wanted, 1):
            name = f"class {k}" + (f" ({class_names[k]})" if k < len(class_names) else "")
            few = f"{name} of {config.source} has {has} test images"
            raise UsageError(
                f"{few}, data.test_per_class = {wanted} asks for more; expected a smaller one, or 0: all there are"
                if wanted and has
                else f"{few}; expected at least one"
            )


def check_mean(config: DataConfig, channels: int) -> None:
    """Refuse a mean, and deviation, of other than the images' channels.

    Raises:
        UsageError: There is one, and it does not fit.
    """
    if config.mean and len(config.mean) != channels:
        raise UsageError(
            f"data.mean has {len(config.mean)} channels, the images of {config.source} have {channels}; "
            "expected as many, or data.mean=[] and data.std=[] (computed from the training split)"
        )


def planned_images(config: DataConfig) -> int | None:
    """The training images that a run would have; None where nobody can say before the run, or the split cannot be."""
    try:
        plan = planned_splits(config)
    except (UsageError, OSError, ValueError):
        return None
    return sum(plan.train_counts) if plan else None

"""Which preset fits images of somebody's own? Counts them and writes one, to be read and changed. Imports no torch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tomli_w

from wbtui.config import DataConfig, ModelConfig
from wbtui.data.available import available, check_test_images
from wbtui.data.profile import SplitPlan, split_counts
from wbtui.data.source_images import absolute_path
from wbtui.data.sources import folder
from wbtui.errors import UsageError
from wbtui.metrics import GROUP_NAMES, assign_groups
from wbtui.presets import preset_paths

UNEVEN = 1.5
"""From this ratio of the largest to the smallest class on, counts are taken for long-tailed as they are."""

RESIZED = 32
"""Side in pixels to which images are brought that come in several sizes, or are not square."""

BATCH, STEPS = 64, 10_000
"""Images of a batch; about how many steps a run has, within 30 to 200 epochs."""

ENOUGH_TO_CHOOSE = 100
"""From this many validation images on All over them has a standard error of 5 points at most."""


@dataclass(frozen=True)
class OwnImages:
    """What is to be known of images to choose a preset for them."""

    source: Literal["npz", "folder"]
    path: Path
    """File (npz) or folder, absolute."""

    per_class: tuple[int, ...]
    """Images of each class in the train file."""

    test_per_class: tuple[int, ...]
    """Images of each class in the test file."""

    channels: int
    size: int
    """Side in pixels."""

    class_names: tuple[str, ...] = ()
    """For messages; empty: they have none."""

    resized: bool = False
    """Whether that is the side to which images of several sizes, or not square, are brought."""


@dataclass(frozen=True)
class OwnPreset:
    """A preset for them."""

    text: str
    """The TOML file."""

    plan: SplitPlan
    many_above: int
    few_below: int
    variants: tuple[str, ...]
    """Methods to begin with, which the net can have for that many classes."""

    @property
    def groups(self) -> str:
        """How many classes each group has, in words."""
        found = assign_groups(self.plan.train_counts, self.many_above, self.few_below)
        return ", ".join(f"{len(found.classes(name))} {name.capitalize()}" for name in GROUP_NAMES)

    @property
    def doubt(self) -> str:
        """What so few validation images cannot do, in words; empty: there are none, or enough."""
        images = self.plan.validation_per_class * self.plan.classes
        if not images or images >= ENOUGH_TO_CHOOSE:
            return ""
        # Accuracy is the mean over classes of as many images each, and sqrt(p (1 - p)) is 1/2 at most.
        return (
            f"All over {images} validation images has a standard error of up to {50 / images**0.5:.0f} points: a "
            "strength chosen by it owes much to chance; `wbtui adjust --choose published` chooses none"
        )


def own_images(path: Path) -> OwnImages:
    """Count the images of a .npz file, or of a folder with train/CLASS/ and test/CLASS/.

    Raises:
        UsageError: there is no such thing, or it cannot be read.
    """
    place = absolute_path(str(path))
    source: Literal["npz", "folder"] = "folder" if place.is_dir() else "npz"
    found = available(DataConfig(source=source, root=str(place)))
    if not found.ready:
        raise UsageError(found.problem.replace(" (data.root, --data-root)", ""))
    size, channels, resized = found.image_size, found.channels, False
    if source == "folder":
        try:
            size, channels = folder.size_and_channels(DataConfig(source=source, root=str(place)))
        except UsageError:
            several = DataConfig(source=source, root=str(place), image_size=RESIZED)
            (size, channels), resized = folder.size_and_channels(several), True
    names = found.class_names
    return OwnImages(source, place, found.per_class, found.test_per_class, channels, size, names, resized)


def own_preset(images: OwnImages) -> OwnPreset:
    """A preset for images: their counts as they are where those are uneven, else an exponential profile.

    Raises:
        UsageError: there is one class alone, or one without a test image.
    """
    data = _data(images)
    config = DataConfig.model_validate(data)
    plan = split_counts(config, images.per_class, images.class_names)
    check_test_images(config, images.test_per_class, images.class_names)
    many_above, few_below = group_bounds(plan.train_counts)
    data |= {"many_above": many_above, "few_below": few_below}
    net = _net(images.size)
    small = net in ("mlp", "resnet8", "resnet20")
    stage = {
        "epochs": min(200, max(30, round(STEPS / -(-sum(plan.train_counts) // BATCH)))),
        "batch_size": BATCH,
        "learning_rate": 0.05 if small else 0.01,
        "schedule": "cosine",
    }
    table: dict[str, object] = {
        "summary": f"{images.path.name}, {images.size}x{images.size}, {plan.classes} classes",
        "default_variant": "wd",
        "data": data,
        "model": {"name": net},
        "stages": {"0": stage},
    }
    if small:
        table["variants"] = {
            "wd": {"stages": {"0": {"weight_decay": 2e-3}}},
            "wd_fr": {"stages": {"0": {"feature_regularization": 1e-3}}},
        }
    etf = ModelConfig(name=net, head="etf").too_many_classes(plan.classes, images.source)
    variants = ("ce", "wd", "wd_fr" if etf else "wd_fr_etf")
    return OwnPreset(_REMARK + tomli_w.dumps(table), plan, many_above, few_below, variants)


_REMARK = """\
# Chosen by the counts and the size of the images: change what you know better (`wbtui config` says what each
# key means). Whether images may be mirrored (horizontal_flip) no count tells. Strengths of methods, where given,
# are those of small nets on small sets, else the papers' for CIFAR.

"""


def group_bounds(counts: Sequence[int]) -> tuple[int, int]:
    """`many_above` and `few_below`: the field's 100 and 20 where no group would be empty, else thirds of the classes.

    Args:
        counts: Training images of each class, n_k; equal ones stay together.
    """
    if min(counts) < 20 and max(counts) > 100 and any(20 <= n <= 100 for n in counts):
        return 100, 20
    ordered = sorted(counts, reverse=True)
    third = max(1, len(ordered) // 3)
    many, few = ordered[third], ordered[-1 - third]
    return many, min(few, many + 1)


def write_preset(name: str, text: str) -> Path:
    """Write ./presets/NAME.toml.

    Raises:
        UsageError: a preset is called so already, the name is none, or nothing can be written here.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise UsageError(f"--name {name!r}: expected letters, digits, _ and -, 64 at most")
    if name in preset_paths():
        raise UsageError(
            f"a preset is called {name!r} already ({preset_paths()[name][1]}); expected another --name"
        )
    path = Path.cwd() / "presets" / f"{name}.toml"
    try:
        path.parent.mkdir(exist_ok=True)
        file = path.open("x", encoding="utf-8")
        try:
            with file:
                file.write(text)
        except BaseException:
            path.unlink(missing_ok=True)  # half a preset would be in the way of the next try
            raise
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def _data(images: OwnImages) -> dict[str, object]:
    most, least = max(images.per_class), min(images.per_class)
    validation = min(20, least // 4)
    values: dict[str, object] = {"source": images.source, "root": str(images.path)}
    factor = min(100, (least - validation) // 5)
    if most >= UNEVEN * least or factor < 2:
        values["profile"] = "natural"
    else:
        values |= {"profile": "exponential", "imbalance_factor": float(factor)}
    values |= {"validation_per_class": validation} if validation else {"split_rule": "full"}
    if images.resized:
        values["image_size"] = images.size
    return values | {"crop_padding": images.size // 8, "horizontal_flip": images.channels >= 3}


def _net(size: int) -> str:
    bounds = ((8, "mlp"), (17, "resnet8"), (49, "resnet20"), (113, "resnet34"))
    return next((name for below, name in bounds if size < below), "resnet50")

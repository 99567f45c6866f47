"""How many images of each class does a long-tailed split take, and which ones?

Sources: WB24 (Hasegawa & Sato, ICLR 2024), WB22 (Alshammari et al., CVPR 2022), the effective number of
samples (Cui et al., CVPR 2019). numpy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from wbtui.config import DataConfig
from wbtui.errors import UsageError

Profile = Literal["exponential", "step"]
Rounding = Literal["round", "floor"]
Ints = npt.NDArray[np.int64]

# 49 * (1/49) is 0.9999999999999999: a count that misses its whole number by rounding alone is that whole
# number.
_ROUNDING_ERROR = 1e-9


@dataclass(frozen=True)
class SplitPlan:
    """How many images of each class train and validate."""

    train_counts: tuple[int, ...]
    """n_k of each class, class id = position; falls with it except under the natural profile."""

    validation_per_class: int
    """Images of each class that validate, the ones after its training images; 0 under the full rule."""

    n_max: int
    """Largest training count."""

    description: str
    """The split rule in words, to stand beside a result."""

    @property
    def classes(self) -> int:
        """C."""
        return len(self.train_counts)


def class_counts(
    profile: Profile, classes: int, n_max: int, imbalance_factor: float, rounding: Rounding
) -> Ints:
    """Training images of each class, n_k.

    exponential: n_k = n_max * IF^(-k/(C-1)), k = 0..C-1; step: the first C // 2 classes n_max, the others n_max/IF.

    Args:
        profile: Shape of the counts.
        classes: C, at least 2.
        n_max: Images of the largest class, class 0.
        imbalance_factor: IF = largest / smallest count, at least 1.
        rounding: `round` (half to even; WB24) or `floor` (WB22, LDAM).

    Returns:
        (C,) counts.

    Raises:
        UsageError: Fewer than two classes, or a class that would be left without an image.
    """
    if classes < 2:
        raise UsageError(f"a long-tailed split needs at least 2 classes, got {classes}")
    rank = np.arange(classes)
    exponent = rank / (classes - 1) if profile == "exponential" else (rank >= classes // 2).astype(float)
    exact = n_max * (1.0 / imbalance_factor) ** exponent
    whole = np.round(exact) if rounding == "round" else np.floor(exact + _ROUNDING_ERROR)
    counts: Ints = whole.astype(np.int64)
    if counts[-1] < 1:
        raise UsageError(
            f"data.imbalance_factor = {imbalance_factor:g} leaves class {classes - 1} no training image: "
            f"n_max = {n_max}, so {exact[-1]:.3g} of one; expected an imbalance factor of {max(n_max, 1)} or "
            "less, or more data.images_per_class"
        )
    return counts


def split_counts(config: DataConfig, found: Sequence[int], class_names: Sequence[str] = ()) -> SplitPlan:
    """The plan that cuts a source with `found` images of each class into training and validation images.

    Args:
        config: Profile, split rule, imbalance factor and sizes.
        found: Images of each class in the source's train file; the first `config.classes` of them count.
        class_names: Names of the classes, for messages.

    Raises:
        UsageError: A class has fewer images than the plan needs of it.
    """
    found = list(found)[: config.classes or None]
    if config.classes > len(found):
        raise UsageError(f"data.classes = {config.classes}: {config.source} has {len(found)} classes")
    if len(found) < 2:
        asked = "data.classes = 1" if config.classes else f"{config.source} has {len(found)}"
        raise UsageError(f"a long-tailed split needs at least 2 classes: {asked}")
    validation = config.validation_per_class if config.split_rule == "holdout" else 0
    counts, description = _wanted(config, found, validation)
    for k, (n, has) in enumerate(zip(counts, found, strict=True)):
        if n < 1 or n + validation > has:
            name = f"class {k}" + (f" ({class_names[k]})" if k < len(class_names) else "")
            less = (
                ""
                if config.profile == "natural"
                else "data.images_per_class (0: what the smallest class has) or "
            )
            raise UsageError(
                f"{name} of {config.source} has {has} images, {max(n, 1)} to train and {validation} to validate "
                f"were asked of it; expected a smaller {less}data.validation_per_class"
            )
    return SplitPlan(tuple(counts), validation, max(counts), description)


def _validating(which: str, images: int) -> str:
    if images == 1:
        return f"the {which} image of each class validates"
    return f"the {which} {images} images of each class validate"


def _wanted(config: DataConfig, found: list[int], validation: int) -> tuple[list[int], str]:
    """The training counts that the profile and the split rule ask for, and both in words."""
    if config.profile == "natural":
        kept = _validating("last", validation) if validation else "none validate"
        return [n - validation for n in found], f"natural counts; {kept}"
    official = config.images_per_class or min(found)
    n_max = official - validation
    if n_max < 1:
        raise UsageError(
            f"data.validation_per_class = {validation} leaves nothing to train on: {official} images of each "
            "class are to be divided; expected fewer to validate"
        )
    rounding: Rounding = "round" if config.split_rule == "holdout" else "floor"
    counts: list[int] = class_counts(
        config.profile, len(found), n_max, config.imbalance_factor, rounding
    ).tolist()
    rule = (
        f"holdout rule: n_max {n_max} = {official} - {validation}, rounded; {_validating('next', validation)}"
        if validation
        else f"full rule: n_max {n_max}, floored; none validate"
    )
    return counts, f"{config.profile}, IF {config.imbalance_factor:g}, {rule}"


def cut(labels: npt.NDArray[np.integer], plan: SplitPlan) -> tuple[Ints, Ints]:
    """Which images train and which validate: per class the first n_k in file order, then the next ones.

    Args:
        labels: (N,) class ids of the train file, in file order; ids of `plan.classes` and above are left out.
        plan: How many of each class.

    Returns:
        (N_train,) and (N_validation,) positions in the file, each ascending.
    """
    nth = rank_within_class(labels)
    planned = (labels >= 0) & (labels < plan.classes)
    n = np.array(plan.train_counts)[np.where(planned, labels, 0)]
    train = planned & (nth < n)
    validation = planned & ~train & (nth < n + plan.validation_per_class)
    return np.flatnonzero(train), np.flatnonzero(validation)


def rank_within_class(labels: npt.NDArray[np.integer]) -> Ints:
    """(N,) how many images of the same class stand before each image in file order."""
    order = np.argsort(labels, kind="stable")
    grouped = labels[order]
    start = np.searchsorted(grouped, grouped, side="left")
    nth = np.empty(len(labels), np.int64)
    nth[order] = np.arange(len(labels)) - start
    return nth


def class_balanced_weights(counts: npt.ArrayLike, beta: float) -> npt.NDArray[np.float64]:
    """Class-balanced weights w_k ∝ (1-β)/(1-β^n_k) of the effective number of samples, with Σ w = C.

    Args:
        counts: (C,) training images n_k, each at least 1.
        beta: β in [0, 1); 0 weighs all classes equally.

    Returns:
        (C,) weights, float64.

    Raises:
        ValueError: A class without images, which has no effective number.
    """
    n = np.asarray(counts, dtype=np.float64)
    if (n < 1).any():
        raise ValueError("class-balanced weights need at least 1 image of each class")
    weights = (1.0 - beta) / (1.0 - beta**n)
    return np.asarray(weights * len(n) / weights.sum())

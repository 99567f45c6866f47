"""How frequent is each class, and who says so?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.scored import ScoredSet
from wbtui.errors import UsageError
from wbtui.metrics import softmax

PriorSource = Literal["training counts", "given counts", "validation"]


@dataclass(frozen=True, eq=False)
class ClassPrior:
    """p_k, the class frequencies an adjustment corrects for."""

    probability: npt.NDArray[np.float64]
    """p, (C,), positive, sums to 1."""

    source: PriorSource
    """Where it comes from; shown beside every result."""

    @property
    def log(self) -> npt.NDArray[np.float64]:
        """log p, (C,)."""
        return np.log(self.probability)


def training_prior(scored: ScoredSet) -> ClassPrior:
    """p_k = n_k / N of the training split.

    Raises:
        UsageError: a class has no training images, so its logarithm does not exist.
    """
    return _normalised(scored.train_counts.astype(np.float64), "training counts")


def given_prior(counts: Sequence[float] | npt.NDArray[np.floating], n_classes: int) -> ClassPrior:
    """p_k proportional to counts (or frequencies) given by hand, one for each of `n_classes` classes.

    Raises:
        UsageError: not one number a class, or one that is not positive and finite.
    """
    numbers = np.asarray(counts, dtype=np.float64)
    if numbers.shape != (n_classes,):
        raise UsageError(
            f"class prior: {numbers.size} counts given for {n_classes} classes, expected one a class"
        )
    return _normalised(numbers, "given counts")


def validation_prior(validation: ScoredSet) -> ClassPrior:
    """p_k estimated as the mean softmax probability of class k over validation images, classes weighing alike.

    This is the model's own leaning on data without one: the marginal of its posteriors (Saerens et al. 2002,
    first step). Label frequencies would say nothing here, validation sets being balanced; where they are meant,
    give them as counts.

    Raises:
        UsageError: a class has no validation images, or gets no probability at all.
    """
    images = validation.images_by_class()
    if (images == 0).any():
        raise UsageError(
            f"class prior from validation: class {int(np.argmin(images))} has no validation images; use the "
            "training counts or give counts"
        )
    weight = 1.0 / images[validation.labels]
    mass = np.zeros(validation.n_classes)
    for start in range(0, validation.n_images, validation.chunk_rows):
        rows = slice(start, start + validation.chunk_rows)
        mass += weight[rows] @ softmax(validation.logits[rows].astype(np.float64))
    return _normalised(mass, "validation")


def prior_or_training(scored: ScoredSet, prior: ClassPrior | None) -> ClassPrior:
    """The prior asked for, or the training counts when none was.

    Raises:
        UsageError: its number of classes differs from the logits', or as `training_prior`.
    """
    if prior is None:
        return training_prior(scored)
    if prior.probability.shape != (scored.n_classes,):
        raise UsageError(
            f"class prior: {prior.probability.size} classes for logits of {scored.n_classes}, expected as many"
        )
    return prior


def _normalised(counts: npt.NDArray[np.float64], source: PriorSource) -> ClassPrior:
    refused = np.flatnonzero(~((counts > 0) & (counts < np.inf)))
    if refused.size:
        raise UsageError(
            f"class prior from {source}: class {refused[0]} has {counts[refused[0]]:g}, expected a positive "
            "number for every class; adjustment by frequency is not defined for a class that never occurs"
        )
    shares = counts / counts.max()  # whose sum is finite whatever the counts
    probability = shares / shares.sum()
    if not probability.all():
        raise UsageError(
            f"class prior from {source}: class {int(probability.argmin())} has {counts[probability.argmin()]:g} beside "
            f"{counts.max():g}, a share that is 0 to a double; expected counts or frequencies of one data set"
        )
    return ClassPrior(probability=probability, source=source)

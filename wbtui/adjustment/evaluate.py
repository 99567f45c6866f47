"""What does one setting score?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.methods.base import Method
from wbtui.adjustment.prior import ClassPrior
from wbtui.adjustment.scored import ScoredSet, Split
from wbtui.metrics import (
    AccuracySummary,
    Groups,
    Interval,
    bootstrap_class_mean,
    confusion_matrix,
    expected_calibration_error,
    ratio_by_class,
    summarise_accuracy,
)


@dataclass(frozen=True, eq=False)
class Score:
    """Accuracy of one method at one strength: what a slider needs at each step."""

    method: str
    strength: float
    split: Split
    predictions: npt.NDArray[np.int64]
    """(N,) winning classes."""

    confusion: npt.NDArray[np.int64]
    """(C, C) counts, the row is the true class."""

    accuracy: AccuracySummary


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A score with what takes longer: calibration and the interval over images."""

    score: Score

    calibration_error: float
    """ECE of the adjusted logits, a fraction; NaN where a method's scores are no logits."""

    interval: Interval
    """Stratified bootstrap interval of All over the images."""


def score(
    scored: ScoredSet, groups: Groups, method: Method, strength: float, prior: ClassPrior | None = None
) -> Score:
    """Predict with one setting and count.

    Args:
        scored: the images.
        groups: from the training counts.
        method: any of `METHODS`.
        strength: of the method.
        prior: class frequencies; None means the training counts.

    Raises:
        UsageError: as the method's `predict`.
        ValueError: `groups` are of another number of classes.
    """
    predictions = method.predict(scored, prior, strength)
    confusion = confusion_matrix(scored.labels, predictions, scored.n_classes)
    by_class = ratio_by_class(confusion.diagonal(), confusion.sum(axis=1))
    return Score(
        method=method.name,
        strength=strength,
        split=scored.split,
        predictions=predictions,
        confusion=confusion,
        accuracy=summarise_accuracy(by_class, groups),
    )


def evaluate(
    scored: ScoredSet,
    groups: Groups,
    method: Method,
    strength: float,
    prior: ClassPrior | None = None,
) -> Evaluation:
    """Everything about one setting; arguments as for `score`.

    Raises:
        UsageError, ValueError: as `score`.
    """
    result = score(scored, groups, method, strength, prior)
    confidence = method.confidence(scored, prior, strength)
    error = float("nan")
    if confidence is not None:
        error = expected_calibration_error(confidence, result.predictions == scored.labels)
    interval = bootstrap_class_mean(result.confusion.diagonal(), result.confusion.sum(axis=1))
    return Evaluation(score=result, calibration_error=error, interval=interval)

"""How accurate is it, class by class, group by group and overall?

Every accuracy is a fraction in 0..1; only what a person reads is in percent.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wbtui.metrics.groups import Groups, mean_present

IntArray = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class AccuracySummary:
    """Accuracies as fractions; NaN where there is nothing to average."""

    by_class: npt.NDArray[np.float64]
    """(C,) accuracy of each class; NaN for a class without samples."""

    all: float
    """Mean of the per-class accuracies over the classes that have samples ("All" of the papers)."""

    many: float
    """Mean over the Many classes; NaN for an empty group."""

    medium: float
    """Mean over the Medium classes; NaN for an empty group."""

    few: float
    """Mean over the Few classes; NaN for an empty group."""


def confusion_matrix(labels: IntArray, predictions: IntArray, n_classes: int) -> npt.NDArray[np.int64]:
    """Count images by true and predicted class.

    Args:
        labels: (N,) true class ids in 0..C-1.
        predictions: (N,) predicted class ids in 0..C-1.
        n_classes: C.

    Returns:
        (C, C) counts; the row is the true class, the column the predicted one.

    Raises:
        ValueError: shapes differ, are not one-dimensional, or an id lies outside 0..C-1.
    """
    check_class_ids(labels, predictions, n_classes)
    pairs = labels.astype(np.int64) * n_classes + predictions
    return np.bincount(pairs, minlength=n_classes * n_classes).reshape(n_classes, n_classes)


def correct_by_class(
    labels: IntArray, predictions: IntArray, n_classes: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Count, for each class, its correctly predicted images and all its images.

    Returns:
        (C,) correct and (C,) total.

    Raises:
        ValueError: as `confusion_matrix`.
    """
    check_class_ids(labels, predictions, n_classes)
    total = np.bincount(labels, minlength=n_classes)
    correct = np.bincount(labels[labels == predictions], minlength=n_classes)
    return correct, total


def accuracy_by_class(labels: IntArray, predictions: IntArray, n_classes: int) -> npt.NDArray[np.float64]:
    """Accuracy of each class, (C,), a fraction; NaN for a class without samples.

    Raises:
        ValueError: as `confusion_matrix`.
    """
    return ratio_by_class(*correct_by_class(labels, predictions, n_classes))


def ratio_by_class(correct: npt.NDArray[np.int64], total: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """`correct / total`, elementwise; NaN where `total` is 0."""
    ratio = np.full(correct.shape, np.nan)
    np.divide(correct, total, out=ratio, where=total > 0)
    return ratio


def summarise_accuracy(by_class: npt.NDArray[np.float64], groups: Groups) -> AccuracySummary:
    """All and the groups from per-class accuracies.

    Args:
        by_class: (C,) fractions, NaN for classes without samples.
        groups: from the *training* counts of the same C classes.

    Raises:
        ValueError: `by_class` is not (C,).
    """
    means = groups.means(by_class)
    return AccuracySummary(
        by_class=by_class,
        all=mean_present(by_class),
        many=means["many"],
        medium=means["medium"],
        few=means["few"],
    )


def check_class_ids(labels: IntArray, predictions: IntArray, n_classes: int) -> None:
    """Refuse labels and predictions that do not fit each other or C.

    Raises:
        ValueError: shapes differ, are not one-dimensional, or an id lies outside 0..C-1.
    """
    if n_classes < 1:
        raise ValueError(f"n_classes is {n_classes}, expected at least 1")
    if labels.ndim != 1 or labels.shape != predictions.shape:
        raise ValueError(
            f"labels have shape {labels.shape} and predictions {predictions.shape}, expected both (N,)"
        )
    for name, ids in (("labels", labels), ("predictions", predictions)):
        if not np.issubdtype(ids.dtype, np.integer):
            raise ValueError(f"{name} are {ids.dtype}, expected integer class ids")
        if ids.size and (ids.min() < 0 or ids.max() >= n_classes):
            raise ValueError(f"{name} run from {ids.min()} to {ids.max()}, expected 0..{n_classes - 1}")

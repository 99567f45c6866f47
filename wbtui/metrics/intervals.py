"""How far could the figure be from this one, over test images and over seeds?

The bootstrap here is *stratified*: images are drawn with replacement within each class, so every class keeps
its number of images. All is a mean of per-class accuracies, and test sets are made with a set number of
images a class; an unstratified resample would let small classes vanish and All would silently change its
meaning. Stratified, the number of correct images of class k in a resample is exactly Binomial(n_k, correct_k
/ n_k), so a resample is one binomial draw a class and needs no images: it is the resampling distribution
itself, not an approximation. A class that is always or never right varies in no resample; the interval is the
narrower for it.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wbtui.metrics.accuracy import IntArray, check_class_ids
from wbtui.metrics.student import student_t_quantile

RESAMPLES = 2000
"""Bootstrap resamples: the ends of a 95 % interval then rest on 50 values each side."""


_ROUNDING = 1e-12
"""No test set has images enough for a mean of per-class accuracies as small as this."""


@dataclass(frozen=True)
class Interval:
    """An estimate with the two ends of its interval, in the estimate's own unit."""

    estimate: float
    low: float
    high: float
    level: float
    """Coverage aimed at, e.g. 0.95."""


@dataclass(frozen=True)
class SeedStatistics:
    """Mean and *sample* standard deviation (n - 1) over seeds; std is NaN for n = 1, both for n = 0."""

    mean: float
    std: float
    n: int


def bootstrap_class_mean(
    correct: npt.NDArray[np.int64],
    total: npt.NDArray[np.int64],
    *,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Percentile bootstrap of the mean of per-class accuracies, from counts alone.

    Give the counts of a group's classes for the interval of that group.

    Args:
        correct: (C,) correctly predicted images a class.
        total: (C,) images a class; classes with 0 do not enter.
        seed: of the resamples.
        level: coverage, in (0, 1).
        resamples: number of bootstrap draws.

    Raises:
        ValueError: shapes differ, counts are impossible, or a level outside (0, 1).
    """
    if correct.ndim != 1 or correct.shape != total.shape:
        raise ValueError(f"correct has shape {correct.shape} and total {total.shape}, expected both (C,)")
    if (correct < 0).any() or (correct > total).any():
        raise ValueError("correct must lie between 0 and total in every class")
    hits, n = correct[total > 0], total[total > 0]
    draws = np.random.default_rng(seed).binomial(n[:, None], (hits / n)[:, None], size=(n.size, resamples))
    return _percentile_interval(hits / n, draws / n[:, None], level)


def bootstrap_difference(
    labels: IntArray,
    baseline: IntArray,
    other: IntArray,
    n_classes: int,
    *,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Paired bootstrap of All(other) - All(baseline), both predicted on the same images.

    An image is drawn with both its predictions, so what both get right or wrong cancels. Within a class an
    image counts +1 (only `other` right), -1 (only `baseline` right) or 0: one trinomial draw a class.

    Args:
        labels: (N,) true class ids.
        baseline: (N,) predictions subtracted.
        other: (N,) predictions compared with them.
        n_classes: C; classes without images do not enter.
        seed: of the resamples.
        level: coverage, in (0, 1).
        resamples: number of bootstrap draws.

    Returns:
        The difference as a fraction (0.01 is one percentage point); NaN throughout without images.

    Raises:
        ValueError: bad shapes or ids, or a level outside (0, 1).
    """
    check_class_ids(labels, baseline, n_classes)
    check_class_ids(labels, other, n_classes)
    total = np.bincount(labels, minlength=n_classes)
    gained = np.bincount(labels[(other == labels) & (baseline != labels)], minlength=n_classes)
    lost = np.bincount(labels[(baseline == labels) & (other != labels)], minlength=n_classes)
    n, plus, minus = (counts[total > 0][:, None] for counts in (total, gained, lost))
    rng = np.random.default_rng(seed)
    drawn_plus = rng.binomial(n, plus / n, size=(n.size, resamples))
    # Given N+, N- is binomial among the other draws with probability p- / (1 - p+).
    rest = np.maximum(n - plus, 1)
    drawn_minus = rng.binomial(n - drawn_plus, minus / rest)
    return _percentile_interval(((plus - minus) / n)[:, 0], (drawn_plus - drawn_minus) / n, level)


def _percentile_interval(
    by_class: npt.NDArray[np.float64], resampled: npt.NDArray[np.float64], level: float
) -> Interval:
    """The class mean with percentiles of its resamples, (C, resamples)."""
    _check_level(level)
    if by_class.size == 0:
        return Interval(math.nan, math.nan, math.nan, level)
    # Gains and losses that even out are 0, not what rounding leaves of them: whether an interval holds 0 depends on it.
    means = resampled.mean(axis=0)
    means[np.abs(means) < _ROUNDING] = 0.0
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(by_class.mean()), float(low), float(high), level)


def welch_interval(
    baseline: npt.NDArray[np.float64], other: npt.NDArray[np.float64], level: float = 0.95
) -> Interval:
    """Interval of mean(other) - mean(baseline) over independent seeds, variances not assumed equal.

    Welch (1947): (m_b - m_a) ± t · sqrt(s_a²/n_a + s_b²/n_b), t with Welch-Satterthwaite degrees of freedom.

    Args:
        baseline: (n_a,) one figure a seed.
        other: (n_b,) one figure a seed.
        level: coverage, in (0, 1).

    Returns:
        The difference; its ends are NaN when either side has fewer than two seeds.

    Raises:
        ValueError: not one-dimensional, empty, or a level outside (0, 1).
    """
    _check_level(level)
    a, b = np.asarray(baseline, dtype=np.float64), np.asarray(other, dtype=np.float64)
    for name, values in (("baseline", a), ("other", b)):
        if values.ndim != 1 or values.size == 0:
            raise ValueError(f"{name} has shape {values.shape}, expected (n,) with n >= 1")
    difference = float(b.mean() - a.mean())
    if min(a.size, b.size) < 2:
        return Interval(difference, math.nan, math.nan, level)
    share_a, share_b = float(a.var(ddof=1)) / a.size, float(b.var(ddof=1)) / b.size
    variance = share_a + share_b
    if variance == 0.0:
        return Interval(difference, difference, difference, level)
    freedom = variance**2 / (share_a**2 / (a.size - 1) + share_b**2 / (b.size - 1))
    half = student_t_quantile((1 + level) / 2, freedom) * math.sqrt(variance)
    return Interval(difference, difference - half, difference + half, level)


def paired_interval(
    baseline: npt.NDArray[np.float64], other: npt.NDArray[np.float64], level: float = 0.95
) -> Interval:
    """Interval of mean(other - baseline) where entry by entry both are figures of one and the same run.

    Student (1908): mean(d) ± t · s_d/√n with n - 1 degrees of freedom, d_i = b_i - a_i. What a run has from its
    seed stands on both sides of its difference and cancels.

    Args:
        baseline: (n,) one figure a run.
        other: (n,) of the same runs, in the same order.
        level: coverage, in (0, 1).

    Returns:
        The mean difference; its ends are NaN with fewer than two runs.

    Raises:
        ValueError: shapes differ, not one-dimensional, empty, or a level outside (0, 1).
    """
    _check_level(level)
    a, b = np.asarray(baseline, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.ndim != 1 or a.size == 0 or a.shape != b.shape:
        raise ValueError(f"baseline has shape {a.shape} and other {b.shape}, expected both (n,) with n >= 1")
    apart = b - a
    mean = float(apart.mean())
    if apart.size < 2:
        return Interval(mean, math.nan, math.nan, level)
    error = float(apart.std(ddof=1)) / math.sqrt(apart.size)
    half = student_t_quantile((1 + level) / 2, apart.size - 1) * error
    return Interval(mean, mean - half, mean + half, level)


def seed_statistics(values: npt.NDArray[np.float64]) -> SeedStatistics:
    """Mean, sample standard deviation and n of one figure over seeds.

    Args:
        values: (n,) one figure a seed.

    Raises:
        ValueError: not one-dimensional.
    """
    figures = np.asarray(values, dtype=np.float64)
    if figures.ndim != 1:
        raise ValueError(f"values have shape {figures.shape}, expected (n,)")
    n = int(figures.size)
    mean = float(figures.mean()) if n else math.nan
    std = float(figures.std(ddof=1)) if n > 1 else math.nan
    return SeedStatistics(mean=mean, std=std, n=n)


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}, expected a coverage between 0 and 1 such as 0.95")

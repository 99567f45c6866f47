"""How does accuracy change with the strength?

Where a method's winning sets are intervals the curve is exact: accuracy at *every* strength is a histogram of
interval ends and a cumulative sum, a step function whose steps are all known. Otherwise it is a grid, and says so.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.methods.base import Method
from wbtui.adjustment.prior import ClassPrior
from wbtui.adjustment.scored import ScoredSet, Split
from wbtui.adjustment.winning import Intervals, winning_intervals
from wbtui.errors import UsageError
from wbtui.metrics import (
    GROUP_NAMES,
    AccuracySummary,
    Groups,
    correct_by_class,
    ratio_by_class,
    summarise_accuracy,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GRID_STEP = 0.05
"""Between the strengths of a method without an exact curve, unless a grid is given."""

_FEW = 16
"""Strengths up to which every interval is asked for each: a step of a slider over 10,000 images takes 0.05 ms, where
sorting them by class takes 1.5."""


@dataclass(frozen=True, eq=False)
class GroupValues:
    """Accuracies as fractions, each (S,): one value a plateau. NaN throughout for an empty group."""

    all: Floats
    many: Floats
    medium: Floats
    few: Floats


class Tally(Protocol):
    """Whoever can count correct images by class at any strength of a curve."""

    def correct_by_class(self, strengths: Floats) -> Ints:
        """Correct images, (n, C), at each of n strengths."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Accuracy over the searched strengths, one value a plateau.

    Plateau i runs from `edges[i]` up to, without, `edges[i + 1]` (the last includes its end). On a grid the plateau
    of a grid point reaches half-way to its neighbours: a drawing convention, not knowledge.
    """

    method: str
    split: Split
    exact: bool
    """Whether the edges are all the strengths at which accuracy changes."""

    edges: Floats
    """(S + 1,) ascending; the first and last are the searched range."""

    points: Floats
    """(S,) one strength in each plateau at which its values were computed or hold: middles, or the grid."""

    values: GroupValues
    total: Ints
    """(C,) images a class in this split."""

    groups: Groups
    tally: Tally

    @property
    def oracle(self) -> bool:
        """Whether choosing on this curve would be choosing on the test set; to be said wherever it is shown."""
        return self.split != "validation"

    def plateau_at(self, strength: float | Floats) -> Ints:
        """Index of the plateau that holds each strength; strengths outside are clipped to the searched range."""
        index = np.searchsorted(self.edges[:-1], strength, side="right") - 1
        return np.asarray(np.maximum(index, 0), dtype=np.int64)

    def correct_by_class(self, strengths: Floats) -> Ints:
        """Correct images, (n, C), at each of n strengths within the searched range."""
        return self.tally.correct_by_class(strengths)

    def summary_at(self, strength: float) -> AccuracySummary:
        """Accuracy by class, by group and overall at one strength."""
        correct = self.correct_by_class(np.array([strength]))[0]
        return summarise_accuracy(ratio_by_class(correct, self.total), self.groups)


def strength_curve(
    scored: ScoredSet,
    groups: Groups,
    method: Method,
    prior: ClassPrior | None = None,
    *,
    highest: float | None = None,
    grid: Floats | None = None,
) -> Curve:
    """The accuracy of `method` at all strengths from 0 to `highest`.

    Args:
        scored: validation, to choose on, or test: then the curve is an oracle.
        groups: from the training counts.
        method: exact where its family is.
        prior: class frequencies; None means the training counts.
        highest: end of the search; None means the method's own.
        grid: (n,) ascending strengths for a method that is not exact; None means steps of `GRID_STEP`.

    Raises:
        UsageError: as the method's `family`, or a range or grid that is not ascending from 0 upwards.
    """
    end = method.highest_strength if highest is None else highest
    if not 0.0 <= end < np.inf:
        raise UsageError(f"highest strength is {end}, expected 0 or a positive number")
    family = method.family(scored, prior)
    if family is not None and family.exact:
        return _exact_curve(scored, groups, method.name, winning_intervals(scored, family), end)
    steps = max(1, round(end / GRID_STEP))
    strengths = np.linspace(0.0, end, steps + 1) if grid is None else np.asarray(grid, dtype=np.float64)
    if strengths.ndim != 1 or strengths.size == 0 or (np.diff(strengths) <= 0).any() or strengths[0] < 0:
        raise UsageError("grid of strengths: expected ascending numbers from 0 upwards, without repeats")
    return _grid_curve(scored, groups, method, prior, strengths)


def class_means(by_class: Floats, groups: Groups) -> GroupValues:
    """All and group means over the present classes of per-class accuracies, (C, n) with NaN rows -> (n,) each."""
    present = ~np.isnan(by_class[:, 0])
    weights = mean_weights(present, groups)
    values = weights.T @ np.where(present[:, None], by_class, 0.0)
    values[weights.sum(axis=0) == 0] = np.nan
    return GroupValues(*values)


def mean_weights(present: npt.NDArray[np.bool_], groups: Groups) -> Floats:
    """(C, 4): how much each class counts in All and the three groups; columns sum to 1, or to 0 when empty."""
    members = [present] + [present & (groups.membership == index) for index in range(len(GROUP_NAMES))]
    columns = np.stack(members, axis=1).astype(np.float64)
    return np.asarray(columns / np.maximum(columns.sum(axis=0), 1.0))


@dataclass(frozen=True, eq=False)
class _IntervalTally:
    """Counts from interval ends."""

    intervals: Intervals
    labels: Ints
    n_classes: int

    def correct_by_class(self, strengths: Floats) -> Ints:
        low, high = self.intervals.low, self.intervals.high
        if strengths.size <= _FEW:
            counts = np.empty((strengths.size, self.n_classes), dtype=np.int64)
            for row, strength in zip(counts, strengths, strict=True):
                right = (low <= strength) & (high >= strength)
                row[:] = np.bincount(self.labels[right], minlength=self.n_classes)
            return counts
        ever = np.flatnonzero(low <= high)
        ever = ever[np.argsort(self.labels[ever], kind="stable")]
        bounds = np.searchsorted(self.labels[ever], np.arange(self.n_classes + 1))
        counts = np.zeros((strengths.size, self.n_classes), dtype=np.int64)
        for k in np.flatnonzero(np.diff(bounds)):
            own = ever[bounds[k] : bounds[k + 1]]
            begun = np.searchsorted(np.sort(low[own]), strengths, side="right")
            over = np.searchsorted(np.sort(high[own]), strengths, side="left")
            counts[:, k] = begun - over
        return counts


@dataclass(frozen=True, eq=False)
class _GridTally:
    """Counts at grid points; a strength between them gets those of the nearest."""

    edges: Floats
    counts: Ints
    """(S, C)."""

    def correct_by_class(self, strengths: Floats) -> Ints:
        index = np.searchsorted(self.edges[1:-1], strengths, side="right")
        return np.asarray(self.counts[index])


def _exact_curve(scored: ScoredSet, groups: Groups, method: str, intervals: Intervals, end: float) -> Curve:
    total = scored.images_by_class()
    weights = mean_weights(total > 0, groups)
    empty = weights.sum(axis=0) == 0
    weights /= np.maximum(total, 1)[:, None]

    low, high = intervals.low, intervals.high
    seen = (low <= high) & (high >= 0.0) & (low <= end)
    gains, losses = seen & (low > 0.0), seen & (high < end)
    at_start = np.bincount(scored.labels[seen & ~gains], minlength=scored.n_classes)
    # The interval is closed: the image is lost at the next float after its end.
    times = np.concatenate([low[gains], np.nextafter(high[losses], np.inf)])
    labels = np.concatenate([scored.labels[gains], scored.labels[losses]])
    signs = np.repeat([1.0, -1.0], [np.count_nonzero(gains), np.count_nonzero(losses)])
    order = np.argsort(times)
    times = times[order]
    last_of_time = np.flatnonzero(np.diff(times, append=np.inf))
    edges = np.concatenate([[0.0], times[last_of_time], [end]])

    series = np.empty((weights.shape[1], edges.size - 1))
    for row, weight in zip(series, weights.T, strict=True):
        row[0] = at_start @ weight
        row[1:] = row[0] + np.cumsum((weight[labels] * signs)[order])[last_of_time]
    series[empty] = np.nan
    return Curve(
        method=method,
        split=scored.split,
        exact=True,
        edges=edges,
        points=0.5 * (edges[:-1] + edges[1:]),
        values=GroupValues(*series),
        total=total,
        groups=groups,
        tally=_IntervalTally(intervals, scored.labels, scored.n_classes),
    )


def _grid_curve(
    scored: ScoredSet, groups: Groups, method: Method, prior: ClassPrior | None, strengths: Floats
) -> Curve:
    counts = np.empty((strengths.size, scored.n_classes), dtype=np.int64)
    total = scored.images_by_class()
    for row, strength in zip(counts, strengths, strict=True):
        predictions = method.predict(scored, prior, float(strength))
        row[:], _ = correct_by_class(scored.labels, predictions, scored.n_classes)
    by_class = np.stack([ratio_by_class(row, total) for row in counts], axis=1)
    edges = np.concatenate([strengths[:1], 0.5 * (strengths[:-1] + strengths[1:]), strengths[-1:]])
    return Curve(
        method=method.name,
        split=scored.split,
        exact=False,
        edges=edges,
        points=strengths,
        values=class_means(by_class, groups),
        total=total,
        groups=groups,
        tally=_GridTally(edges, counts),
    )

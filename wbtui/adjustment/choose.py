"""Which strength, chosen on what, and how sure is that?"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.criteria import AllAccuracy, Criterion
from wbtui.adjustment.curve import Curve, class_means
from wbtui.adjustment.methods import label_of
from wbtui.adjustment.methods.base import Method
from wbtui.errors import UsageError
from wbtui.metrics import RESAMPLES

Basis = Literal["validation", "oracle", "published"]

_SAME = 1e-9
"""Accuracies closer than this are one value: cumulative sums round, and no real difference is as small."""

_NARROW = 1e-6
"""No strength is meant more precisely: plateaus narrower than this hold at exact ties or by a hair and cannot be best
(unless all are), and stretches whose lengths, or grid points whose distances differ by less are equal."""


_SEED = 0
"""Of the bootstrap: one choice has one standard error, whoever asks for it."""


@dataclass(frozen=True)
class Choice:
    """A strength and what speaks for it."""

    method: str
    strength: float
    basis: Basis
    """"validation": chosen there; "oracle": the best on test, never to be reported as a result; "published": nothing
    was chosen, this is the papers' value."""

    criterion: str
    """Name of what was maximised; empty for a published strength."""

    objective: float
    """The criterion at this strength on the split it was chosen on; NaN for a published strength."""

    plateau: tuple[float, float]
    """Strengths as good as this one around it."""

    standard_error: float
    """Of the objective over that split's images (stratified bootstrap)."""

    within_one_error: tuple[float, float]
    """Lowest and highest strength whose objective is within one standard error of the best: as wide as the choice is
    uncertain. Other admissible strengths between them may be worse."""

    n_images: int
    """Images the choice rests on; 0 for a published strength."""


def choose_strength(curve: Curve, criterion: Criterion | None = None) -> Choice:
    """The strength that maximises `criterion` (All by default) on a curve.

    The middle of the longest stretch of best plateaus, the first of equally long ones: far from where the figure
    drops, and stable when an image more or less counts. On a grid, the best grid point nearest to that middle, the
    lower of two. A curve of the test split gives an "oracle".

    Args:
        curve: of validation, or of test.
        criterion: what to maximise; None means All.

    Raises:
        UsageError: the split has no images, a group that the criterion looks at is empty, or no strength is
            admissible.
    """
    goal = AllAccuracy() if criterion is None else criterion
    objective, admissible = goal.objective(curve.values), goal.admissible(curve.values)
    headless = not admissible.any() and np.isnan(curve.values.many).all()
    if headless or np.isnan(objective).all():
        raise UsageError(
            f"cannot choose by {goal.title}: no {curve.split} image belongs to the classes it looks at; "
            "choose another criterion"
        )
    if not admissible.any():
        highest = np.floor(1e4 * np.max(curve.values.many) + 1e-5) / 100  # not above what is reached
        raise UsageError(
            f"cannot choose by {goal.title}: no strength of {label_of(curve.method)} reaches the floor, the highest "
            f"head accuracy on {curve.split} is {highest:.2f} %; lower the floor"
        )
    wide = admissible & (np.diff(curve.edges) > _NARROW)
    best = float(objective[wide if wide.any() else admissible].max())
    first, last = _longest_run(curve, admissible & (objective >= best - _SAME))
    strength = 0.5 * (curve.edges[first] + curve.edges[last + 1])
    if not curve.exact:
        inside = curve.points[first : last + 1]
        apart = np.abs(inside - strength)
        strength = inside[np.argmax(apart <= apart.min() + _NARROW)]
    error = _standard_error(curve, goal, float(strength))
    near = np.flatnonzero(admissible & (objective >= best - error - _SAME))
    return Choice(
        method=curve.method,
        strength=float(strength),
        basis="oracle" if curve.oracle else "validation",
        criterion=goal.name,
        objective=best,
        plateau=(float(curve.edges[first]), float(curve.edges[last + 1])),
        standard_error=error,
        within_one_error=(float(curve.edges[near[0]]), float(curve.edges[near[-1] + 1])),
        n_images=int(curve.total.sum()),
    )


def oracle_choice(test_curve: Curve, criterion: Criterion) -> Choice | None:
    """The best strength on test, an upper bound; None where test keeps no floor, which must not prevent a report."""
    try:
        return choose_strength(test_curve, criterion)
    except UsageError:
        return None


def published_choice(method: Method, n_classes: int) -> Choice:
    """The strength offered to a run without validation: nothing is chosen, least of all on test."""
    strength = method.offered_strength(n_classes)
    return Choice(
        method=method.name,
        strength=strength,
        basis="published",
        criterion="",
        objective=math.nan,
        plateau=(strength, strength),
        standard_error=math.nan,
        within_one_error=(math.nan, math.nan),
        n_images=0,
    )


def _longest_run(curve: Curve, chosen: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """First and last plateau of the longest stretch of adjacent chosen ones, the first of equally long ones."""
    steps = np.diff(chosen.astype(np.int8), prepend=0, append=0)
    firsts, lasts = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1
    lengths = curve.edges[lasts + 1] - curve.edges[firsts]
    longest = int(np.flatnonzero(lengths >= lengths.max() - _NARROW)[0])
    return int(firsts[longest]), int(lasts[longest])


def _standard_error(curve: Curve, criterion: Criterion, strength: float) -> float:
    """Standard deviation of the objective over stratified resamples of the images, see `metrics.intervals`."""
    correct = curve.correct_by_class(np.array([strength]))[0]
    total = np.maximum(curve.total, 1)
    draws = np.random.default_rng(_SEED).binomial(
        total[:, None], (correct / total)[:, None], size=(total.size, RESAMPLES)
    )
    by_class = np.where(curve.total[:, None] > 0, draws / total[:, None], np.nan)
    return float(criterion.objective(class_means(by_class, curve.groups)).std(ddof=1))

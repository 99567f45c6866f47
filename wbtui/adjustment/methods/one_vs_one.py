"""The 1-vs-1 adjuster."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.methods.base import Method
from wbtui.adjustment.prior import ClassPrior, prior_or_training
from wbtui.adjustment.scored import ScoredSet
from wbtui.errors import UsageError

Matrix = npt.NDArray[np.float64]

_CHUNK_VALUES = 1 << 20
"""Logits handled at once; more than elsewhere, because each of the C steps over a chunk has its fixed cost."""


class OneVsOne(Method):
    """Every pair of classes meets at its own boundary (Hasegawa & Sato, ICLR 2025, "1-vs-1 adjuster").

    a_k = n_k^τ ‖μ_k‖ with μ_k the mean training feature, ρ = arccos(-1/(C-1)), θ_{cc'} = ρ a_{c'}/(a_c + a_{c'}),
    κ_{cc'} = sin θ_{cc'} + cos ρ · sin θ_{c'c}; score_c = #{c' : z_c κ_{cc'} > z_{c'} κ_{c'c}} / C, the most
    matches win, the lowest id among equals. Scores are no logits, so there is no calibration. C >= 3: at C = 2 every
    κ is 0.
    """

    name = "one_vs_one"
    label = "1-vs-1"
    title = "1-vs-1 adjuster"
    published_strengths: ClassVar[Mapping[int, float]] = {10: 1.0, 100: 0.7}
    strength_source = "τ on CIFAR10-LT and CIFAR100-LT, Hasegawa & Sato 2025"

    def family(self, scored: ScoredSet, prior: ClassPrior | None) -> None:
        """None: counts of matches are not a family of scores; the curve comes from a grid."""

    def predict(self, scored: ScoredSet, prior: ClassPrior | None, strength: float) -> npt.NDArray[np.int64]:
        """The class that wins most matches, (N,).

        The N x C x C matches are played only where they must be: one sweep finds the only class that can have beaten
        all others, one more checks that it has; it then has the most matches. The rest play all of them.
        """
        kappa = boundary_coefficients(scored, prior, strength)
        predictions = np.empty(scored.n_images, dtype=np.int64)
        step = max(1, _CHUNK_VALUES // scored.n_classes)
        for start in range(0, scored.n_images, step):
            rows = slice(start, start + step)
            logits = scored.logits[rows].astype(np.float64)
            champion = _last_standing(np.ascontiguousarray(logits.T), kappa)
            own = np.take_along_axis(logits, champion[:, None], axis=1)
            beaten = own * kappa[champion] > logits * kappa.T[champion]
            undecided = np.count_nonzero(beaten, axis=1) < scored.n_classes - 1
            champion[undecided] = _most_matches(logits[undecided], kappa)
            predictions[rows] = champion
        return predictions

    def confidence(self, scored: ScoredSet, prior: ClassPrior | None, strength: float) -> None:
        """None: numbers of matches are no logits."""


def boundary_coefficients(scored: ScoredSet, prior: ClassPrior | None, strength: float) -> Matrix:
    """κ, (C, C): class c beats c' where z_c κ_{cc'} > z_{c'} κ_{c'c}; the diagonal is of no use.

    Raises:
        UsageError: fewer than three classes, no class-mean feature norms, or one of them 0.
    """
    if scored.n_classes < 3:
        raise UsageError(f"1-vs-1 adjuster: {scored.n_classes} classes, expected at least 3")
    norms = scored.class_mean_feature_norms
    if norms is None:
        raise UsageError(
            "1-vs-1 adjuster: the run stores no norms of class-mean training features; choose another method"
        )
    if (norms == 0).any():
        raise UsageError(
            f"1-vs-1 adjuster: the mean training feature of class {int(np.argmin(norms))} is 0; choose another "
            "method"
        )
    # Only ratios of a matter, so p_k stands for n_k; in logarithms no strength can overflow.
    log_a = strength * prior_or_training(scored, prior).log + np.log(norms.astype(np.float64))
    rho = np.arccos(-1.0 / (scored.n_classes - 1))
    theta = rho * np.exp(-np.logaddexp(0.0, log_a[:, None] - log_a[None, :]))
    sine = np.sin(theta)
    return np.asarray(sine + np.cos(rho) * sine.T)


def _last_standing(columns: Matrix, kappa: Matrix) -> npt.NDArray[np.int64]:
    """Keep the winner of each match against the next class; `columns` is (C, n). A class that beats all stays."""
    beats = np.ascontiguousarray(kappa.T)
    champion = np.zeros(columns.shape[1], dtype=np.int64)
    logit = columns[0].copy()
    for challenger in range(1, len(columns)):
        wins = columns[challenger] * kappa[challenger].take(champion) > logit * beats[challenger].take(
            champion
        )
        champion[wins] = challenger
        np.copyto(logit, columns[challenger], where=wins)
    return champion


def _most_matches(logits: Matrix, kappa: Matrix) -> npt.NDArray[np.int64]:
    """argmax of the number of matches won, all C x C of them, (n,)."""
    matches = np.empty(logits.shape, dtype=np.int64)
    for c in range(logits.shape[1]):
        matches[:, c] = np.count_nonzero(logits[:, [c]] * kappa[c] > logits * kappa[:, c], axis=1)
    return np.asarray(matches.argmax(axis=1))


METHODS = (OneVsOne(),)

"""τ-normalisation of the classifier, applied to its logits."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.family import Family, multiplicative_family
from wbtui.adjustment.methods.base import FamilyMethod
from wbtui.adjustment.prior import ClassPrior
from wbtui.adjustment.scored import ScoredSet
from wbtui.errors import UsageError


class TauNormNoBias(FamilyMethod):
    """z'_k = (z_k - b_k) / ‖w_k‖^τ (Kang et al., "Decoupling representation and classifier", ICLR 2020, eq. 3).

    The multiplicative method with ‖w_k‖ in place of p_k on logits without their bias: log-linear in τ, so the whole
    curve is exact. τ = 1 is the L2-normalised classifier. Uses no class prior.
    """

    name = "tau_norm_no_bias"
    label = "τ-norm no bias"
    title = "τ-normalisation, bias dropped"
    published_strengths: ClassVar[Mapping[int, float]] = {100: 1.0}
    strength_source = "τ = 1, the L2-normalised classifier"

    def family(self, scored: ScoredSet, prior: ClassPrior | None) -> Family:
        """Log-linear in τ with slope log ‖w_k‖."""
        return multiplicative_family(log_norms(scored), base_shift=-bias_of(scored))


class TauNorm(FamilyMethod):
    """z'_k = (z_k - b_k) / ‖w_k‖^τ + b_k: τ-normalisation as in Alshammari et al. (CVPR 2022), which keep the bias.

    The bias does not shrink with the rest, so two classes can change places twice as τ grows: the strengths at which
    a class wins need not be one interval, and the curve comes from a grid (unless all biases are equal).
    """

    name = "tau_norm"
    label = "τ-norm"
    title = "τ-normalisation, bias kept"
    published_strengths: ClassVar[Mapping[int, float]] = {100: 1.9}
    strength_source = "τ = 1.9 on CIFAR100-LT, Alshammari et al. 2022"

    def family(self, scored: ScoredSet, prior: ClassPrior | None) -> Family:
        """Log-linear in τ but for the bias, which stays."""
        bias = bias_of(scored)
        return multiplicative_family(log_norms(scored), base_shift=-bias, offset=bias)


def log_norms(scored: ScoredSet) -> npt.NDArray[np.float64]:
    """log ‖w_k‖, (C,).

    Raises:
        UsageError: the run has no classifier norms, or one is 0.
    """
    if scored.classifier_norms is None:
        raise UsageError(
            "τ-normalisation: the run stores no classifier norms, expected ‖w_k‖ of a linear head; "
            "choose another method"
        )
    norms = scored.classifier_norms.astype(np.float64)
    if (norms == 0).any():
        raise UsageError(
            f"τ-normalisation: the classifier norm of class {int(np.argmin(norms))} is 0, expected positive "
            "norms; choose another method"
        )
    return np.log(norms)


def bias_of(scored: ScoredSet) -> npt.NDArray[np.float64]:
    """b, (C,); zeros for a head without one."""
    return np.zeros(scored.n_classes) if scored.bias is None else scored.bias.astype(np.float64)


METHODS = (TauNorm(), TauNormNoBias())

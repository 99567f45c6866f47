"""Multiplicative logit adjustment."""

from collections.abc import Mapping
from typing import ClassVar

from wbtui.adjustment.family import Family, multiplicative_family
from wbtui.adjustment.methods.base import FamilyMethod
from wbtui.adjustment.prior import ClassPrior, prior_or_training
from wbtui.adjustment.scored import ScoredSet


class Multiplicative(FamilyMethod):
    """z'_k = z_k p_k^{-γ}, bias included (Hasegawa & Sato, ICLR 2024, arXiv 2305.16573).

    Pushes *negative* logits of rare classes further down, so it is sensible only where the competing logits are
    positive (`negative_logits` tells the share). Labels do not depend on a common scale of the logits.
    """

    name = "multiplicative"
    title = "multiplicative logit adjustment"
    symbol = "γ"
    published_strengths: ClassVar[Mapping[int, float]] = {10: 1.6, 100: 0.65}
    strength_source = "γ of WD & FR & ETF on CIFAR10-LT and CIFAR100-LT, Hasegawa & Sato 2024"

    def family(self, scored: ScoredSet, prior: ClassPrior | None) -> Family:
        """Log-linear in γ with slope log p_k."""
        return multiplicative_family(prior_or_training(scored, prior).log)


METHODS = (Multiplicative(),)

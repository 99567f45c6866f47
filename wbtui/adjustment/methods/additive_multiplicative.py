"""Additive and multiplicative logit adjustment together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from wbtui.adjustment.family import Family, additive_family
from wbtui.adjustment.methods.base import FamilyMethod
from wbtui.adjustment.prior import ClassPrior, prior_or_training
from wbtui.adjustment.scored import ScoredSet


@dataclass(frozen=True)
class AdditiveMultiplicative(FamilyMethod):
    """z'_k = z_k p_k^{-γ} - τ log p_k: τ is the strength, γ belongs to the method.

    For one γ the scores are linear in τ, so the whole curve is exact; the plane is one such pass for each γ
    (`choose_pair`). No published values: half of each is ours.
    """

    gamma: float = 0.5
    """γ, the multiplicative strength."""

    name = "additive_multiplicative"
    label = "pair"
    title = "additive and multiplicative logit adjustment"
    published_strengths: ClassVar[Mapping[int, float]] = {100: 0.5}
    strength_source = "τ = γ = 0.5, ours"

    @property
    def parameters(self) -> Mapping[str, float]:
        """γ."""
        return {"gamma": self.gamma}

    def family(self, scored: ScoredSet, prior: ClassPrior | None) -> Family:
        """Linear in τ over logits already multiplied by p_k^{-γ}."""
        log_prior = prior_or_training(scored, prior).log
        return additive_family(log_prior, base_scale=np.exp(-self.gamma * log_prior))


METHODS = (AdditiveMultiplicative(),)

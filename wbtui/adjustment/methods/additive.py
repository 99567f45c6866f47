"""Additive logit adjustment."""

from collections.abc import Mapping
from typing import ClassVar

from wbtui.adjustment.family import Family, additive_family
from wbtui.adjustment.methods.base import FamilyMethod
from wbtui.adjustment.prior import ClassPrior, prior_or_training
from wbtui.adjustment.scored import ScoredSet


class Additive(FamilyMethod):
    """z'_k = z_k - τ log p_k (Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, eq. 9).

    At τ = 1 consistent for the balanced error when softmax(z) is the posterior. Depends on the scale of the logits.
    """

    name = "additive"
    title = "additive logit adjustment"
    published_strengths: ClassVar[Mapping[int, float]] = {100: 1.0}
    strength_source = "τ = 1, Menon et al. 2021"

    def family(self, scored: ScoredSet, prior: ClassPrior | None) -> Family:
        """Linear in τ with slope log p_k."""
        return additive_family(prior_or_training(scored, prior).log)


METHODS = (Additive(),)

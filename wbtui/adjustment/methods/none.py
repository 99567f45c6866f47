"""No adjustment: what are the logits worth as they are?"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from wbtui.adjustment.family import Family, additive_family
from wbtui.adjustment.methods.base import FamilyMethod
from wbtui.adjustment.prior import ClassPrior
from wbtui.adjustment.scored import ScoredSet


class NoAdjustment(FamilyMethod):
    """z'_k = z_k: the reference of every other method. Needs no class prior."""

    name = "none"
    title = "no adjustment"
    highest_strength = 0.0
    published_strengths: ClassVar[Mapping[int, float]] = {1: 0.0}
    strength_source = "nothing to choose"

    def family(self, scored: ScoredSet, prior: ClassPrior | None) -> Family:
        """A family that does not move."""
        return additive_family(np.zeros(scored.n_classes))


METHODS = (NoAdjustment(),)

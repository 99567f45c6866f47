"""Which additive and multiplicative strengths together?"""

import numpy as np

from wbtui.adjustment.choose import Choice, choose_strength
from wbtui.adjustment.criteria import Criterion
from wbtui.adjustment.curve import strength_curve
from wbtui.adjustment.methods.additive_multiplicative import AdditiveMultiplicative
from wbtui.adjustment.prior import ClassPrior
from wbtui.adjustment.scored import ScoredSet
from wbtui.errors import UsageError
from wbtui.metrics import Groups

GAMMAS = np.linspace(0.0, 2.0, 21)
"""γ of the plane that is searched, in steps of 0.1; τ needs no grid."""


def choose_pair(
    scored: ScoredSet,
    groups: Groups,
    criterion: Criterion | None = None,
    prior: ClassPrior | None = None,
    *,
    highest: float | None = None,
) -> tuple[AdditiveMultiplicative, Choice]:
    """The best τ for each γ of `GAMMAS`, each from an exact curve, and the best of these; of equal ones the first.

    Args:
        scored: validation, or test for an oracle.
        groups: from the training counts.
        criterion: what to maximise; None means All.
        prior: class frequencies; None means the training counts.
        highest: end of the search for τ; None means the method's own.

    Returns:
        The method with its γ, and the choice of τ. Its uncertainty is that of τ at this γ.

    Raises:
        UsageError: as `choose_strength`, at every γ; of a floor it names the highest head accuracy of all.
    """
    found: tuple[AdditiveMultiplicative, Choice] | None = None
    refused: dict[float, UsageError] = {}
    for gamma in GAMMAS:
        method = AdditiveMultiplicative(gamma=float(gamma))
        curve = strength_curve(scored, groups, method, prior, highest=highest)
        try:
            choice = choose_strength(curve, criterion)
        except UsageError as error:  # a floor that this γ does not keep, another may
            refused[float(np.max(curve.values.many))] = error
            continue
        if found is None or choice.objective > found[1].objective + 1e-9:
            found = method, choice
    if found is None:
        raise refused[max(refused)]
    return found

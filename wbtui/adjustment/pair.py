"""Which additive and multiplicative strengths together?"""

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.choose import Choice, choose_strength
from wbtui.adjustment.criteria import Criterion
from wbtui.adjustment.curve import strength_curve
from wbtui.adjustment.methods.additive_multiplicative import AdditiveMultiplicative
from wbtui.adjustment.prior import ClassPrior
from wbtui.adjustment.scored import ScoredSet
from wbtui.errors import UsageError
from wbtui.metrics import Groups

GAMMAS = np.linspace(0.0, 2.0, 21)
"""γ of the default plane, in steps of 0.1; τ needs no grid."""


def choose_pair(
    scored: ScoredSet,
    groups: Groups,
    criterion: Criterion | None = None,
    prior: ClassPrior | None = None,
    gammas: npt.NDArray[np.float64] = GAMMAS,
    *,
    seed: int = 0,
) -> tuple[AdditiveMultiplicative, Choice]:
    """The best τ for each γ, each from an exact curve, and the best of these.

    Args:
        scored: validation, or test for an oracle.
        groups: from the training counts.
        criterion: what to maximise; None means All.
        prior: class frequencies; None means the training counts.
        gammas: (n,) multiplicative strengths to try; of equally good ones the first wins.
        seed: of the bootstrap for the standard error.

    Returns:
        The method with its γ, and the choice of τ. Its uncertainty is that of τ at this γ.

    Raises:
        UsageError: no γ is given, or as `choose_strength`.
    """
    if len(gammas) == 0:
        raise UsageError("no multiplicative strength given, expected at least one")
    found: tuple[AdditiveMultiplicative, Choice] | None = None
    for gamma in gammas:
        method = AdditiveMultiplicative(gamma=float(gamma))
        choice = choose_strength(strength_curve(scored, groups, method, prior), criterion, seed=seed)
        if found is None or choice.objective > found[1].objective + 1e-9:
            found = method, choice
    assert found is not None
    return found

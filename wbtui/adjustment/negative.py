"""Do negative logits get in the way of a method that multiplies?"""

from dataclasses import dataclass

import numpy as np

from wbtui.adjustment.methods.base import Method
from wbtui.adjustment.prior import ClassPrior
from wbtui.adjustment.scored import ScoredSet


@dataclass(frozen=True)
class NegativeLogits:
    """A warning: shares of images, fractions in 0..1, on which multiplication cannot do what it is meant to."""

    without_rival: float
    """Images with exactly one positive logit: their prediction is the same at every strength."""

    lost: float
    """Images whose true class has no positive logit beside one that has: wrong at every strength."""

    all_negative: float
    """Images without any positive logit: adjustment works *against* rare classes there."""

    adds: bool = False
    """Whether the method also adds by class (τ log p_k, a bias that is kept): then the shares hold for its factors
    alone, and a summand may still change what these cannot."""

    def message(self) -> str:
        """The warning in words, shares in percent."""
        if self.adds:
            return (
                f"multiplying meets negative logits: its factors change nothing on {self.without_rival:.1%} of "
                f"images (no competing positive logit), make none of {self.lost:.1%} right, and on "
                f"{self.all_negative:.1%} (no positive logit) work against rare classes; there only what is added "
                "helps"
            )
        return (
            f"multiplying meets negative logits: {self.without_rival:.1%} of images have no competing positive "
            f"logit and cannot change, {self.lost:.1%} can never become right, and on {self.all_negative:.1%} "
            "(no positive logit) rare classes lose; additive adjustment has no such limit"
        )

    def brief(self) -> str:
        """The warning on one line, what does not happen left out."""
        parts = (
            (self.lost, "can never become right"),
            (self.without_rival, "keep their class"),
            (self.all_negative, "turn against rare classes"),
        )
        said = ", ".join(f"{share:.1%} of images {what}" for share, what in parts if share >= 0.0005)
        alone = "by its factors alone " if said and self.adds else ""
        return f"negative logits limit multiplying: {alone}{said or 'less than 0.1% of images are concerned'}"


def negative_logits(
    scored: ScoredSet, method: Method, prior: ClassPrior | None = None
) -> NegativeLogits | None:
    """Warn where `method` multiplies and competing logits are negative; None when there is nothing to warn of.

    Looks at the logits that get multiplied: without their bias for τ-normalisation.

    Raises:
        UsageError: as the method's `family`.
    """
    family = method.family(scored, prior)
    if family is None or scored.n_images == 0:
        return None
    if family.kind == "additive" and family.identity_base:
        return None
    shift = family.base_shift.astype(np.float32)
    positives = np.empty(scored.n_images, dtype=np.int64)
    own_positive = np.empty(scored.n_images, dtype=np.bool_)
    for start in range(0, scored.n_images, scored.chunk_rows):
        rows = slice(start, min(start + scored.chunk_rows, scored.n_images))
        positive = scored.logits[rows] > -shift
        positives[rows] = np.count_nonzero(positive, axis=1)
        own_positive[rows] = positive[np.arange(len(positive)), scored.labels[rows]]
    warning = NegativeLogits(
        without_rival=float(np.mean(positives == 1)),
        lost=float(np.mean(~own_positive & (positives > 0))),
        all_negative=float(np.mean(positives == 0)),
        adds=family.kind == "additive" or not family.exact,
    )
    harmless = warning.without_rival == warning.lost == warning.all_negative == 0.0
    return None if harmless else warning

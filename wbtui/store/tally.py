"""What does a row say of all epochs, without walking through ten thousand of them whenever one is added?"""

import math
from collections.abc import Mapping

TREND_OF = "test.accuracy.all"
BEST_BY = "validation.accuracy.all"
LOSSES = ("running.loss", "test.loss", "validation.loss")
SAME = 1e-9
"""Accuracies closer than this are equal: a mean over classes is rounded by how its hits lie among them."""


class Tally:
    """Keeps up with the scalars of epochs, one by one.

    Attributes:
        last: Every scalar as it was measured last, NaN included.
        best_epoch: Where `BEST_BY` is highest in the last stage of them, whose weights alone may be selected; the first
            one of equals; None where it was never finite there.
        non_finite_epoch: The first epoch with a loss of `LOSSES` that is NaN or infinite.
        trend: The finite values of `TREND_OF`.
    """

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self.best_epoch: int | None = None
        self.non_finite_epoch: int | None = None
        self.trend: list[float] = []
        self._stage, self._best = -1, -math.inf

    def add(self, number: int, stage: int, scalars: Mapping[str, float]) -> None:
        """Take in the scalars of the epoch that follows, and the index of its stage."""
        self.last.update(scalars)
        if stage != self._stage:
            self._stage, self.best_epoch = stage, None
        value = scalars.get(BEST_BY, math.nan)
        if math.isfinite(value) and (self.best_epoch is None or value > self._best + SAME):
            self.best_epoch, self._best = number, value
        value = scalars.get(TREND_OF, math.nan)
        if math.isfinite(value):
            self.trend.append(value)
        if self.non_finite_epoch is None and not all(
            math.isfinite(scalars.get(name, 0.0)) for name in LOSSES
        ):
            self.non_finite_epoch = number

"""What is an adjustment method?"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.family import Family
from wbtui.adjustment.predict import confidence_affine, predict_affine
from wbtui.adjustment.prior import ClassPrior
from wbtui.adjustment.scored import ScoredSet


class Method(ABC):
    """A way to re-score finished logits with one strength; its docstring gives formula and source.

    A new method is one file in this folder with a `METHODS` tuple.
    """

    name: ClassVar[str]
    """How commands and files call it."""

    label: ClassVar[str] = ""
    """How lists and tables call it, in a word or two; empty: by its name. `label_of` gives it."""

    title: ClassVar[str]
    """How sentences call it."""

    symbol: ClassVar[str] = "τ"
    """The strength's symbol in its source."""

    highest_strength: ClassVar[float] = 3.0
    """Strengths are searched from 0 to this."""

    published_strengths: ClassVar[Mapping[int, float]]
    """Published or customary strength by number of classes; `strength_source` says whose."""

    strength_source: ClassVar[str]
    """Who published the strength that is offered when nothing can be chosen."""

    @property
    def parameters(self) -> Mapping[str, float]:
        """What it has beside its strength, by name."""
        return {}

    def offered_strength(self, n_classes: int) -> float:
        """The strength for a run without validation: the one published for the nearest number of classes.

        Nearest in the logarithm, the smaller on a tie; this rule is ours.
        """
        nearest = min(self.published_strengths, key=lambda c: (abs(math.log(c / n_classes)), c))
        return self.published_strengths[nearest]

    @abstractmethod
    def family(self, scored: ScoredSet, prior: ClassPrior | None) -> Family | None:
        """The scores as a family in the strength; None where they are not one.

        Raises:
            UsageError: a fact by class that the method needs is missing or not usable.
        """

    @abstractmethod
    def predict(self, scored: ScoredSet, prior: ClassPrior | None, strength: float) -> npt.NDArray[np.int64]:
        """The winning class of every image, (N,); `prior` None means the training counts.

        Raises:
            UsageError: as `family`, or the strength is out of any sensible range.
        """

    @abstractmethod
    def confidence(
        self, scored: ScoredSet, prior: ClassPrior | None, strength: float
    ) -> npt.NDArray[np.float64] | None:
        """The top softmax probability of every image, (N,); None where scores are no logits.

        Raises:
            UsageError: as `predict`.
        """


class FamilyMethod(Method):
    """A method whose scores are a `Family`: a subclass says which."""

    @abstractmethod
    def family(self, scored: ScoredSet, prior: ClassPrior | None) -> Family:
        """The scores as a family in the strength.

        Raises:
            UsageError: a fact by class that the method needs is missing or not usable.
        """

    def predict(self, scored: ScoredSet, prior: ClassPrior | None, strength: float) -> npt.NDArray[np.int64]:
        """argmax_k of the adjusted logits, (N,); the lowest id among equals."""
        return predict_affine(scored, self.family(scored, prior).affine(strength))

    def confidence(
        self, scored: ScoredSet, prior: ClassPrior | None, strength: float
    ) -> npt.NDArray[np.float64]:
        """The top softmax probability of the adjusted logits, (N,)."""
        return confidence_affine(scored, self.family(scored, prior).affine(strength))

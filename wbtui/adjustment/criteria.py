"""What makes one strength better than another?"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.curve import GroupValues
from wbtui.errors import UsageError

Floats = npt.NDArray[np.float64]


class Criterion(ABC):
    """A figure to maximise, and which strengths may be chosen at all."""

    name: str
    title: str

    @abstractmethod
    def objective(self, values: GroupValues) -> Floats:
        """The figure, (S,), a fraction in 0..1."""

    def admissible(self, values: GroupValues) -> npt.NDArray[np.bool_]:
        """Which of S strengths may be chosen, (S,)."""
        return np.ones(values.all.shape, dtype=np.bool_)


@dataclass(frozen=True)
class AllAccuracy(Criterion):
    """The mean of per-class accuracies."""

    name = "all"
    title = "All"

    def objective(self, values: GroupValues) -> Floats:
        """All."""
        return values.all


@dataclass(frozen=True)
class HarmonicMean(Criterion):
    """The harmonic mean of the groups that are not empty: as good as the worst of them lets it be."""

    name = "harmonic"
    title = "harmonic mean of head, medium and tail"

    def objective(self, values: GroupValues) -> Floats:
        """n / Σ 1/a over the groups; 0 where one of them is 0."""
        groups = np.stack([values.many, values.medium, values.few])
        groups = groups[~np.isnan(groups).all(axis=1)]
        if not len(groups):
            return np.full(values.all.shape, np.nan)
        with np.errstate(divide="ignore"):
            return np.asarray(len(groups) / (1.0 / groups).sum(axis=0))


@dataclass(frozen=True)
class FewAboveFloor(Criterion):
    """Tail accuracy, among strengths that keep head accuracy at or above a floor."""

    many_floor: float = 0.0
    """Lowest head accuracy that is put up with, a fraction in 0..1."""

    name = "few"
    title = "tail under a floor on head"

    def __post_init__(self) -> None:
        """Refuse a floor in percent."""
        if not 0.0 <= self.many_floor <= 1.0:
            raise UsageError(
                f"floor on head accuracy is {100 * self.many_floor:g} %, expected 0 to 100 % (a fraction in 0..1)"
            )

    def objective(self, values: GroupValues) -> Floats:
        """Accuracy of Few."""
        return values.few

    def admissible(self, values: GroupValues) -> npt.NDArray[np.bool_]:
        """Where Many is at the floor or above it, up to rounding; everywhere without a floor."""
        if self.many_floor == 0.0:
            return super().admissible(values)
        return np.asarray(values.many >= self.many_floor - 1e-9)


CRITERIA: Mapping[str, Criterion] = MappingProxyType(
    {criterion.name: criterion for criterion in (AllAccuracy(), HarmonicMean(), FewAboveFloor())}
)
"""Every criterion by name, with its defaults."""

"""Which classes are many, medium and few?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

GroupName = Literal["many", "medium", "few"]

GROUP_NAMES: tuple[GroupName, ...] = ("many", "medium", "few")
"""Keys of stored data, head to tail."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Every class in exactly one of many, medium and few, by its number of *training* images n.

    Both bounds are strict (Hasegawa & Sato 2024): Many n > a, Few n < b, Medium otherwise.
    """

    many_above: int
    """a: a class with more training images than this is Many."""

    few_below: int
    """b: a class with fewer training images than this is Few."""

    membership: npt.NDArray[np.int8]
    """(C,) index into `GROUP_NAMES` for each class; read-only."""

    @property
    def n_classes(self) -> int:
        """C, the number of classes."""
        return int(self.membership.shape[0])

    def name_of(self, class_id: int) -> GroupName:
        """The group that class `class_id` is in."""
        return GROUP_NAMES[int(self.membership[class_id])]

    def classes(self, name: GroupName) -> npt.NDArray[np.int64]:
        """Ids of the classes in group `name`, ascending; empty for an empty group."""
        return np.flatnonzero(self.membership == GROUP_NAMES.index(name))

    def sizes(self) -> dict[GroupName, int]:
        """The number of classes in each group."""
        counts = np.bincount(self.membership, minlength=len(GROUP_NAMES))
        return {name: int(count) for name, count in zip(GROUP_NAMES, counts, strict=True)}

    def means(self, by_class: npt.NDArray[np.float64]) -> dict[GroupName, float]:
        """Mean of a per-class value over each group's classes, classes with NaN left out.

        Args:
            by_class: (C,) a value a class.

        Returns:
            The mean by group; NaN (never 0) for a group without a class that has a value.

        Raises:
            ValueError: `by_class` is not (C,).
        """
        if by_class.shape != self.membership.shape:
            raise ValueError(f"by_class has shape {by_class.shape}, expected ({self.n_classes},)")
        return {name: mean_present(by_class[self.classes(name)]) for name in GROUP_NAMES}


def assign_groups(counts: npt.NDArray[np.int64] | Sequence[int], many_above: int, few_below: int) -> Groups:
    """Put every class into many, medium or few.

    Args:
        counts: (C,) training images a class.
        many_above: a, a class with n > a is Many.
        few_below: b, a class with n < b is Few.

    Raises:
        ValueError: `counts` is not one-dimensional, is empty or holds a negative number, or the bounds
            overlap so that a class could be both Many and Few.
    """
    n = np.asarray(counts)
    if n.ndim != 1 or n.size == 0:
        raise ValueError(f"counts has shape {n.shape}, expected (C,) with C >= 1")
    if (n < 0).any():
        raise ValueError(f"counts holds a negative number ({n.min()}), expected images a class")
    if few_below > many_above + 1:
        raise ValueError(
            f"few_below {few_below} with many_above {many_above}: a class of {many_above + 1} images would "
            "be both Many and Few; few_below must not exceed many_above + 1"
        )
    membership = np.where(n > many_above, 0, np.where(n < few_below, 2, 1)).astype(np.int8)
    membership.setflags(write=False)
    return Groups(many_above=many_above, few_below=few_below, membership=membership)


def head_first(counts: npt.NDArray[np.integer] | npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Class ids from the most to the least frequent in training, (C,); of equals the lower id first.

    A long tail that is cut here has its classes in that order; natural counts and imported predictions need not.
    """
    return np.asarray(np.argsort(-np.asarray(counts, dtype=np.float64), kind="stable"), dtype=np.int64)


def mean_present(values: npt.NDArray[np.float64]) -> float:
    """Mean over the values that are not NaN; NaN, without a warning, when there is none."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if present.size else float("nan")

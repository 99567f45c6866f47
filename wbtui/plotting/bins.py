"""Which neighbours share a column when there are more of them than columns?"""

from dataclasses import dataclass

import numpy as np

from wbtui.plotting.scale import LARGEST, Floats


@dataclass(frozen=True)
class Bins:
    """Equal groups of neighbours, each as wide as the next."""

    items: int
    each: int
    """Neighbours in a bin; the last may hold fewer."""
    columns: int
    """Columns a bin takes; more than one only where `each` is 1."""

    @classmethod
    def over(cls, items: int, width: int) -> "Bins":
        """Spread `items` over at most `width` columns."""
        if items <= width:
            return cls(items, 1, width // max(items, 1))
        return cls(items, -(-items // width), 1)

    @property
    def count(self) -> int:
        """Number of bins."""
        return -(-self.items // self.each)

    def means(self, values: Floats) -> Floats:
        """Return the mean of the finite values of each bin, (items,) to (count,); NaN where there is none."""
        padded = np.full(self.count * self.each, np.nan)
        padded[: self.items] = values
        return finite_mean(padded.reshape(self.count, self.each))

    def members(self, index: int) -> tuple[int, int]:
        """Return the first and the last item of a bin."""
        return index * self.each, min((index + 1) * self.each, self.items) - 1

    def column(self, item: int) -> int:
        """Return the middle column of an item's bin."""
        return item // self.each * self.columns + (self.columns - (self.columns > 2)) // 2

    def item_at(self, column: int) -> int | None:
        """Return the first item of the bin at a column, None where there is none."""
        index = column // self.columns if self.columns else self.count
        return index * self.each if 0 <= index < self.count else None


def finite_mean(values: Floats) -> Floats:
    """Return the mean of the finite values along the last axis; NaN where there is none."""
    finite = np.isfinite(values)
    share = 2 * values.shape[-1]  # so that no sum overflows
    return _quotient((np.where(finite, values, 0.0) / share).sum(axis=-1), (finite / share).sum(axis=-1))


def stretched_means(values: Floats, rows: int, columns: int) -> Floats:
    """Resample a table to (rows, columns): means of neighbours where it shrinks, repetition where it grows.

    Where it shrinks each entry enters exactly one mean, and two means differ by at most one in the entries
    they take along an axis. A mean is over finite entries, NaN where there is none.
    """
    finite = np.isfinite(values)
    # twice the entries of a cell, so that no sum overflows
    share = 2 * -(-values.shape[0] // rows) * -(-values.shape[1] // columns)
    sums, counts = np.where(finite, values, 0.0) / share, finite / share
    for axis, size in enumerate((rows, columns)):
        sums, counts = _gathered(sums, size, axis), _gathered(counts, size, axis)
    return _quotient(sums, counts)


def _quotient(sums: Floats, counts: Floats) -> Floats:
    """Divide, NaN where nothing was counted; the mean of the largest doubles must not round to infinity."""
    with np.errstate(over="ignore"):
        means = np.clip(sums / np.where(counts > 0, counts, 1.0), -LARGEST, LARGEST)
    return np.where(counts > 0, means, np.nan)


def _gathered(table: Floats, size: int, axis: int) -> Floats:
    """Sum neighbours along an axis until `size` are left, or repeat them until there are as many."""
    have = table.shape[axis]
    if have <= size:
        repeated: Floats = np.take(table, np.arange(size) * have // size, axis=axis)
        return repeated
    starts = -(-np.arange(size) * have // size)
    summed: Floats = np.add.reduceat(table, starts, axis=axis)
    return summed

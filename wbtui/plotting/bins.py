"""Which neighbours share a column when there are more of them than columns?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wbtui.plotting.scale import LARGEST, Floats


@dataclass(frozen=True)
class Bins:
    """Groups of neighbours side by side; two differ by at most one, in neighbours and in columns."""

    items: int
    count: int
    """Number of bins: `items`, or one a column where there are more."""
    width: int
    """Columns that they fill."""

    @classmethod
    def over(cls, items: int, width: int) -> "Bins":
        """Spread `items` over `width` columns."""
        return cls(items, min(items, width), width)

    @property
    def each(self) -> tuple[int, int]:
        """The fewest and the most neighbours of a bin."""
        count = max(self.count, 1)
        return self.items // count, -(-self.items // count)

    @property
    def columns(self) -> int:
        """The fewest columns of a bin; more than one only where no neighbours are gathered."""
        return self.width // max(self.count, 1)

    @property
    def starts(self) -> NDArray[np.int64]:
        """The first column of each bin, and the column behind the last, (count + 1,)."""
        return np.arange(self.count + 1) * self.width // max(self.count, 1)

    def means(self, values: Floats) -> Floats:
        """Return the mean of the finite values of each bin, (items,) to (count,); NaN where there is none."""
        values = np.asarray(values, dtype=np.float64)
        return stretched_means(values[None], 1, self.count)[0] if self.count else np.zeros(0)

    def bin_of(self, item: int) -> int:
        """Return the index of the bin that an item is in."""
        return item * self.count // self.items

    def members(self, index: int) -> tuple[int, int]:
        """Return the first and the last item of a bin."""
        return -(-index * self.items // self.count), -(-(index + 1) * self.items // self.count) - 1

    def column(self, item: int) -> int:
        """Return the middle column of an item's bin."""
        return self.bin_of(item) * self.width // self.count + (self.columns - (self.columns > 2)) // 2


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

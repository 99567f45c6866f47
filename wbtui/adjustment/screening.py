"""Which rival classes can decide the ends of an image's interval, as far as float32 can tell?

Three passes over a chunk of logits, columns from the largest slope to the smallest:

1. (u_k - u_y) / |c_k - c_y| in every cell. The reciprocals are rows of a table, one a true class, so there is neither
   a division nor any sorting of images by class.
2. Its maximum over the columns left of the true class (the low end) and right of it (minus the high end). Sorted by
   slope, these are two runs of memory, and one `reduceat` takes the maxima of all images.
3. Every cell within rounding of its maximum is a candidate, hardly more than one an end. The caller compares candidates
   in float64, and so gets the ends of float64 at the price of float32.

Operands of large passes have one shape: what varies only by row or only by column is first spread over a buffer, for
numpy takes twice as long over broadcast operands, and several times as long over slices of rows. Differences of logits
must stay within float32 (logits beyond 1e38 in size do not).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.family import Family

Single = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_CHUNK_VALUES = 1 << 18
"""Most cells at once: buffers of 1 MB, at which a call to numpy costs little beside its work."""

_CHUNKS = 16
"""Fewer only for large sets: new pages for large buffers would cost a small set more than the calls."""

_TABLE_VALUES = 1 << 22
"""Largest table of reciprocals, 16 MB (2,048 classes). Beyond, rows are computed as they are needed."""

_WINDOW = np.float32(16 * np.finfo(np.float32).eps)
"""Relative rounding of a screened ratio, generously: a few float32 units for each of its operations."""

_LOG_OF_ROUNDED = np.float32(0.375)
"""Where u was rounded, by one unit, its logarithm is off by as much whatever its size; two ratios of two of them. In
units of the window."""

_TINY = np.float32(1e-24)
"""Keeps exact ties at 0 within the window."""

_NO_ROWS = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Rivals that may decide an end, (n,) each; an image may have none or many."""

    images: Ints
    rivals: Ints
    """Class ids."""

    rival_logits: Single
    """Of the image for the rival, read while it was in the cache."""


class Screen:
    """One pass over the images of a set: run `candidates` to its end, then ask for the rest."""

    own_logits: Single
    """(N,) of each image for its true class."""

    def __init__(self, logits: Single, labels: Ints, family: Family) -> None:
        """Prepare the facts by class and the buffers.

        Args:
            logits: (N, C), finite; read in chunks.
            labels: (N,) true classes.
            family: exact.
        """
        n_images, n_classes = logits.shape
        rows = max(1, min(_CHUNK_VALUES // n_classes, -(-n_images // _CHUNKS)))
        self._logits, self._labels, self._n_classes = logits, labels, n_classes
        self._multiplies = family.kind == "multiplicative"
        self._columns = columns = _columns_of(family.slope)
        self._base = _Base(family, columns.class_of, rows)
        self._table = columns.reciprocals(np.arange(n_classes)) if n_classes**2 <= _TABLE_VALUES else None
        rounded_before_log = self._multiplies and not family.identity_base
        self._least_own = _LOG_OF_ROUNDED if rounded_before_log else _TINY

        self._rows = rows
        self._row_starts = np.arange(rows) * n_classes
        # One cell more: a run of no columns at the very end starts there.
        self._cells = np.empty(rows * n_classes + 1, dtype=np.float32)
        self._spread = np.empty((rows, n_classes), dtype=np.float32)
        self._is_candidate = np.empty(rows * n_classes, dtype=np.bool_)

        self.own_logits = np.zeros(n_images, dtype=np.float32)
        self._own = np.zeros(n_images, dtype=np.float32)
        self._equal = np.full(n_images, -np.inf, dtype=np.float32)
        self._sum = np.zeros(n_images, dtype=np.float32)
        self._never = np.zeros(n_images, dtype=np.bool_)

    def candidates(self) -> Iterator[Candidates]:
        """In batches: the deciding rival of each end is among them.

        Holds for images that `verdicts` calls neither never nor unsure; an end without a candidate is infinite.
        """
        batch: list[tuple[Ints, Single]] = []
        n_found = 0
        for start in range(0, len(self._labels), self._rows):
            batch.append(self._screen_chunk(start, min(start + self._rows, len(self._labels))))
            n_found += len(batch[-1][0])
            if n_found >= _CHUNK_VALUES:
                yield self._named(batch)
                batch, n_found = [], 0
        if batch:
            yield self._named(batch)

    def verdicts(self) -> tuple[Bools, Bools]:
        """Images whose true class wins at no strength, and those of which float32 can tell nothing, (N,) each."""
        with np.errstate(invalid="ignore"):
            rounding = _WINDOW * (np.abs(self._own) + self._least_own)
            never = self._never | (self._equal > rounding)
            # NaN and infinity: float32 overflowed, or the true class was set aside.
            unsure = ~(self._sum < np.inf) | (np.abs(self._equal) <= rounding)
        return never, unsure & ~never

    # Logarithms of what is not positive, and what comes of them, belong to rows that are set apart.
    @np.errstate(divide="ignore", invalid="ignore", over="ignore")
    def _screen_chunk(self, start: int, stop: int) -> tuple[Ints, Single]:
        """Candidates of the images from `start` to `stop`, as image * C + column, and their logits."""
        n_rows, n_classes = stop - start, self._n_classes
        cells = self._cells[: n_rows * n_classes]
        ratio, spread = cells.reshape(n_rows, n_classes), self._spread[:n_rows]
        row_starts = self._row_starts[:n_rows]
        labels = self._labels[start:stop].astype(np.int64, copy=False)
        column = self._columns.column_of.take(labels)
        own_cell = row_starts + column

        logits = np.asarray(self._logits[start:stop])
        logits.reshape(-1).take(row_starts + labels, out=self.own_logits[start:stop], mode="clip")
        scores = self._scores(logits, ratio)
        own = scores.reshape(-1).take(own_cell, out=self._own[start:stop], mode="clip")
        without_log = self._set_aside(own)
        np.copyto(spread, own[:, None])
        np.subtract(scores, spread, out=ratio)
        ratio *= self._reciprocals(column, spread)
        cells[own_cell] = self._cells[cells.size] = -np.inf

        runs = self._columns.starts.take(column, axis=0)
        runs += row_starts[:, None]
        best = np.fmax.reduceat(self._cells[: cells.size + 1], runs.reshape(-1)).reshape(n_rows, -1)
        lengths = self._columns.lengths.take(column, axis=0)
        if self._multiplies:
            # No number in a run: no rival is positive.
            np.fmax(best, -np.inf, out=best)
        if without_log.size:
            # A true class that is not positive never wins beside one that is; among its like it may.
            positive = (best[without_log] > -np.inf) & (lengths[without_log] > 0)
            self._never[start + without_log] = positive.any(axis=1)
            best[without_log] = np.nan
        if self._columns.ties:
            self._equal[start:stop] = best[:, 1]
        least = self._least(best, own, column)
        np.add(least[:, 0], least[:, -1], out=self._sum[start:stop])
        limit = np.repeat(least.reshape(-1), lengths.reshape(-1))
        found = np.flatnonzero(np.greater(cells, limit, out=self._is_candidate[: cells.size]))
        return found + start * n_classes, self._logits_at(logits, found)

    def _scores(self, logits: Single, out: Single) -> Single:
        """u, or its logarithm, in column order; the logits themselves or `out`. NaN: the logarithm of a negative."""
        scores = logits
        if not self._columns.in_order:
            scores = scores.take(self._columns.class_of, axis=1, out=out, mode="clip")
        scores = self._base.of(scores, out)
        return np.log(scores, out=out) if self._multiplies else scores

    def _set_aside(self, own: Single) -> Ints:
        """Rows whose true class has no logarithm: any number in its place shows whether a rival is positive."""
        if not self._multiplies:
            return _NO_ROWS
        rows = np.flatnonzero(~(own > -np.inf))
        own[rows] = 0.0
        return rows

    def _reciprocals(self, column: Ints, out: Single) -> Single:
        """The table's rows of these true classes."""
        if self._table is None:
            return self._columns.reciprocals(column)
        return self._table.take(column, axis=0, out=out, mode="clip")

    def _least(self, best: Single, own: Single, column: Ints) -> Single:
        """What a candidate must exceed: the best of its run less the rounding of either."""
        # A score is rounded to a few float32 units of itself, and a rival at a crossing is own + ratio * gap.
        size = np.abs(own)
        size += self._least_own
        window = self._columns.sensitivity.take(column, axis=0)
        window *= size[:, None]
        window += np.abs(best)
        window *= _WINDOW
        return np.subtract(best, window, out=window)

    def _logits_at(self, logits: Single, found: Ints) -> Single:
        """The logits at cells of the chunk, whose columns may be in another order than classes."""
        if not self._columns.in_order:
            rows, columns = np.divmod(found, self._n_classes)
            return np.asarray(logits[rows, self._columns.class_of[columns]])
        return logits.reshape(-1).take(found)

    def _named(self, batch: list[tuple[Ints, Single]]) -> Candidates:
        images, columns = np.divmod(np.concatenate([cells for cells, _ in batch]), self._n_classes)
        return Candidates(
            images=images,
            rivals=self._columns.class_of[columns],
            rival_logits=np.concatenate([logits for _, logits in batch]),
        )


@dataclass(frozen=True, eq=False)
class _Columns:
    """The classes in order of falling slope and, for each true class by its column, its rivals as runs of columns.

    The runs are the larger slopes, the equal ones (its own column included) and the smaller ones; without ties its
    own column, which never wins, ends the first run and there are two: every run costs.
    """

    class_of: Ints
    column_of: Ints
    in_order: bool
    """Whether columns are class ids."""

    slope: Floats
    ties: bool
    starts: Ints
    """(C, 2 or 3) first column of each run."""

    lengths: Ints
    """(C, 2 or 3)."""

    sensitivity: Single
    """(C, 2 or 3) how far rounding of a score moves a ratio, at most: 1 / smallest gap. Infinite for an empty run,
    minus infinite for the equal ones: neither has candidates."""

    def reciprocals(self, column: Ints) -> Single:
        """1 / |c_k - c_y|, (n, C), of the true classes at these columns; 1 where slopes are equal."""
        out = np.empty((column.size, self.slope.size), dtype=np.float32)
        step = max(1, _CHUNK_VALUES // 4 // self.slope.size)
        for start in range(0, column.size, step):
            gap = self.slope - self.slope[column[start : start + step], None]
            np.abs(gap, out=gap)
            gap[gap == 0] = 1.0
            out[start : start + step] = np.reciprocal(gap, out=gap)
        return out


def _columns_of(slope: Floats) -> _Columns:
    n_classes = slope.size
    class_of = np.argsort(-slope, kind="stable")
    slope = slope[class_of]
    first = np.searchsorted(-slope, -slope, side="left")
    last = np.searchsorted(-slope, -slope, side="right")
    ties = bool((last - first > 1).any())
    ends = [first, last] if ties else [last]
    starts = np.stack([np.zeros_like(first), *ends], axis=1)
    step = -np.diff(slope)
    sensitivity = np.full(starts.shape, -np.inf, dtype=np.float32)
    with np.errstate(divide="ignore"):
        sensitivity[:, 0] = 1.0 / np.append(0.0, step)[first]
        sensitivity[:, -1] = 1.0 / np.append(step, 0.0)[last - 1]
    return _Columns(
        class_of=class_of,
        column_of=np.argsort(class_of),
        in_order=bool((np.diff(class_of) == 1).all()),
        slope=slope,
        ties=ties,
        starts=starts,
        lengths=np.diff(starts, axis=1, append=n_classes),
        sensitivity=sensitivity,
    )


class _Base:
    """u = base_scale z + base_shift in float32, to a few units of u itself."""

    def __init__(self, family: Family, class_of: Ints, rows: int) -> None:
        scale, shift = family.base_scale[class_of], family.base_shift[class_of]
        if (scale != 1.0).any() and (shift != 0.0).any():
            raise ValueError(
                "a family that scales and shifts logits: a difference of both has no such precision"
            )
        # Where z and b nearly cancel, z + b is exact, and what rounding b lost comes in with the second sum.
        coarse = shift.astype(np.float32)
        fine = (shift - coarse).astype(np.float32)
        self._scale = np.tile(scale.astype(np.float32), (rows, 1)) if (scale != 1.0).any() else None
        self._shifts = [np.tile(part, (rows, 1)) for part in (coarse, fine) if (part != 0.0).any()]

    def of(self, logits: Single, out: Single) -> Single:
        """u of some rows, (n, C), in the logits themselves or in `out`."""
        if self._scale is not None:
            return np.multiply(logits, self._scale[: len(logits)], out=out)
        for shift in self._shifts:
            logits = np.add(logits, shift[: len(logits)], out=out)
        return logits

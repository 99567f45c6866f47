"""Which rival class decides each end of an image's interval, but for the rounding of float32?

One pass over the logits, rows by true class, columns from the largest slope to the smallest, so that the classes that
bound an interval from below and from above are two slices. Little is done a block; what follows is vectorised over
all images at the end.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.family import Family
from wbtui.adjustment.scored import ScoredSet

Single = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_WINDOW = np.float32(16 * np.finfo(np.float32).eps)
"""Relative rounding of a screened ratio, generously: a few float32 units for each of its operations."""

_LOG_OF_ROUNDED = np.float32(6 * np.finfo(np.float32).eps)
"""Where u was rounded, by one unit, its logarithm is off by as much whatever its size; two ratios of two of them."""

_TINY = np.float32(1e-30)
"""Keeps exact ties at 0 within the window."""


@dataclass(frozen=True, eq=False)
class Screened:
    """What float32 can tell, in the order of `rows`."""

    rows: Ints
    """(N,) images, ordered by true class."""

    low_rival: Ints
    """(N,) the class whose crossing is the low end; -1 where nothing bounds the image from below."""

    high_rival: Ints
    """(N,) the class whose crossing is the high end; -1 where nothing bounds the image from above."""

    never: Bools
    """(N,) the true class wins at no strength."""

    unsure: Bools
    """(N,) float32 cannot tell, and nothing else here holds."""


def screen(scored: ScoredSet, family: Family) -> Screened:
    """Find the deciding rivals of every image; `family` is exact."""
    return _Screen(scored, family).run()


class _Side:
    """The largest and second largest (u_k - u_y) / |c_k - c_y| on one side: the low end, or minus the high end."""

    def __init__(self, n_images: int) -> None:
        self.column = np.zeros(n_images, dtype=np.int64)
        self.best = np.full(n_images, -np.inf, dtype=np.float32)
        self.second = np.full(n_images, -np.inf, dtype=np.float32)

    def crowded(self, rounding: Single) -> Bools:
        """Where the second is within rounding of the best."""
        return np.asarray(self.second > self.best - (rounding + _WINDOW * np.abs(self.best) + _TINY))

    def rival(self, class_of: Ints) -> Ints:
        """The deciding class, -1 where there is none."""
        return np.where(self.best > -np.inf, class_of[self.column], -1)


class _Screen:
    def __init__(self, scored: ScoredSet, family: Family) -> None:
        self.scored = scored
        self.family = family
        self.class_of = np.argsort(-family.slope, kind="stable")
        self.column_of = np.argsort(self.class_of)
        self.ordered = bool((np.diff(self.class_of) == 1).all())
        self.base = _Base(family)
        self.slope = family.slope[self.class_of]
        # For the class at a column: columns [0, first) have a larger slope, [last, C) a smaller one.
        self.first = np.searchsorted(-self.slope, -self.slope, side="left")
        self.last = np.searchsorted(-self.slope, -self.slope, side="right")

        self.rows = np.argsort(scored.labels, kind="stable")
        self.own = np.zeros(scored.n_images, dtype=np.float32)
        self.above, self.below = _Side(scored.n_images), _Side(scored.n_images)
        self.equal = np.full(scored.n_images, -np.inf, dtype=np.float32)
        self.never = np.zeros(scored.n_images, dtype=np.bool_)
        self.unsure = np.zeros(scored.n_images, dtype=np.bool_)

        self.buffer = np.empty((scored.chunk_rows, scored.n_classes), dtype=np.float32)
        self.cells = self.buffer.reshape(-1)
        self.row_starts = np.arange(scored.chunk_rows) * scored.n_classes

    def run(self) -> Screened:
        ends = np.cumsum(self.scored.images_by_class()).tolist()
        # Logarithms of what is not positive, and what comes of them, belong to rows that are set apart.
        with np.errstate(divide="ignore", invalid="ignore"):
            for label, end in enumerate(ends):
                for start in range(ends[label - 1] if label else 0, end, self.scored.chunk_rows):
                    stop = min(start + self.scored.chunk_rows, end)
                    self._screen_block(int(self.column_of[label]), slice(start, stop))
            return self._settle()

    def _screen_block(self, column: int, block: slice) -> None:
        """Rows at the positions of `block`, all of the true class at `column`."""
        scores = self._base_of(self.rows[block])
        if self.family.kind == "multiplicative":
            positive = scores[:, column] > 0
            if not positive.all():
                # It can win only where nothing is positive; those rows are rare and left to float64.
                hopeless = ~positive & (scores > 0).any(axis=1)
                self.never[block], self.unsure[block] = hopeless, ~positive & ~hopeless
            scores = np.maximum(scores, 0, out=self.buffer[: len(scores)])
            np.log(scores, out=scores)
        self._compare(scores, column, block)

    def _base_of(self, rows: Ints) -> Single:
        """u of `rows` in column order; may lie in the logits or in the buffer."""
        out = self.buffer[: rows.size]
        if rows[-1] - rows[0] + 1 == rows.size:
            logits = np.asarray(self.scored.logits[rows[0] : rows[-1] + 1])
        else:
            logits = self.scored.logits.take(rows, axis=0, out=out, mode="clip")
        base = self.base.of(logits, out)
        return base if self.ordered else base[:, self.class_of]

    def _compare(self, scores: Single, column: int, block: slice) -> None:
        """The class at `column` with all others, in the buffer."""
        n_rows, n_classes = scores.shape
        self.own[block] = scores[:, column]
        ratio = np.subtract(scores, self.own[block, None], out=self.buffer[:n_rows])
        starts = self.row_starts[:n_rows]
        self.cells[starts + column] = -np.inf
        first, last = int(self.first[column]), int(self.last[column])
        if last - first > 1:
            ratio[:, first:last].max(axis=1, out=self.equal[block])
        gap = np.abs(self.slope - self.slope[column])
        gap[first:last] = 1.0
        ratio *= np.reciprocal(gap).astype(np.float32)
        for side, begin, end in ((self.above, 0, first), (self.below, last, n_classes)):
            if begin == end:
                continue
            own_side = ratio[:, begin:end]
            top = own_side.argmax(axis=1, out=side.column[block])
            top += begin
            cells = starts + top
            self.cells.take(cells, out=side.best[block], mode="clip")
            self.cells[cells] = -np.inf
            own_side.max(axis=1, out=side.second[block])

    def _settle(self) -> Screened:
        """Tell certain from unsure, for all images at once."""
        # A score is rounded to a few float32 units of itself, and a rival at a crossing is own + ratio * gap.
        rounding = _WINDOW * np.abs(self.own)
        if self.family.kind == "multiplicative" and not self.family.identity_base:
            rounding += _LOG_OF_ROUNDED
        columns = self.column_of[self.scored.labels[self.rows]]
        largest_gap = np.float32(np.inf)
        gap_above = np.append(largest_gap, -np.diff(self.slope).astype(np.float32))[self.first][columns]
        gap_below = np.append(-np.diff(self.slope).astype(np.float32), largest_gap)[self.last - 1][columns]
        crowded = self.above.crowded(rounding / gap_above) | self.below.crowded(rounding / gap_below)
        never = self.never | (self.equal > rounding)
        return Screened(
            rows=self.rows,
            low_rival=self.above.rival(self.class_of),
            high_rival=self.below.rival(self.class_of),
            never=never,
            unsure=~never & (self.unsure | crowded | (np.abs(self.equal) <= rounding)),
        )


class _Base:
    """u = base_scale z + base_shift in float32, to a few units of u itself."""

    def __init__(self, family: Family) -> None:
        self.scale = None if (family.base_scale == 1.0).all() else family.base_scale
        self.shift = None if (family.base_shift == 0.0).all() else family.base_shift
        if self.scale is not None and self.shift is not None:
            raise ValueError(
                "a family that scales and shifts logits: a difference of both has no such precision"
            )

    def of(self, logits: Single, out: Single) -> Single:
        """u of some rows, (n, C), in the logits themselves or in `out`."""
        if self.scale is not None:
            return np.multiply(logits, self.scale.astype(np.float32), out=out)
        if self.shift is None:
            return logits
        # Where z and b nearly cancel, z + b is exact, and what rounding b lost comes in with the second sum.
        coarse = self.shift.astype(np.float32)
        np.add(logits, coarse, out=out)
        return np.add(out, (self.shift - coarse).astype(np.float32), out=out)

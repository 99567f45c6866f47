"""At which strengths does the true class win?

For scores u_k - t c_k (additive; multiplicative ones in the logarithm) the true class y wins on one interval of t:

    max over c_k > c_y of (u_k - u_y) / (c_k - c_y)  <=  t  <=  min over c_k < c_y of the same,

provided that it beats every k with c_k = c_y. A float32 pass over the logits finds the few rivals that can decide an
end (`screening`); these are compared in float64, and so are whole rows where float32 cannot tell. So the ends are
those of float64 arithmetic at little more than the price of float32.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.family import Family
from wbtui.adjustment.scored import CHUNK_VALUES, ScoredSet
from wbtui.adjustment.screening import Candidates, Screen
from wbtui.cores import usable_cores

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_THREAD_VALUES = 1 << 23
"""Logits that are worth a thread of their own: 20 ms of one core."""

_MOST_THREADS = 4
"""Beyond, memory is what takes the time."""


@dataclass(frozen=True, eq=False)
class Intervals:
    """For each image the closed interval of strengths at which its true class wins; low > high: never."""

    low: Floats
    """(N,) first strength, -inf where there is none. At an exact tie the lowest class id wins, as in `argmax`: an
    end at which the true class loses the tie is moved by one float to exclude it."""

    high: Floats
    """(N,) last strength, +inf where there is none."""


def winning_intervals(scored: ScoredSet, family: Family) -> Intervals:
    """The strengths at which each image is classified correctly.

    Args:
        scored: N images of C classes.
        family: exact (`family.exact`).

    Raises:
        ValueError: the family is not exact: its winning sets need not be intervals.
    """
    if not family.exact:
        raise ValueError("the family has offsets that differ between classes, expected an exact one")
    size = scored.logits.size
    threads = max(1, min(usable_cores(), _MOST_THREADS, size // _THREAD_VALUES))
    bounds = np.linspace(0, scored.n_images, threads + 1).astype(np.int64).tolist()
    parts = [(scored.logits[i:j], scored.labels[i:j], family) for i, j in pairwise(bounds)]
    if threads == 1:
        return _intervals(*parts[0])
    with ThreadPoolExecutor(threads) as pool:  # numpy lets go of the interpreter within its passes
        found = list(pool.map(_intervals, *zip(*parts, strict=True)))
    return Intervals(
        *(np.concatenate(ends) for ends in zip(*((one.low, one.high) for one in found), strict=True))
    )


def _intervals(logits: Singles, labels: Ints, family: Family) -> Intervals:
    """The same for some of the images, in one thread."""
    low, high = np.full(len(labels), -np.inf), np.full(len(labels), np.inf)
    screen = Screen(logits, labels, family)
    for found in screen.candidates():
        _tighten(low, high, labels[found.images], screen.own_logits[found.images], family, found)
    never, unsure = screen.verdicts()
    low[never], high[never] = np.inf, -np.inf
    left = np.flatnonzero(unsure)
    step = max(1, CHUNK_VALUES // logits.shape[1])
    for start in range(0, left.size, step):
        rows = left[start : start + step]
        low[rows], high[rows] = _whole_rows(logits[rows], labels[rows, None], family)
    return Intervals(low=low, high=high)


def _tighten(
    low: Floats, high: Floats, labels: Ints, own_logits: Singles, family: Family, found: Candidates
) -> None:
    """Move the ends in, in place, to where the true classes, `labels` with `own_logits`, meet the candidates."""
    rivals = found.rivals
    own, theirs = own_logits.astype(np.float64), found.rival_logits.astype(np.float64)
    if not family.identity_base:
        own = own * family.base_scale[labels] + family.base_shift[labels]
        theirs = theirs * family.base_scale[rivals] + family.base_shift[rivals]
    with np.errstate(divide="ignore", invalid="ignore"):
        if family.kind == "multiplicative":
            own, theirs = np.log(own), np.log(theirs)
        gap = family.slope[rivals] - family.slope[labels]
        crossing = (theirs - own) / gap
    # Inwards where the tie is lost.
    crossing = np.where(rivals < labels, np.nextafter(crossing, np.copysign(np.inf, gap)), crossing)
    below = gap > 0
    np.maximum.at(low, found.images[below], crossing[below])
    np.minimum.at(high, found.images[~below], crossing[~below])


def _whole_rows(logits: Singles, labels: Ints, family: Family) -> tuple[Floats, Floats]:
    """The interval ends of rows, (n, C) with (n, 1), by comparing every class, all signs and ties included."""
    n_classes = logits.shape[1]
    base = logits.astype(np.float64) * family.base_scale + family.base_shift
    own = np.take_along_axis(base, labels, axis=1)
    lower_id = np.arange(n_classes) < labels
    gap = family.slope - family.slope[labels]
    never = np.zeros(len(labels), dtype=np.bool_)
    if family.kind == "additive":
        ahead = base - own
    else:
        top = base.max(axis=1, keepdims=True)
        # Where the largest is 0 the first zero wins at every strength; where nothing is positive the largest
        # u exp(-t c) is the largest -log(-u) + t c: the slopes change their sign.
        zero = (top == 0) & (own == 0)
        never = ((own <= 0) & (top > 0) | (own < 0) & (top == 0))[:, 0]
        never |= (zero & lower_id & (base == 0)).any(axis=1)
        sign = np.where(own > 0, 1.0, -1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ahead = sign * (np.log(np.maximum(sign * base, 0)) - np.log(sign * own))
        ahead[zero[:, 0] | never] = -np.inf
        gap = sign * gap
    crossing = np.divide(ahead, gap, out=np.zeros_like(ahead), where=gap != 0)
    low = np.where(gap > 0, crossing, -np.inf).max(axis=1)
    high = np.where(gap < 0, crossing, np.inf).min(axis=1)
    low_lost = np.isfinite(low) & ((crossing == low[:, None]) & (gap > 0) & lower_id).any(axis=1)
    high_lost = np.isfinite(high) & ((crossing == high[:, None]) & (gap < 0) & lower_id).any(axis=1)
    others = np.arange(n_classes) != labels
    never |= ((gap == 0) & others & ((ahead > 0) | ((ahead == 0) & lower_id))).any(axis=1)
    low = np.where(low_lost, np.nextafter(low, np.inf), low)
    high = np.where(high_lost, np.nextafter(high, -np.inf), high)
    return np.where(never, np.inf, low), np.where(never, -np.inf, high)

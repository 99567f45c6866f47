"""Do two per-class quantities rise together?"""

import numpy as np
import numpy.typing as npt


def average_ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks from 1, ties share the mean of the ranks they cover, (n,)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse])


def without_rounding(values: npt.NDArray[np.floating], relative: float = 1e-6) -> npt.NDArray[np.float64]:
    """The values, (n,), where those that differ by rounding alone are one: rows that MaxNorm cut, say, have one norm.

    Neighbours closer than `relative` of the largest size become the least of them. NaN and infinity stay.
    """
    merged = np.array(values, dtype=np.float64)
    finite = np.flatnonzero(np.isfinite(merged))
    order = finite[np.argsort(merged[finite])]
    ascending = merged[order]
    apart = np.diff(ascending, prepend=-np.inf) > relative * np.abs(ascending).max(initial=0.0)
    merged[order] = ascending[apart][np.cumsum(apart) - 1]
    return merged


def spearman(first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]) -> float:
    """Spearman's rank correlation ρ: Pearson's correlation of average ranks.

    Args:
        first: (n,) values.
        second: (n,) values; a pair with NaN on either side is left out.

    Returns:
        ρ in -1..1; NaN with fewer than two pairs or when a side is constant.

    Raises:
        ValueError: shapes differ or are not one-dimensional.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"shapes are {a.shape} and {b.shape}, expected both (n,)")
    present = ~(np.isnan(a) | np.isnan(b))
    if np.count_nonzero(present) < 2:
        return float("nan")
    ranks_a, ranks_b = average_ranks(a[present]), average_ranks(b[present])
    deviations_a, deviations_b = ranks_a - ranks_a.mean(), ranks_b - ranks_b.mean()
    scale = np.sqrt((deviations_a @ deviations_a) * (deviations_b @ deviations_b))
    if scale == 0.0:
        return float("nan")
    return float(np.clip(deviations_a @ deviations_b / scale, -1.0, 1.0))

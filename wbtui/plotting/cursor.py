"""Which point does a cursor mean, and what does each series say there?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wbtui.plotting.scale import Floats
from wbtui.plotting.series import Series


@dataclass(frozen=True)
class Reading:
    """What a series says at the cursor."""

    name: str
    x: float
    """x of the point read, the series' own nearest; NaN where the series does not reach the cursor."""
    y: float
    """The value, never smoothed; NaN where there is none."""
    smoothed: float
    """The moving average there; equal to `y` without smoothing."""


def snap(wanted: float, series: Sequence[Series], low: float, high: float) -> float | None:
    """Return the x nearest to `wanted` at which some series has a value, None if none in `low` to `high`."""
    candidates = []
    for one in series:
        x = one.x[np.isfinite(one.y) & (one.x >= low) & (one.x <= high)]
        if len(x):
            candidates.append(float(x[np.argmin(np.abs(x - wanted))]))
    return min(candidates, key=lambda x: abs(x - wanted)) if candidates else None


def read(x: float, series: Series, smoothed: Floats) -> Reading:
    """Read a series at its own point nearest to `x`, if `x` lies between its first and last.

    Args:
        x: A snapped cursor.
        series: The series as measured.
        smoothed: (n,) its moving average.
    """
    known = np.flatnonzero(np.isfinite(series.x))
    if not len(known) or not series.x[known[0]] <= x <= series.x[known[-1]]:
        return Reading(series.name, np.nan, np.nan, np.nan)
    at = known[np.argmin(np.abs(series.x[known] - x))]
    y = float(series.y[at])
    return Reading(series.name, float(series.x[at]), y if np.isfinite(y) else np.nan, float(smoothed[at]))

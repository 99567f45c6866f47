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
    """x of the point read, the series' own last up to the cursor; NaN where the series does not reach it."""
    y: float
    """The value, never smoothed; NaN where there is none."""
    smoothed: float
    """The moving average there; equal to `y` without smoothing."""


def snap(wanted: float, series: Sequence[Series], low: float, high: float) -> float | None:
    """Return the last x up to `wanted` at which some series has a value, the first of all where none is as early.

    Up to it: what was measured later was not known there, and is not what stands beside other figures of that place.

    Returns:
        None if no series has a value in `low` to `high`.
    """
    with_value = [one.x[np.isfinite(one.y) & (one.x >= low) & (one.x <= high)] for one in series]
    x = np.concatenate(with_value) if with_value else np.zeros(0)
    if not len(x):
        return None
    before = x[x <= wanted]
    return float(before.max() if len(before) else x.min())


def read(x: float, series: Series, smoothed: Floats) -> Reading:
    """Read a series at its own last point up to `x`, if `x` lies between its first and last.

    Args:
        x: A snapped cursor.
        series: The series as measured.
        smoothed: (n,) its moving average.
    """
    known = np.flatnonzero(np.isfinite(series.x))
    if not len(known) or not series.x[known[0]] <= x <= series.x[known[-1]]:
        return Reading(series.name, np.nan, np.nan, np.nan)
    places = series.x[known]
    at = known[np.flatnonzero(places == places[places <= x].max())[0]]
    y = float(series.y[at])
    return Reading(series.name, float(series.x[at]), y if np.isfinite(y) else np.nan, float(smoothed[at]))

"""What do seeds of one setting come to together: mean and spread over epochs, and over classes? Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len

from wbtui.store.text import plain
from wbtui.tui.ink import fitted
from wbtui.tui.snapshots import Curve, Floats, RunDetail

LEAST_SEEDS = 2
"""Values below which there is no standard deviation and no band."""

_LONGEST_NAME = 20  # cells of a name before its n
XAxis = Literal["epoch", "time", "images"]


def preset_last(label: str, preset: object) -> str:
    """What a setting is called where names are cut: the preset, which several may share, behind its method.

    Args:
        label: As `report.settings` calls it; the preset is its first word where several stand beside each other.
        preset: Of its configuration.
    """
    rest = plain(label).removeprefix(f"{plain(str(preset or ''))} ")
    return plain(label) if rest == plain(label) else f"{rest}, {plain(str(preset))}"


def seeds_label(name: str, n: int) -> str:
    """What seeds of one setting are called in legends: a long name is cut so that n stays in sight."""
    cut = fitted(plain(name), min(cell_len(plain(name)), _LONGEST_NAME))
    return f"{cut} n={n}" if n > 1 else plain(name)


@dataclass(frozen=True, eq=False)
class SeedCurve:
    """A metric of several seeds."""

    x: Floats
    """(n,) where the values lie; of seeds that took different time, the mean of their places."""
    mean: Floats
    """(n,) over the seeds that have a finite value there; NaN where none has."""
    std: Floats
    """(n,) sample standard deviation (n - 1); NaN where fewer than two have one."""
    counts: npt.NDArray[np.int64]
    """(n,) how many have one."""


def x_of(detail: RunDetail, curve: Curve, axis: XAxis) -> Floats:
    """Where the values of a curve lie on the x axis."""
    if axis == "epoch" or not len(detail.epochs):
        return curve.epochs.astype(np.float64)
    at = np.searchsorted(detail.epochs, curve.epochs).clip(0, len(detail.epochs) - 1)
    places: Floats = (detail.seconds / 60 if axis == "time" else detail.images)[at]
    return places


def seed_curve(details: Sequence[RunDetail], metric: str, axis: XAxis) -> SeedCurve:
    """The metric over the epochs that any seed has measured.

    Args:
        details: The seeds; those that never measured it do not count.
        metric: Name of a scalar metric.
        axis: What x is.
    """
    measured = [(detail, curve) for detail in details if len((curve := detail.curve(metric)).epochs)]
    if not measured:
        return SeedCurve(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))
    epochs = np.unique(np.concatenate([curve.epochs for _, curve in measured]))
    places, values = np.full((2, len(measured), len(epochs)), np.nan)
    for row, (detail, curve) in enumerate(measured):
        at = np.searchsorted(epochs, curve.epochs)
        places[row, at] = x_of(detail, curve, axis)
        values[row, at] = curve.values
    x, _, _ = _statistics(places)
    return SeedCurve(x, *_statistics(values))


def seed_row(rows: Sequence[Floats]) -> tuple[Floats, Floats, int]:
    """Mean, sample standard deviation and number of rows of one length; rows of another than the first are left out.

    Args:
        rows: (C,) of each seed, e.g. by class; at least one.
    """
    alike = [row for row in rows if len(row) == len(rows[0])]
    if len(alike) == 1:  # as it is, infinities included
        return alike[0], np.full(len(alike[0]), np.nan), 1
    mean, std, _ = _statistics(np.stack(alike))
    return mean, std, len(alike)


def _statistics(values: Floats) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Mean, standard deviation and number of the finite values of each column of (seeds, n)."""
    finite = np.isfinite(values)
    counts = finite.sum(axis=0)
    known = np.where(finite, values, 0.0)
    with np.errstate(all="ignore"):
        mean = np.where(counts > 0, known.sum(axis=0) / counts, np.nan)
        squares = np.where(finite, np.square(values - mean), 0.0).sum(axis=0)
        std = np.where(counts >= LEAST_SEEDS, np.sqrt(squares / (counts - 1)), np.nan)
    return mean, std, counts

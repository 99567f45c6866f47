"""Where between the ends of an axis does a value stand?"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wbtui.errors import UsageError

Floats = NDArray[np.float64]

_NARROWEST = 1e-9  # relative span below which an axis would show rounding errors
_SMALLEST = 1e-290  # absolute span below which steps between ticks underflow
_FAR = 1e9  # fractions of an axis beyond which a point is simply far outside
LARGEST = float(np.finfo(np.float64).max)
"""The largest double; an axis ends there at most."""
_LARGEST_POWER = 308.25  # of ten, that is still a double


@dataclass(frozen=True)
class Scale:
    """The range of an axis, linear or logarithmic."""

    low: float
    """Lower end; its log10 where `log`."""
    high: float
    """Upper end, above `low`; its log10 where `log`."""
    log: bool = False

    @classmethod
    def spanning(cls, low: float, high: float, *, log: bool = False) -> "Scale":
        """Return the scale from `low` to `high`, widened around a single value.

        Args:
            low: Lower end, in the unit of the data.
            high: Upper end, not below `low`.
            log: Whether the axis is logarithmic.

        Raises:
            UsageError: An end is not finite, they are in the wrong order, or a logarithmic axis reaches zero.
        """
        if not (np.isfinite(low) and np.isfinite(high)) or low > high:
            raise UsageError(f"axis bounds: expected two numbers, the lower first, got {low:g} and {high:g}")
        if log and low <= 0:
            raise UsageError(f"axis bounds: a logarithmic axis starts above 0, got {low:g}")
        if log:
            low, high = float(np.log10(low)), float(np.log10(high))
        span = high / 2 - low / 2
        middle = low / 2 + high / 2
        if span < max(_NARROWEST * max(abs(low), abs(high)), _SMALLEST):
            reach = 0.3 if log else abs(middle) / 10 or 1.0
            reach = max(reach, 2 * _SMALLEST)
            low, high = max(middle - reach, -LARGEST), min(middle + reach, LARGEST)
        return cls(low, high, log)

    def fraction(self, values: Floats) -> Floats:
        """Return where `values` stand, 0 at the lower end and 1 at the upper.

        NaN for NaN, infinities and, on a logarithmic axis, values of zero and below.
        """
        with np.errstate(all="ignore"):
            at = np.log10(values) if self.log else values
            # halves, because the difference of the largest doubles is infinite
            fraction = (at * 0.5 - self.low * 0.5) / (self.high * 0.5 - self.low * 0.5)
        inside = np.clip(fraction, -_FAR, _FAR)  # so that slopes of what follows stay finite
        return np.where(np.isfinite(values) & np.isfinite(at), inside, np.nan)

    def value(self, fraction: float) -> float:
        """Return the value at a fraction of the axis."""
        at = self.low * (1 - fraction) + self.high * fraction
        return 10.0 ** min(at, _LARGEST_POWER) if self.log else at


def finite_bounds(arrays: Iterable[Floats], *, positive: bool = False) -> tuple[float, float] | None:
    """Return the least and greatest finite value of `arrays`, None without one.

    NaN and infinities never count, with `positive` neither do values of zero and below.
    """
    lows, highs = [], []
    for values in arrays:
        counted = np.isfinite(values)
        if positive:
            counted &= values > 0
        low = float(np.min(values, where=counted, initial=np.inf))
        if low < np.inf:
            lows.append(low)
            highs.append(float(np.max(values, where=counted, initial=-np.inf)))
    return (min(lows), max(highs)) if lows else None

"""At which round numbers does an axis carry ticks, and how are they written?"""

import itertools
from typing import NamedTuple

import numpy as np

from wbtui.plotting.scale import Scale

_COARSEST = 307  # five times this power of ten is still finite
_FINEST = -400  # below every power of ten that a double can hold
_SUFFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


class Tick(NamedTuple):
    """A labelled place on an axis."""

    fraction: float
    """0 at the lower end of the axis, 1 at the upper."""
    label: str


def ticks(scale: Scale, most: int, *, whole: bool = False) -> list[Tick]:
    """Return ticks at multiples of 1, 2 or 5 times a power of ten.

    A logarithmic axis carries powers of ten; one that spans fewer than two of them carries 1-2-5 numbers.

    Args:
        scale: The axis.
        most: Most ticks; a few more where fewer than two would be left.
        whole: Whether only whole numbers mean something, as for epochs.
    """
    most = max(most, 2)
    if scale.log:
        decades = _decades(scale, most)
        if len(decades) >= 2:
            return decades
    low, high = (scale.value(0), scale.value(1)) if scale.log else (scale.low, scale.high)
    values, labels = _round_numbers(low, high, most, 0 if whole else _FINEST)
    fractions = scale.fraction(np.array(values, dtype=np.float64))
    return [Tick(float(fraction), label) for fraction, label in zip(fractions, labels, strict=True)]


def _decades(scale: Scale, most: int) -> list[Tick]:
    first, last = int(np.ceil(scale.low - 1e-9)), int(np.floor(scale.high + 1e-9))
    count = last - first + 1
    stride = max(1, -(-count // most))
    exponents = [exponent for exponent in range(first, last + 1) if exponent % stride == 0]
    if count >= 2 and len(exponents) < 2:
        exponents = [first, last]
    span = scale.high - scale.low
    return [
        Tick(min(max((exponent - scale.low) / span, 0.0), 1.0), power_label(exponent))
        for exponent in exponents
    ]


def _round_numbers(low: float, high: float, most: int, finest: int) -> tuple[list[float], list[str]]:
    """Return multiples of one step between `low` and `high`, and their labels.

    The step is 1, 2 or 5 times a power of ten that is not below `finest`.
    """
    half_span = high / 2 - low / 2
    if half_span < 1e-290:  # steps would underflow; only a logarithmic axis of one such value gets here
        return [], []
    exponent = max(int(np.floor(np.log10(half_span / most * 2))), finest - 1)
    powers = range(min(exponent + 1, _COARSEST), max(exponent - 2, finest - 1), -1)
    chosen: tuple[range, int, int] | None = None
    for power, mantissa in itertools.product(powers, (5, 2, 1)):
        step = mantissa * 10.0**power
        slack = 1e-9 * half_span / step
        multiples = range(int(np.ceil(low / step - slack)), int(np.floor(high / step + slack)) + 1)
        if chosen is not None and len(multiples) > most and len(chosen[0]) >= 2:
            break
        chosen = multiples, mantissa, power
    assert chosen is not None
    multiples, mantissa, power = chosen
    values = [min(max(multiple * mantissa * 10.0**power, low), high) for multiple in multiples]
    return values, _labels([multiple * mantissa for multiple in multiples], power)


def _labels(counts: list[int], power: int) -> list[str]:
    """Write `counts` times ten to the `power`, all with the same unit and number of digits."""
    largest = max((abs(count) for count in counts), default=0) * 10.0**power
    if largest >= 1e15 or largest < 1e-3:
        return [_scientific(count, power) for count in counts]
    unit, suffix = next(((u, s) for u, s in _SUFFIXES if largest >= max(u, 1e4)), (1.0, ""))
    digits = max(0, -power + round(np.log10(unit)))
    if suffix and digits > 2:
        unit, suffix, digits = 1.0, "", max(0, -power)
    return ["0" if count == 0 else f"{count * 10.0**power / unit:.{digits}f}{suffix}" for count in counts]


def _scientific(count: int, power: int) -> str:
    if count == 0:
        return "0"
    digits = len(str(abs(count)).rstrip("0"))
    exponent = power + len(str(abs(count))) - 1
    return f"{count / 10.0 ** (len(str(abs(count))) - 1):.{digits - 1}f}e{exponent}"


def power_label(exponent: int) -> str:
    """Write a power of ten: 0.01, 1, 1000, 1e5."""
    return f"{10.0**exponent:.{max(0, -exponent)}f}" if -3 <= exponent <= 3 else f"1e{exponent}"


def number(value: float, *, digits: int = 4) -> str:
    """Write a value in at most `digits` significant digits, a count in full, `-` where there is none."""
    if not np.isfinite(value):
        return "-"
    if value == round(value) and abs(value) < 1e7:
        return f"{value:.0f}"
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}"
    return text

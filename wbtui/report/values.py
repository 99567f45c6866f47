"""How are numbers written for people, and how for machines?

Code and files hold accuracies as fractions; people read percent with one decimal. What was not measured is a dash.
"""

import json
import math
import time
from typing import Any

from wbtui.store import jsonio

MISSING = "-"
"""What stands where there is no value: an empty group, a metric that was not measured."""

ROUNDING = 1e-12
"""A standard deviation below this share of the mean is none: equal values, whose mean was rounded."""


def percent(fraction: float | None, digits: int = 1) -> str:
    """An accuracy in percent."""
    if fraction is None or not math.isfinite(fraction):
        return MISSING
    return f"{100 * fraction:.{digits}f}"


def epochs(done: int, total: int) -> str:
    """Finished epochs of how many; alone where nothing says how many there are to be, as for imports."""
    return f"{done}/{total}" if total else str(done)


def points(difference: float | None) -> str:
    """A difference of accuracies in percentage points, with its sign."""
    if difference is None or not math.isfinite(difference):
        return MISSING
    text = f"{100 * difference:+.1f}"
    return text.lstrip("+-") if float(text) == 0 else text


def figure(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, as it rounds; from there to ten millions whole, without an exponent."""
    if value is None or math.isnan(value):
        return MISSING
    if not math.isfinite(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    if min(1000, 10**digits) <= abs(float(f"{value:.{digits}g}")) < 1e7:
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".removesuffix(".")


def signed(difference: float | None) -> str:
    """A difference with its sign."""
    text = figure(difference)
    return text if text in (MISSING, "0") or text.startswith("-") else f"+{text}"


def plus_minus(mean: str, std: str) -> str:
    """`43.1 ± 0.4`; the mean alone where there is no spread.

    The spread has the decimals of the mean, `116 ± 1`, unless it would vanish: `1.02 ± 0.004`. One that is
    rounding is 0.
    """
    return mean if std == MISSING else f"{mean} ± {_as_fine_as(mean, std)}"


def _as_fine_as(mean: str, std: str) -> str:
    try:
        value, about = float(std.replace(",", "")), float(mean.replace(",", ""))
    except ValueError:
        return std
    if 0 < value < ROUNDING * abs(about):
        return "0"
    if "e" in mean or "e" in std or not value:
        return std
    text = f"{value:,.{len(mean.partition('.')[2])}f}"
    return text if text.strip("0.") else f"{value:.1g}"


def counted(count: int, thing: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def duration(seconds: float | None) -> str:
    """Seconds as 4.2 s, m:ss or h:mm:ss."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return MISSING
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: float) -> str:
    """Bytes in powers of 1024."""
    for unit in ("B", "K", "M", "G"):
        if count < 1024:
            return f"{count:.0f}{unit}" if unit == "B" or count >= 10 else f"{count:.1f}{unit}"
        count /= 1024
    return f"{count:.1f}T"


def moment(seconds: float | None) -> str:
    """Unix seconds as local date and time."""
    if not seconds:
        return MISSING
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (ValueError, OverflowError, OSError):
        return MISSING


def json_text(value: Any) -> str:
    """Indented JSON, ASCII only, NaN as null, so that no text in it can do anything to a terminal.

    Raises:
        TypeError: something in `value` is no JSON.
    """
    return json.dumps(json.loads(jsonio.encode(value)), indent=2)


def words_apart(text: str) -> list[str]:
    """The words of a line, apart by spaces or commas: tags as people type them."""
    return text.replace(",", " ").split()

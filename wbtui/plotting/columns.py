"""How do bars, and the thin line in rows of its own above them, fill the cells of an area?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wbtui.plotting.bins import Bins
from wbtui.plotting.canvas import Painter
from wbtui.plotting.frame import Area
from wbtui.plotting.glyphs import Glyphs
from wbtui.plotting.palette import DEFAULT
from wbtui.plotting.raster import pack, trace
from wbtui.plotting.scale import LARGEST, Floats, Scale, finite_bounds

_LEAST_FOR_OVERLAY, _TALL_FOR_OVERLAY = 4, 9  # rows of bars from which an overlay gets one row, and two
_ROOMY = 3  # columns a bar needs to leave its last one empty


@dataclass(frozen=True)
class Ruler:
    """The vertical scale of bars: 0 lies between two rows of cells."""

    below: int
    """Rows below 0."""
    above: int
    """Rows above 0."""
    cells: float
    """Rows for a step of 1."""

    @classmethod
    def over(cls, low: float, high: float, height: int) -> "Ruler":
        """Fit `low` <= 0 <= `high` into `height` rows."""
        if high - low < 1e-290:
            return cls(0, height, float(height))
        below = round(height * (-low / (high - low)))
        if low < 0 < high and height > 1:  # a single row shows the longer side only
            below = min(max(below, 1), height - 1)
        fits = [rows / abs(end) for rows, end in ((height - below, high), (below, low)) if rows and end]
        return cls(below, height - below, min(fits))

    @property
    def scale(self) -> Scale:
        """The values at the lower and the upper edge."""
        return Scale(max(-self.below / self.cells, -LARGEST), min(self.above / self.cells, LARGEST))

    def row(self, fraction: float) -> int:
        """Return the row, from the top, whose upper edge holds a fraction of the scale."""
        height = self.below + self.above
        return min(height - int(np.ceil(fraction * height - 1e-9)), height - 1)


@dataclass(frozen=True, eq=False)
class Overlay:
    """A thin line above the bars, on a scale of its own: most often the training images of each class, n_k."""

    name: str
    values: Floats
    """(classes,)"""
    colour: int = DEFAULT
    log: bool = True
    """Whether its scale is logarithmic; the legend says so."""


def bar_columns(area: Area, bins: Bins) -> NDArray[np.int64]:
    """Return the bin of each column that a bar fills, -1 for the columns between and after bars."""
    filled = np.full(area.width, -1, dtype=np.int64)
    if bins.columns >= _ROOMY:  # bars of one width; what is left over widens a gap by a column
        for column in range(bins.columns - 1):
            filled[bins.starts[:-1] + column] = np.arange(bins.count)
    else:
        filled[: bins.width] = np.repeat(np.arange(bins.count), np.diff(bins.starts))
    return filled


def draw_bars(
    painter: Painter, glyphs: Glyphs, area: Area, bins: Bins, means: Floats, ruler: Ruler, colour: int
) -> None:
    """Draw each bar from 0 up or down; a value too small for the lowest step still shows it."""
    columns = bar_columns(area, bins)
    with np.errstate(over="ignore"):
        heights = np.where(columns >= 0, np.nan_to_num(means[columns]), 0.0) * ruler.cells
    for sign, characters, rows in ((1, glyphs.levels, ruler.above), (-1, glyphs.hanging, ruler.below)):
        full = len(characters) - 1
        length = np.rint(np.clip(sign * heights, 0, rows) * full).astype(np.int64)
        length = np.where(sign * heights > 0, np.maximum(length, 1), 0)
        filled = np.clip(length - full * np.arange(rows)[:, None], 0, full)
        zero = area.top + ruler.above
        inside = np.s_[area.top : zero] if sign > 0 else np.s_[zero : area.bottom]
        painter.glyphs[inside, area.left : area.right] = np.array(list(characters))[filled][::-sign]
    painter.foreground[area.top : area.bottom, area.left : area.right] = colour


def overlay_rows(glyphs: Glyphs, height: int) -> int:
    """Return how many of `height` rows above the axis an overlay takes for itself: 0 where bars need them all."""
    if height < _LEAST_FOR_OVERLAY:
        return 0
    return 2 if glyphs.has_braille and height >= _TALL_FOR_OVERLAY else 1


def draw_overlay(painter: Painter, glyphs: Glyphs, strip: Area, bins: Bins, overlay: Overlay) -> None:
    """Draw the overlay into rows of its own above the bars: a line, without braille steps as wide as the bars."""
    means = bins.means(np.asarray(overlay.values, dtype=np.float64))
    bounds = finite_bounds([means], positive=overlay.log)
    if bounds is None or not strip.height:
        return
    low = bounds[0] if overlay.log else min(bounds[0], 0.0)
    fractions = np.clip(Scale.spanning(low, bounds[1], log=overlay.log).fraction(means), 0, 1)
    inside = np.s_[strip.top : strip.bottom, strip.left : strip.right]
    painter.foreground[inside] = overlay.colour
    if glyphs.has_braille:
        rows, columns = strip.height * glyphs.dot_rows, strip.width * glyphs.dot_columns
        middle = np.array([bins.column(bins.members(index)[0]) for index in range(bins.count)], np.float64)
        across = (middle + 0.5) * glyphs.dot_columns - 0.5
        painter.glyphs[inside] = glyphs.table[
            pack(trace(across, (1 - fractions) * (rows - 1), rows, columns), glyphs)
        ]
        return
    owner = bar_columns(strip, bins)
    here = np.where(owner >= 0, fractions[owner], np.nan)
    level = np.rint(np.nan_to_num(here) * (len(glyphs.steps) - 1)).astype(np.int64)
    painter.glyphs[inside] = np.where(np.isnan(here), " ", np.array(list(glyphs.steps))[level])

"""How do bars and the thin line over them fill the cells of an area?"""

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
    """A thin line over the bars, on a scale of its own: most often the training images of each class, n_k."""

    name: str
    values: Floats
    """(classes,)"""
    colour: int = DEFAULT
    log: bool = True
    """Whether its scale is logarithmic; the legend says so."""


def bar_columns(area: Area, bins: Bins) -> NDArray[np.int64]:
    """Return the bin of each column that a bar fills, -1 for the columns between and after bars."""
    filled = np.repeat(np.arange(bins.count), bins.columns)
    if bins.columns >= _ROOMY:
        filled[bins.columns - 1 :: bins.columns] = -1
    return np.concatenate((filled, np.full(area.width - len(filled), -1)))


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


def draw_overlay(
    painter: Painter, glyphs: Glyphs, area: Area, bins: Bins, overlay: Overlay, bar_colour: int
) -> None:
    """Draw a line through the middle of the bars; where it crosses a bar the bar stays as background."""
    means = bins.means(np.asarray(overlay.values, dtype=np.float64))
    bounds = finite_bounds([means], positive=overlay.log)
    if bounds is None:
        return
    dots = (glyphs.dot_rows, glyphs.dot_columns) if glyphs.has_braille else (1, 1)
    rows, columns = area.height * dots[0], area.width * dots[1]
    low = bounds[0] if overlay.log else min(bounds[0], 0.0)
    middle = np.array([bins.column(item) for item in range(0, bins.items, bins.each)], dtype=np.float64)
    across = (middle + 0.5) * dots[1] - 0.5
    down = (1 - Scale.spanning(low, bounds[1], log=overlay.log).fraction(means)) * (rows - 1)
    lit = trace(across, down, rows, columns)
    if glyphs.has_braille:
        cells = pack(lit, glyphs)
        line = glyphs.table[cells]
    else:
        cells = lit.view(np.uint8)
        steep = np.broadcast_to(lit.sum(axis=0) > 1, lit.shape)
        line = np.where(steep, glyphs.vertical, glyphs.horizontal)
    inside = np.s_[area.top : area.bottom, area.left : area.right]
    crossed = (cells > 0) & np.isin(painter.glyphs[inside], list(glyphs.mostly_filled))
    painter.background[inside][crossed] = bar_colour
    painter.glyphs[inside][cells > 0] = line[cells > 0]
    painter.foreground[inside][cells > 0] = overlay.colour

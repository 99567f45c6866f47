"""How is the spread around a curve drawn, so that the curve stays legible and no colour is needed?

The edges are faint dots, the outermost of each column and never joined, so that a noisy edge stays thin. What is
left empty between them is stippled: a band is seen without colour, and never hides a dot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wbtui.plotting.canvas import DIM, Painter
from wbtui.plotting.glyphs import Glyphs
from wbtui.plotting.palette import DASHES, DEFAULT
from wbtui.plotting.raster import Bits, dashed, pack, trace
from wbtui.plotting.scale import Floats
from wbtui.plotting.series import Series
from wbtui.plotting.strokes import Layer, Plane

_DOTTED = 1  # of palette.DASHES: one dot column of each cell


@dataclass(frozen=True, eq=False)
class Band:
    """What lies between two curves, e.g. mean - std and mean + std over seeds."""

    name: str
    """That of the curve it belongs to, whose markers may stand on its edges."""
    x: Floats
    """(n,) ascending."""
    low: Floats
    """(n,); NaN and infinities leave a gap in the band."""
    high: Floats
    """(n,) not below `low`."""
    colour: int = DEFAULT
    """0xRRGGBB or `DEFAULT`."""

    def __post_init__(self) -> None:
        shapes = {np.shape(self.x), np.shape(self.low), np.shape(self.high)}
        if len(shapes) != 1:
            raise ValueError(
                f"band {self.name!r}: x, low and high must be of equal length, got {sorted(shapes)}"
            )

    def series(self) -> tuple[Series, Series]:
        """The lower and the upper edge; both have a gap where one of them has."""
        whole = np.isfinite(self.low) & np.isfinite(self.high)
        return (
            Series(self.name, self.x, np.where(whole, self.low, np.nan)),
            Series(self.name, self.x, np.where(whole, self.high, np.nan)),
        )


def band_edges(glyphs: Glyphs, plane: Plane, bands: Sequence[Band]) -> list[Layer]:
    """The outermost dot of each edge in each column of dots, thinned to dotted lines."""
    layers = []
    for band in bands:
        low, high = band.series()
        x = plane.across(low.x)
        dots = np.zeros((plane.rows, plane.columns), dtype=bool)
        for y, outermost in ((plane.down(low.y), np.fmax), (plane.down(high.y), np.fmin)):
            row = _rows(x, y, plane.columns, outermost)
            column = np.flatnonzero(np.isfinite(row))
            nearest = np.rint(row[column])
            inside = (nearest >= 0) & (nearest < plane.rows)
            dots[nearest[inside].astype(np.int64), column[inside]] = True
        layers.append(Layer(dashed(pack(dots, glyphs), DASHES[_DOTTED], glyphs), band.name, band.colour))
    return layers


def _rows(x: Floats, y: Floats, columns: int, outermost: np.ufunc) -> Floats:
    """Where an edge lies in each column of dots: at its outermost point there, between points on their line.

    Args:
        x: (n,) ascending positions in dot columns.
        y: (n,) positions in dot rows; NaN leaves a gap.
        columns: Of the raster.
        outermost: np.fmin or np.fmax.

    Returns:
        (columns,), NaN where there is no edge.
    """
    at = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(at):
        return np.full(columns, np.nan)
    own, every = np.clip(np.rint(x[at]), -1, columns).astype(np.int64), np.arange(columns, dtype=np.float64)
    after = np.searchsorted(x[at], every)
    joined = np.zeros(columns, dtype=bool)
    between = (after > 0) & (after < len(at))
    joined[between] = at[after[between]] == at[after[between] - 1] + 1
    found = np.where(joined, np.interp(every, x[at], y[at]), np.nan)
    inside = (own >= 0) & (own < columns)
    found[own[inside]] = np.nan  # points speak for their column
    outermost.at(found, own[inside], y[at][inside])
    return found


def fill_bands(painter: Painter, glyphs: Glyphs, plane: Plane, bands: Sequence[Band]) -> None:
    """Stipple the cells that lie wholly within a band and hold nothing else; the first band has them."""
    area = plane.area
    inside = np.s_[area.top : area.bottom, area.left : area.right]
    for band in bands:
        empty = painter.glyphs[inside] == " "
        free = empty & (_covered(plane, band, glyphs) == glyphs.all_bits)
        painter.glyphs[inside][free] = glyphs.band
        painter.foreground[inside][free] = band.colour
        painter.attributes[inside][free] = DIM


def _covered(plane: Plane, band: Band, glyphs: Glyphs) -> Bits:
    """The dots of each cell between the edges, those included; an edge beyond the area is at its border."""
    low, high = band.series()
    x = plane.across(low.x)
    bottom, top = plane.down(low.y), plane.down(high.y)
    below = np.isfinite(low.y) & np.isnan(bottom) & np.isfinite(top)  # 0 and less, on a logarithmic axis
    last = float(max(plane.rows - 1, 0))
    bottom = np.where(below, last, bottom)
    upper = trace(x, np.clip(top, 0.0, last), plane.rows, plane.columns)
    lower = trace(x, np.clip(bottom, 0.0, last), plane.rows, plane.columns)
    begun = np.logical_or.accumulate(upper, axis=0)
    not_over = np.logical_or.accumulate(lower[::-1], axis=0)[::-1]
    return pack(begun & not_over, glyphs)

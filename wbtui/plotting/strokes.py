"""How do several curves share the cells of one area?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wbtui.plotting.canvas import DIM, Painter
from wbtui.plotting.frame import Area
from wbtui.plotting.glyphs import Glyphs
from wbtui.plotting.palette import DASHES
from wbtui.plotting.raster import Bits, dashed, pack, trace
from wbtui.plotting.scale import Floats, Scale
from wbtui.plotting.series import Series

_MAIN_WEIGHT = (
    16  # more than the eight dots of a cell: any dot of a main curve beats a cell full of faint ones
)


@dataclass(frozen=True)
class Plane:
    """The data area with its scales: where on the screen a value lies."""

    area: Area
    x: Scale
    y: Scale
    dot_rows: int
    """Dots of a cell from top to bottom."""
    dot_columns: int
    """Dots of a cell from left to right."""

    @property
    def rows(self) -> int:
        """Dot rows of the area."""
        return self.area.height * self.dot_rows

    @property
    def columns(self) -> int:
        """Dot columns of the area."""
        return self.area.width * self.dot_columns

    def across(self, x: Floats) -> Floats:
        """Return positions in dot columns; 0 is the centre of the first."""
        return self.x.fraction(x) * (self.columns - 1)

    def down(self, y: Floats) -> Floats:
        """Return positions in dot rows; 0 is the centre of the top row."""
        return (1 - self.y.fraction(y)) * (self.rows - 1)

    def column_at(self, fraction: float) -> int:
        """Return the column of the picture at a fraction of the x axis."""
        return self.area.left + round(fraction * (self.columns - 1)) // self.dot_columns

    def row_at(self, fraction: float) -> int:
        """Return the row of the picture at a fraction of the y axis."""
        return self.area.top + round((1 - fraction) * (self.rows - 1)) // self.dot_rows

    def x_at(self, column: int) -> float:
        """Return the x in the middle of a column of the picture, kept within the axis."""
        dot = (column - self.area.left + 0.5) * self.dot_columns - 0.5
        return self.x.value(min(max(dot / max(self.columns - 1, 1), 0.0), 1.0))


@dataclass(frozen=True, eq=False)
class Layer:
    """Dots that share the area with others."""

    bits: Bits
    """(height, width) of the area."""
    name: str
    colour: int
    """0xRRGGBB or `DEFAULT`."""
    faint: bool = True


def draw_curves(
    painter: Painter, glyphs: Glyphs, plane: Plane, curves: Sequence[Series], edges: Sequence[Layer] = ()
) -> Bits:
    """Draw curves into the area, their dots or-ed.

    A cell takes the colour of the curve with most dots in it, any main curve before every faint one. A marker
    stands only where it covers no dot of another curve.

    Args:
        painter: What to draw on.
        glyphs: With which characters.
        plane: Where values lie.
        curves: The curves.
        edges: Of bands, behind the curves; where a glyph set has a character for edges, it stands in cells that
            hold nothing else.

    Returns:
        (height, width) lit dots of each cell of the area.
    """
    area = plane.area
    if not curves and not edges:
        return np.zeros((area.height, area.width), dtype=np.uint8)
    positions = [(plane.across(curve.x), plane.down(curve.y)) for curve in curves]
    layers = [
        Layer(
            dashed(pack(trace(x, y, plane.rows, plane.columns), glyphs), DASHES[curve.dash], glyphs),
            curve.name,
            curve.colour,
            curve.faint,
        )
        for curve, (x, y) in zip(curves, positions, strict=True)
    ]
    layers += edges
    cells = np.stack([layer.bits for layer in layers])
    together: Bits = np.bitwise_or.reduce(cells, axis=0)
    faint = np.array([layer.faint for layer in layers])
    weight = np.where(faint, 1, _MAIN_WEIGHT).astype(np.uint8)[:, None, None]
    owner = np.argmax(np.bitwise_count(cells) * weight, axis=0)
    lit = together > 0
    inside = np.s_[area.top : area.bottom, area.left : area.right]
    painter.glyphs[inside] = glyphs.table[together]
    painter.foreground[inside][lit] = np.array([layer.colour for layer in layers], dtype=np.int32)[owner[lit]]
    painter.attributes[inside][lit] = np.where(faint[owner[lit]], DIM, 0)
    if glyphs.edge:
        painter.glyphs[inside][lit & ~cells[: len(curves)].any(axis=0)] = glyphs.edge
    marked = [index for index, curve in enumerate(curves) if curve.marker is not None and not curve.faint]
    for place, index in enumerate(marked):
        own = layers[index]
        foreign = [not _is_same_or_behind(other, own) for other in layers]
        others = np.bitwise_or.reduce(cells[foreign], axis=0)
        x, y = positions[index]
        _draw_markers(painter, glyphs, plane, curves[index], x, y, others == 0, place / len(marked))
    return together


def _is_same_or_behind(other: Layer, curve: Layer) -> bool:
    """Whether `other` is the curve itself, the faint raw values that it smooths, or an edge of its band."""
    return other is curve or (other.faint and (other.name, other.colour) == (curve.name, curve.colour))


def _draw_markers(
    painter: Painter,
    glyphs: Glyphs,
    plane: Plane,
    curve: Series,
    x: Floats,
    y: Floats,
    free: NDArray[np.bool_],
    shift: float,
) -> None:
    """Put the marker of a curve on points of it, a quarter of the width apart, where others leave room."""
    area = plane.area
    distance = min(max(area.width // 4, 4), 12 if glyphs.ascii_only else 24)
    inside = np.flatnonzero((x >= -0.5) & (x <= plane.columns - 0.5) & (y >= -0.5) & (y <= plane.rows - 0.5))
    column = np.clip(np.rint(x[inside]).astype(np.int64), 0, plane.columns - 1) // plane.dot_columns
    row = np.clip(np.rint(y[inside]).astype(np.int64), 0, plane.rows - 1) // plane.dot_rows
    usable = free[row, column]
    row, column = row[usable], column[usable]
    if not len(column):
        return
    targets = np.arange(shift * distance, area.width + distance, distance)
    after = np.clip(np.searchsorted(column, targets), 1, max(len(column) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(column) - 1)
    nearest = np.where(targets - column[before] <= column[after] - targets, before, after)
    chosen = nearest[np.abs(column[nearest] - targets) <= distance / 2]
    painter.glyphs[area.top + row[chosen], area.left + column[chosen]] = glyphs.markers[curve.marker or 0]
    painter.foreground[area.top + row[chosen], area.left + column[chosen]] = curve.colour
    painter.attributes[area.top + row[chosen], area.left + column[chosen]] = 0

"""How is a line plot put together?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wbtui.plotting.bands import Band, band_edges, fill_bands
from wbtui.plotting.canvas import BOLD, DIM, Canvas, Painter, shortened
from wbtui.plotting.cursor import Reading, read, snap
from wbtui.plotting.frame import (
    Area,
    Entry,
    Label,
    draw_header,
    draw_message,
    draw_x_axis,
    draw_y_axis,
    footer_rows,
    gutter,
    header_lines,
    heading_width,
    name_below,
    plain,
)
from wbtui.plotting.glyphs import GLYPHS, Glyphs, GlyphSet
from wbtui.plotting.palette import DASHES
from wbtui.plotting.raster import Bits
from wbtui.plotting.scale import Scale, finite_bounds
from wbtui.plotting.series import Series
from wbtui.plotting.strokes import Plane, draw_curves
from wbtui.plotting.ticks import Tick, number, ticks

_WIDE_FOR_SAMPLES = 40  # columns from which the legend shows the dash pattern beside the marker


@dataclass(frozen=True)
class LineOptions:
    """What a line plot looks like; sizes in cells, bounds in the unit of the data."""

    width: int
    height: int
    title: str = ""
    x_label: str = ""
    glyphs: GlyphSet = GlyphSet.BRAILLE
    log_y: bool = False
    x_bounds: tuple[float, float] | None = None
    """None spans the data."""
    y_bounds: tuple[float, float] | None = None
    """None spans the data between the x bounds."""
    smoothing: float = 0.0
    """Factor of the debiased moving average in [0, 1); the measured curves stay faint behind."""
    cursor_x: float | None = None
    """Where a cursor is wanted; it snaps to data."""
    legend: bool = True
    ends: tuple[str, str] = ("", "")
    """What stands below the first and the last x instead of their numbers."""
    x_names: tuple[str, ...] = ()
    """What x = 0, 1, 2 ... are called, where they are items; without them they are numbers."""


@dataclass(frozen=True, eq=False)
class LinePlot:
    """A picture and what a screen needs to talk about it."""

    canvas: Canvas
    plane: Plane
    """Where values lie: a mouse column to an x by `plane.x_at`, the bounds as scales."""
    dots: Bits
    """(area height, area width) lit dots of each cell, as bits of the glyph set; markers lie above them."""
    cursor_x: float | None
    """The snapped cursor, for the other panels; None without cursor or data."""
    readings: tuple[Reading, ...]
    """One for each series that is not faint, at the cursor; empty without."""
    notes: tuple[str, ...]
    """What is said beside the title: smoothing, log, values that cannot be drawn."""


def line_plot(series: Sequence[Series], options: LineOptions, bands: Sequence[Band] = ()) -> LinePlot:
    """Draw curves with axes, ticks, legend and cursor.

    Args:
        series: What to draw; later ones do not hide earlier ones.
        bands: Spreads around curves, behind them, as measured whatever the smoothing; the bounds hold them too.
        options: Size and look. Any size from 1 x 1 is drawn; what finds no room is left out, the curves last.

    Raises:
        UsageError: Size, bounds or smoothing factor outside what they may be.
    """
    glyphs = GLYPHS[options.glyphs]
    painter = Painter(options.width, options.height)
    smooth = curves = list(series)
    if options.smoothing != 0:
        smooth = [one if one.faint else one.smoothed(options.smoothing) for one in series]
        curves = [one.raw() for one in series if not one.faint] + smooth
    x_scale, y_scale = _scales([*curves, *(edge for band in bands for edge in band.series())], options)
    cursor_x = None
    if options.cursor_x is not None:
        cursor_x = snap(options.cursor_x, series, x_scale.value(0), x_scale.value(1))
    readings: tuple[Reading, ...] = ()
    if cursor_x is not None:
        pairs = zip(series, smooth, strict=True)
        readings = tuple(read(cursor_x, one, average.y) for one, average in pairs if not one.faint)
    notes = _notes(series, options, x_scale, glyphs)

    title, said = plain(options.title, glyphs), ", ".join(notes)
    entries = _entries(series, readings, options, glyphs)
    header = header_lines(entries, heading_width(title, said), options.width, options.height)
    plane, y_ticks = _plane(painter, glyphs, len(header), x_scale, y_scale)
    draw_header(painter, glyphs, (title, said), header)
    dots = draw_curves(painter, glyphs, plane, curves, band_edges(glyphs, plane, bands))
    fill_bands(painter, glyphs, plane, bands)
    if dots.any():
        whole = all(np.all(one.x == np.rint(one.x)) for one in series)
        draw_y_axis(painter, glyphs, plane.area, [Label(plane.row_at(at), label) for at, label in y_ticks])
        _draw_x_axis(painter, glyphs, plane, options, cursor_x, whole=whole)
        if cursor_x is not None:
            _draw_cursor(painter, glyphs, plane, cursor_x)
    else:
        draw_y_axis(painter, glyphs, plane.area, [])
        draw_x_axis(painter, glyphs, plane.area, [], name=plain(options.x_label, glyphs))
        draw_message(painter, glyphs, plane.area, "no values above 0" if options.log_y else "no values")
    return LinePlot(painter.finish(), plane, dots, cursor_x, readings, notes)


def _scales(curves: Sequence[Series], options: LineOptions) -> tuple[Scale, Scale]:
    """Return the scales of x and y: the wanted bounds, else those of the values that can be drawn."""
    drawable = [np.isfinite(one.y) & ((one.y > 0) | (not options.log_y)) for one in curves]
    x_bounds = options.x_bounds or finite_bounds(
        one.x[mask] for one, mask in zip(curves, drawable, strict=True)
    )
    x_scale = Scale.spanning(*(x_bounds or (0.0, 1.0)))
    low, high = x_scale.value(0), x_scale.value(1)
    y_bounds = options.y_bounds or finite_bounds(
        one.y[mask & (one.x >= low) & (one.x <= high)] for one, mask in zip(curves, drawable, strict=True)
    )
    return x_scale, Scale.spanning(*(y_bounds or (1.0, 10.0)), log=options.log_y)


def _notes(series: Sequence[Series], options: LineOptions, x_scale: Scale, glyphs: Glyphs) -> tuple[str, ...]:
    low, high = x_scale.value(0), x_scale.value(1)
    notes = []
    if options.smoothing > 0:
        notes.append(f"EMA {options.smoothing:g}")
    if options.log_y:
        notes.append("log")
        shown = [np.isfinite(one.y) & (one.x >= low) & (one.x <= high) for one in series]
        lost = sum(int(np.sum(mask & (one.y <= 0))) for one, mask in zip(series, shown, strict=True))
        if lost:
            notes.append(f"{lost:,} {glyphs.at_most} 0 not drawn")
    infinite = sum(int(np.sum(np.isinf(one.y))) for one in series)
    if infinite:
        notes.append(f"{infinite:,} infinite")
    return tuple(notes)


def _entries(
    series: Sequence[Series], readings: Sequence[Reading], options: LineOptions, glyphs: Glyphs
) -> list[Entry]:
    """Return the legend: a sample of each curve that is not faint, its name and its value at the cursor."""
    if not options.legend:
        return []
    entries = []
    for index, one in enumerate(each for each in series if not each.faint):
        name = shortened(plain(one.name, glyphs), max(options.width // 3, 4), glyphs.ellipsis)
        value = f" {number(readings[index].y)}" if readings else ""
        entries.append(Entry(_sample(one, options.width, glyphs), name + value, one.colour))
    return entries


def _sample(series: Series, width: int, glyphs: Glyphs) -> str:
    """Return a level stretch of the curve around its marker, the marker alone where room is short."""
    lower_dots = glyphs.dot_bits[len(glyphs.dot_bits) // 2]
    stretch = [
        str(glyphs.table[sum(lower_dots) if whole else lower_dots[0]])
        for whole in np.resize(np.array(DASHES[series.dash]), 4).tolist()
    ]
    if series.marker is None:
        return "".join(stretch[:2] if width < _WIDE_FOR_SAMPLES else stretch)
    marker = glyphs.markers[series.marker]
    return marker if width < _WIDE_FOR_SAMPLES else "".join([*stretch[:2], marker, *stretch[2:]])


def _plane(
    painter: Painter, glyphs: Glyphs, header: int, x_scale: Scale, y_scale: Scale
) -> tuple[Plane, list[Tick]]:
    """Give the axes their room and the rest to the data."""
    height = painter.height - header
    area_height = height - footer_rows(height)
    y_ticks = ticks(y_scale, min(max(area_height // 3 + 1, 3), 11))
    left = gutter([tick.label for tick in y_ticks], painter.width)
    area = Area(header, left, area_height, painter.width - left)
    return Plane(area, x_scale, y_scale, glyphs.dot_rows, glyphs.dot_columns), y_ticks


def _draw_x_axis(
    painter: Painter,
    glyphs: Glyphs,
    plane: Plane,
    options: LineOptions,
    cursor_x: float | None,
    *,
    whole: bool,
) -> None:
    name, area = plain(options.x_label, glyphs), plane.area
    first, last = (plain(end, glyphs) for end in options.ends)
    ends = [Label(area.left + (len(first) - 1) // 2, first)] if first else []
    ends += [Label(area.right - 1 - len(last) // 2, last)] if last else []
    cursor = None
    if cursor_x is not None:
        fraction = float(plane.x.fraction(np.array([cursor_x]))[0])
        cursor = Label(plane.column_at(fraction), number(cursor_x))
    labels = [Label(plane.column_at(at), label) for at, label in _x_ticks(plane, whole=whole)]
    if options.x_names:
        labels = _named_items(plane, options.x_names, glyphs)
    draw_x_axis(painter, glyphs, area, labels, name=name, cursor=cursor, ends=ends)


def _x_ticks(plane: Plane, *, whole: bool) -> list[Tick]:
    """Return as many ticks as their labels leave room for."""
    for most in range(max(plane.area.width // 6, 2), 1, -1):
        chosen = ticks(plane.x, most, whole=whole)
        room = plane.area.width / max(len(chosen), 1)
        if max((len(tick.label) for tick in chosen), default=0) + 2 <= room:
            return chosen
    return ticks(plane.x, 2, whole=whole)


def _named_items(plane: Plane, names: tuple[str, ...], glyphs: Glyphs) -> list[Label]:
    """Return the names of some items, at round places of their order."""
    places = ticks(plane.x, max(plane.area.width // 10, 2), whole=True)
    items = [(at, round(plane.x.value(at))) for at, _ in places]
    return [
        Label(plane.column_at(at), name_below(names, item, glyphs))
        for at, item in items
        if 0 <= item < len(names)
    ]


def _draw_cursor(painter: Painter, glyphs: Glyphs, plane: Plane, cursor_x: float) -> None:
    """Draw an upright line through the cells without dots and make those with dots bold."""
    column = plane.column_at(float(plane.x.fraction(np.array([cursor_x]))[0]))
    inside = np.s_[plane.area.top : plane.area.bottom, column]
    empty = painter.glyphs[inside] == " "
    painter.attributes[inside] = np.where(empty, DIM, BOLD)
    painter.glyphs[inside][empty] = glyphs.cursor

"""How is a bar plot over classes put together, from head to tail?"""

from dataclasses import dataclass

import numpy as np

from wbtui.plotting.bins import Bins
from wbtui.plotting.canvas import BOLD, Canvas, Painter
from wbtui.plotting.columns import Overlay, Ruler, bar_columns, draw_bars, draw_overlay, overlay_rows
from wbtui.plotting.frame import (
    TALL_FOR_HEADER,
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
from wbtui.plotting.palette import DEFAULT, OKABE_ITO
from wbtui.plotting.scale import Floats, Scale, finite_bounds
from wbtui.plotting.ticks import Tick, number, ticks


@dataclass(frozen=True)
class BarOptions:
    """What a bar plot looks like; sizes in cells."""

    width: int
    height: int
    title: str = ""
    glyphs: GlyphSet = GlyphSet.BRAILLE
    colour: int = OKABE_ITO[0]
    y_bounds: tuple[float, float] | None = None
    """None spans the values; 0 is always within, because bars start there."""
    first: str = "head"
    """What stands below the first class."""
    last: str = "tail"
    """What stands below the last class."""
    names: tuple[str, ...] = ()
    """Of the classes, in the order of their values; without them classes are numbered from 0."""
    cursor: int | None = None
    """Index of a class to point at and read."""


@dataclass(frozen=True)
class BarReading:
    """What stands under the cursor."""

    first: int
    """First class of the bar."""
    last: int
    """Last class of the bar, the first again unless classes were gathered."""
    value: float
    """Mean of the bar's classes, NaN where there is none."""
    overlay: float
    """Mean of the overlay, NaN where there is none."""


@dataclass(frozen=True, eq=False)
class BarPlot:
    """A picture and what a screen needs to talk about it."""

    canvas: Canvas
    area: Area
    bins: Bins
    """Which classes share a bar and which columns it takes, counted from `area.left`."""
    reading: BarReading | None
    notes: tuple[str, ...]
    """What is said beside the title: how classes were gathered, what has no value."""


def bar_plot(values: Floats, options: BarOptions, overlay: Overlay | None = None) -> BarPlot:
    """Draw a bar for each class, the first at the left, where needed one for several neighbours.

    More classes than columns are gathered evenly: each bar is the mean of the same number of neighbours (the
    last may have fewer), and the notes say of how many and how far single classes reach.

    Args:
        values: (classes,); NaN and infinities leave a gap in the bars and in the axis below.
        options: Size and look; any size from 1 x 1 is drawn.
        overlay: A thin line in rows of its own above the bars; left out where there are too few rows.

    Raises:
        UsageError: The size is outside what it may be.
        ValueError: `values` is not one row, or overlay or names have another length.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or (overlay is not None and np.shape(overlay.values) != values.shape):
        raise ValueError("bar plot: values and overlay must be one row of equal length")
    if options.names and len(options.names) != len(values):
        raise ValueError(f"bar plot: {len(options.names)} names for {len(values)} values")
    glyphs = GLYPHS[options.glyphs]
    painter = Painter(options.width, options.height)
    bounds = finite_bounds([values])
    if bounds is None:
        return _without_values(painter, glyphs, options, len(values))
    low, high = options.y_bounds or bounds
    Scale.spanning(low, high)  # refuses bounds that are none
    low, high = min(low, 0.0), max(high, 0.0)

    # the gutter decides how classes are gathered, which the header tells, whose rows the final axis does without
    titled = int(options.height >= TALL_FOR_HEADER)
    above = _rows_above(glyphs, options.height - titled, overlay)
    _, y_ticks = _ruler(low, high, options.height, titled, above)
    left = gutter([tick.label for tick in y_ticks], options.width)
    bins = Bins.over(len(values), options.width - left)
    means = bins.means(values)
    reading = None if options.cursor is None else _read(options.cursor, bins, means, overlay)
    notes = _notes(values, bins, bounds)
    title, said = plain(options.title, glyphs), ", ".join(notes)
    entries = _entries(reading, options, overlay, glyphs)
    header = header_lines(entries, heading_width(title, said), options.width, options.height)
    above = _rows_above(glyphs, options.height - len(header), overlay)
    ruler, y_ticks = _ruler(low, high, options.height, len(header), above)
    area = Area(len(header) + above, left, ruler.above + ruler.below, options.width - left)

    draw_header(painter, glyphs, (title, said), header)
    draw_bars(painter, glyphs, area, bins, means, ruler, options.colour)
    if overlay is not None:
        draw_overlay(painter, glyphs, Area(len(header), left, above, area.width), bins, overlay)
    draw_y_axis(painter, glyphs, area, [Label(area.top + ruler.row(at), label) for at, label in y_ticks])
    _draw_classes(painter, glyphs, area, bins, means, options, reading)
    return BarPlot(painter.finish(), area, bins, reading, notes)


def _rows_above(glyphs: Glyphs, rows: int, overlay: Overlay | None) -> int:
    """Return how many of `rows` rows, the axis among them, the overlay takes above the bars."""
    return 0 if overlay is None else overlay_rows(glyphs, rows - footer_rows(rows))


def _ruler(low: float, high: float, height: int, header: int, above: int) -> tuple[Ruler, list[Tick]]:
    """Return the vertical scale of a picture of `height` rows below `header` and `above` rows, and its ticks."""
    area_height = height - header - footer_rows(height - header) - above
    ruler = Ruler.over(low, high, area_height)
    return ruler, ticks(ruler.scale, min(max(area_height // 3 + 1, 3), 11))


def _without_values(painter: Painter, glyphs: Glyphs, options: BarOptions, classes: int) -> BarPlot:
    area = Area(0, 0, painter.height, painter.width)
    title = plain(options.title, glyphs)
    draw_header(painter, glyphs, (title, ""), header_lines([], len(title), painter.width, painter.height))
    draw_message(painter, glyphs, area, "no values")
    return BarPlot(painter.finish(), area, Bins.over(classes, area.width), None, ())


def _notes(values: Floats, bins: Bins, bounds: tuple[float, float]) -> tuple[str, ...]:
    notes = []
    fewest, most = bins.each
    if most > 1:
        reach = f"{number(bounds[0], digits=3)} to {number(bounds[1], digits=3)}"
        gathered = f"{most}" if fewest == most else f"{fewest}-{most}"
        notes.append(f"mean of {gathered} classes, {reach}")
    infinite, missing = int(np.isinf(values).sum()), int(np.isnan(values).sum())
    if infinite:
        notes.append(f"{infinite:,} infinite")
    if missing:
        notes.append(f"{missing:,} without value")
    return tuple(notes)


def _read(cursor: int, bins: Bins, means: Floats, overlay: Overlay | None) -> BarReading:
    index = bins.bin_of(min(max(cursor, 0), bins.items - 1))
    over = np.nan if overlay is None else float(bins.means(np.asarray(overlay.values, np.float64))[index])
    return BarReading(*bins.members(index), float(means[index]), over)


def _class_label(reading: BarReading, options: BarOptions, glyphs: Glyphs) -> str:
    first, last = (name_below(options.names, item, glyphs) for item in (reading.first, reading.last))
    return first if reading.first == reading.last else f"{first}-{last}"


def _entries(
    reading: BarReading | None, options: BarOptions, overlay: Overlay | None, glyphs: Glyphs
) -> list[Entry]:
    """Return what stands right of the title: the value at the cursor, and the overlay with its range."""
    entries = []
    if reading is not None:
        entries.append(
            Entry("", f"{_class_label(reading, options, glyphs)}: {number(reading.value)}", DEFAULT)
        )
    if overlay is not None:
        bounds = finite_bounds([np.asarray(overlay.values, np.float64)])
        reach = "" if bounds is None else f" {number(bounds[0])} to {number(bounds[1])}"
        said = f" {number(reading.overlay)}" if reading is not None else reach
        sample = str(glyphs.table[sum(glyphs.dot_bits[2])]) if glyphs.has_braille else glyphs.steps[3]
        name = plain(overlay.name, glyphs)
        entries.append(Entry(sample * 2, f"{name}{said}{' log' if overlay.log else ''}", overlay.colour))
    return entries


def _draw_classes(
    painter: Painter,
    glyphs: Glyphs,
    area: Area,
    bins: Bins,
    means: Floats,
    options: BarOptions,
    reading: BarReading | None,
) -> None:
    """Draw the axis of classes: its ends in words, some classes between, gaps where there is no value."""
    first, last = plain(options.first, glyphs), plain(options.last, glyphs)
    ends = [Label(area.left + (len(first) - 1) // 2, first)]
    if bins.items > 1:
        ends.append(Label(area.right - 1 - len(last) // 2, last))
    scale = Scale(0.0, max(bins.items - 1, 1))
    numbers = [round(scale.value(at)) for at, _ in ticks(scale, max(area.width // 10, 2), whole=True)]
    named = [
        Label(area.left + bins.column(item), name_below(options.names, item, glyphs))
        for item in numbers
        if item < bins.items
    ]
    cursor = None
    if reading is not None:
        cursor = Label(area.left + bins.column(reading.first), _class_label(reading, options, glyphs))
        painter.attributes[area.top : area.bottom, cursor.at] |= BOLD
    draw_x_axis(painter, glyphs, area, named, cursor=cursor, ends=ends)
    if painter.height - area.bottom > 1:
        columns = bar_columns(area, bins)
        absent = np.flatnonzero(np.repeat(np.isnan(means), np.diff(bins.starts))) + area.left
        painter.glyphs[area.bottom, absent] = " "
        painter.glyphs[area.bottom, area.left + len(np.trim_zeros(columns + 1, "b")) : area.right] = " "

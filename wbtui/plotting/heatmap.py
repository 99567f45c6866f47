"""How is a heatmap put together: class by epoch, layer by epoch, class by class?"""

from dataclasses import dataclass

import numpy as np

from wbtui.plotting.bins import stretched_means
from wbtui.plotting.canvas import BOLD, DIM, Canvas, Painter, shortened
from wbtui.plotting.frame import (
    TALL_FOR_HEADER,
    Area,
    Label,
    draw_header,
    draw_message,
    draw_x_axis,
    draw_y_axis,
    footer_rows,
    gutter,
    heading_width,
    name_below,
    plain,
)
from wbtui.plotting.glyphs import GLYPHS, Glyphs, GlyphSet
from wbtui.plotting.names import told_apart
from wbtui.plotting.palette import Colormap
from wbtui.plotting.scale import Floats, Scale, finite_bounds
from wbtui.plotting.ticks import number, ticks

_LONGEST_BAR, _SHORTEST_BAR = 10, 4  # cells of the colour scale at the right of the title
_LEAST_TITLE = 10  # cells of it that the scale leaves, whatever else


@dataclass(frozen=True)
class HeatmapOptions:
    """What a heatmap looks like; sizes in cells."""

    width: int
    height: int
    title: str = ""
    glyphs: GlyphSet = GlyphSet.BRAILLE
    colour: bool = True
    """False draws values as density of glyphs: half blocks say nothing where colours are not shown."""
    colormap: Colormap = Colormap.SEQUENTIAL
    """A diverging one is centred on 0."""
    log: bool = False
    """Whether colours follow the logarithm."""
    row_names: tuple[str, ...] = ()
    """Names of the rows, top down; without them rows are numbered from 0."""
    x_range: tuple[float, float] | None = None
    """What the first and the last column stand for, such as epochs; None numbers columns from 0."""
    column_names: tuple[str, ...] = ()
    """Names of the columns, where they are items."""
    x_label: str = ""
    cursor_x: float | None = None
    """Where a cursor is wanted, in the unit of `x_range`; it snaps to a column."""
    nothing: str = "no values"
    """What is said where there is nothing to draw."""


@dataclass(frozen=True, eq=False)
class Heatmap:
    """A picture and what a screen needs to talk about it."""

    canvas: Canvas
    area: Area
    cursor_x: float | None
    """x of the column that the cursor snapped to."""
    column: int | None
    """Index of that column in the table."""
    notes: tuple[str, ...]
    """What is said beside the title: how entries were gathered, what cannot be drawn."""


def heatmap(values: Floats, options: HeatmapOptions) -> Heatmap:
    """Draw a table as colours, the first row at the top.

    With colour a cell holds two rows by half blocks, without colour one row as a shade. A table larger than
    the area is averaged over neighbours, a smaller one repeated to fill it; the scale spans what is drawn then, so that
    an entry that is averaged away does not leave all others one colour. What is not finite stays empty.

    Args:
        values: (R, C)
        options: Size and look; any size from 1 x 1 is drawn.

    Raises:
        UsageError: Size outside what it may be.
        ValueError: `values` is no table, or there are not as many names as rows or columns.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or (options.row_names and len(options.row_names) != len(values)):
        raise ValueError(
            f"heatmap: expected a table and a name for each row or none, got shape {values.shape}"
        )
    if options.column_names and len(options.column_names) != values.shape[1]:
        raise ValueError(f"heatmap: {len(options.column_names)} names for {values.shape[1]} columns")
    glyphs = GLYPHS[options.glyphs]
    painter = Painter(options.width, options.height)
    halves = options.colour and not glyphs.ascii_only
    header = int(options.height >= TALL_FOR_HEADER)
    area_height = options.height - header - footer_rows(options.height - header)
    names = _names(len(values), area_height, options, glyphs)
    left = gutter([text for _, text in names], options.width)
    area = Area(header, left, area_height, options.width - left)
    means = stretched_means(values, area.height * (1 + halves), area.width) if values.size else values
    bounds = _bounds(means, options)
    title = plain(options.title, glyphs)
    if bounds is None:
        draw_header(painter, glyphs, (title, ""), [[]] if options.height >= TALL_FOR_HEADER else [])
        whole = Area(0, 0, painter.height, painter.width)
        draw_message(
            painter, glyphs, whole, "no values above 0" if options.log else plain(options.nothing, glyphs)
        )
        return Heatmap(painter.finish(), whole, None, None, ())
    scale = Scale.spanning(*bounds, log=options.log)
    fractions = scale.fraction(means)
    draw = _draw_halves if halves else _draw_shades
    draw(painter, glyphs, area, np.clip(fractions, 0, 1), options)
    notes = _notes(values, area, halves, options, glyphs)
    _draw_heading(painter, glyphs, options, title, notes, bounds)
    draw_y_axis(painter, glyphs, area, [Label(area.top + row, text) for row, text in names])
    cursor_x, column = _draw_columns(painter, glyphs, area, values.shape[1], options)
    return Heatmap(painter.finish(), area, cursor_x, column, notes)


def _bounds(values: Floats, options: HeatmapOptions) -> tuple[float, float] | None:
    bounds = finite_bounds([values], positive=options.log)
    if bounds is None or options.colormap is not Colormap.DIVERGING or options.log:
        return bounds
    reach = max(abs(bounds[0]), abs(bounds[1]))
    return -reach, reach


def _names(rows: int, height: int, options: HeatmapOptions, glyphs: Glyphs) -> list[tuple[int, str]]:
    """Return which row of the area carries which name."""
    if options.row_names:
        whole = tuple(plain(name, glyphs) for name in options.row_names)
        usual = max(options.width // 4, 1)
        widest = max(options.width // 3 - 1, usual)  # more and `gutter` leaves them out
        names = told_apart(whole, usual, widest, glyphs.ellipsis)
        step = max(1, -(-rows // height))
        return [(_middle(row, rows, height), names[row]) for row in range(0, rows, step)]
    scale = Scale.spanning(0.0, max(rows - 1.0, 0.0))
    numbers = [round(scale.value(at)) for at, _ in ticks(scale, max(height // 2, 2), whole=True)]
    return [(_middle(row, rows, height), str(row)) for row in numbers if 0 <= row < rows]


def _middle(index: int, count: int, cells: int) -> int:
    """Return the cell in the middle of an entry when `count` entries fill `cells` cells."""
    return int((index + 0.5) * cells / count)


def _draw_halves(
    painter: Painter, glyphs: Glyphs, area: Area, fractions: Floats, options: HeatmapOptions
) -> None:
    """Draw two rows a cell, (2 height, width): the upper half as foreground, the lower as background."""
    table = options.colormap.table()
    known = ~np.isnan(fractions)
    colours = np.where(known, table[np.rint(np.where(known, fractions, 0) * 255).astype(np.int64)], -1)
    upper, lower = colours[::2], colours[1::2]
    inside = np.s_[area.top : area.bottom, area.left : area.right]
    only_lower = (upper < 0) & (lower >= 0)
    painter.glyphs[inside] = np.where(upper >= 0, "▀", np.where(only_lower, "▄", " "))
    painter.foreground[inside] = np.where(only_lower, lower, upper)
    painter.background[inside] = np.where(only_lower, -1, lower)


def _draw_shades(
    painter: Painter, glyphs: Glyphs, area: Area, fractions: Floats, options: HeatmapOptions
) -> None:
    """Draw a row a cell, (height, width), as density and, where wanted, as colour."""
    known = ~np.isnan(fractions)
    safe = np.where(known, fractions, 0)
    level = np.minimum((safe * len(glyphs.shades)).astype(np.int64), len(glyphs.shades) - 1)
    inside = np.s_[area.top : area.bottom, area.left : area.right]
    painter.glyphs[inside] = np.where(known, np.array(list(glyphs.shades))[level], " ")
    if options.colour:
        colours = options.colormap.table()[np.rint(safe * 255).astype(np.int64)]
        painter.foreground[inside] = np.where(known, colours, -1)


def _notes(
    values: Floats, area: Area, halves: bool, options: HeatmapOptions, glyphs: Glyphs
) -> tuple[str, ...]:
    notes = []
    lost = int((np.isfinite(values) & (values <= 0)).sum()) if options.log else 0
    if lost:
        notes.append(f"{lost:,} {glyphs.at_most} 0 not drawn")
    infinite = int(np.isinf(values).sum())
    if infinite:
        notes.append(f"{infinite:,} infinite")
    drawn = (area.height * (1 + halves), area.width)
    blocks = [-(-have // room) for have, room in zip(values.shape, drawn, strict=True)]
    if max(blocks) > 1:
        notes.append(f"mean of {glyphs.at_most} {blocks[0]} x {blocks[1]} entries")
    return tuple(notes)


def _draw_heading(
    painter: Painter,
    glyphs: Glyphs,
    options: HeatmapOptions,
    title: str,
    notes: tuple[str, ...],
    bounds: tuple[float, float],
) -> None:
    """Write the scale of colours at the right, the title at the left, and between them the notes that fit whole.

    Without its scale a heatmap says nothing in numbers: the title is cut before the scale is, and the notes go first.
    """
    if options.height < TALL_FOR_HEADER:
        return
    room = options.width - _draw_scale(painter, glyphs, options, len(title), bounds)
    title = shortened(title, room, glyphs.ellipsis)
    said = ""
    for note in notes:
        longer = f"{said}, {note}" if said else note
        said = longer if heading_width(title, longer) <= room else said
    painter.text(0, 0, title, attributes=BOLD)
    painter.text(0, heading_width(title, said) - len(said), said, attributes=DIM)


def _draw_scale(
    painter: Painter, glyphs: Glyphs, options: HeatmapOptions, title: int, bounds: tuple[float, float]
) -> int:
    """Write the scale as long as a title of `title` cells allows; return the cells that it takes, two before it too."""
    low, high = number(bounds[0], digits=3), number(bounds[1], digits=3)
    low = f"log {low}" if options.log else low
    words = len(low) + len(high) + 4
    length = min(max(options.width - words - title, _SHORTEST_BAR), _LONGEST_BAR)
    if options.width - words - length < min(title, _LEAST_TITLE):
        return 0
    start = options.width - words - length + 2
    painter.text(0, start, low, attributes=DIM)
    painter.text(0, options.width - len(high), high, attributes=DIM)
    bar = Area(0, start + len(low) + 1, 1, length)
    _draw_shades(painter, glyphs, bar, np.linspace(0, 1, length)[None], options)
    if options.colour and not glyphs.ascii_only:
        painter.glyphs[0, bar.left : bar.right] = "█"
    return words + length


def _draw_columns(
    painter: Painter, glyphs: Glyphs, area: Area, columns: int, options: HeatmapOptions
) -> tuple[float | None, int | None]:
    """Draw the axis below; return x and index of the column under the cursor."""
    first, last = options.x_range or (0.0, float(columns - 1))
    scale = Scale.spanning(first, last) if last > first else None
    name = plain(options.x_label, glyphs)

    def label(index: int, text: str) -> Label:
        return Label(area.left + _middle(index, columns, area.width), text)

    whole = first == round(first) and last == round(last)
    apart = 15 if options.column_names else 8  # room for a name, and between two of them for that of the axis
    marks = ticks(scale, max(area.width // apart, 2), whole=whole) if scale else []
    labels = [label(round(at * (columns - 1)), text) for at, text in marks]
    if options.column_names:
        items = [round(at * (columns - 1)) for at, _ in marks]
        labels = [label(item, name_below(options.column_names, item, glyphs)) for item in items]
    if options.cursor_x is None:
        draw_x_axis(painter, glyphs, area, labels, name=name)
        return None, None
    wanted = (options.cursor_x - first) / (last - first) if last > first else 0.0
    column = round(min(max(wanted, 0.0), 1.0) * (columns - 1))
    cursor_x = first + (last - first) * column / max(columns - 1, 1)
    draw_x_axis(painter, glyphs, area, labels, name=name, cursor=label(column, number(cursor_x)))
    return cursor_x, column

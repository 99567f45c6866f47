"""Where in a picture do title, legend, axes and data stand?"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from wbtui.plotting.canvas import BOLD, DIM, Painter, shortened, single_cells
from wbtui.plotting.glyphs import Glyphs
from wbtui.plotting.palette import DEFAULT

TALL_FOR_HEADER = 3
"""Rows from which the first one is given to the title."""
TALL_FOR_LABELS = 4
"""Rows below the header from which the last one carries the numbers of the x axis."""
TALL_FOR_LINE = 7
"""Rows below the header from which the x axis is drawn as a line."""
LONGEST_NAME = 12
"""Characters of a name below an axis."""


@dataclass(frozen=True)
class Area:
    """The cells of a picture that carry data."""

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """First row below."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """First column to the right."""
        return self.left + self.width


@dataclass(frozen=True)
class Label:
    """A text that belongs to one row or column of cells."""

    at: int
    """Row of a y label, column of an x label, within the picture."""
    text: str


@dataclass(frozen=True)
class Entry:
    """A line of the legend: a sample of the curve and its name."""

    sample: str
    text: str
    colour: int

    @property
    def width(self) -> int:
        """Cells it takes."""
        return len(self.sample) + bool(self.sample) + len(self.text)


def footer_rows(height: int) -> int:
    """Return how many of `height` rows the x axis takes: none, its labels, or its line and labels."""
    return (height >= TALL_FOR_LABELS) + (height >= TALL_FOR_LINE)


def gutter(labels: Sequence[str], width: int) -> int:
    """Return the columns for y labels and axis; none where they would take over a third of the picture."""
    wanted = max((len(label) for label in labels), default=-1) + 1
    return wanted if 3 * wanted <= width else 0


def header_lines(entries: Sequence[Entry], heading_width: int, width: int, height: int) -> list[list[Entry]]:
    """Spread the legend over lines, the first of them beside a heading of `heading_width` cells.

    Returns:
        The entries of each line; the first line is empty where the legend does not fit beside the heading.
        What finds no place is left out and the last line ends with an entry that says how many.
    """
    if height < TALL_FOR_HEADER or not (entries or heading_width):
        return []
    most = 1 + height // 8
    beside = max(0, width - heading_width - (2 if heading_width else 0))
    if sum(entry.width + 2 for entry in entries) - 2 <= beside:
        return [list(entries)]
    if most == 1:
        return [_fitting(entries, beside)[0]]
    lines: list[list[Entry]] = [] if heading_width == 0 else [[]]
    rest = list(entries)
    while rest and len(lines) < most:
        is_last = len(lines) == most - 1
        line, rest = _fitting(rest, width) if is_last else _leading(rest, width)
        lines.append(line)
    return lines


def _leading(entries: Sequence[Entry], width: int) -> tuple[list[Entry], list[Entry]]:
    """Split off as many entries as fit into `width` cells, at least one."""
    used, count = entries[0].width, 1
    while count < len(entries) and used + 2 + entries[count].width <= width:
        used += 2 + entries[count].width
        count += 1
    return list(entries[:count]), list(entries[count:])


def _fitting(entries: Sequence[Entry], width: int) -> tuple[list[Entry], list[Entry]]:
    """Return what fits into `width` cells, ended by the number of those that do not."""
    for count in range(len(entries), -1, -1):
        more = [Entry("", f"+{len(entries) - count}", DEFAULT)] if count < len(entries) else []
        kept = [*entries[:count], *more]
        if sum(entry.width + 2 for entry in kept) - 2 <= width:
            return kept, []
    return [], []


def draw_header(
    painter: Painter, glyphs: Glyphs, heading: tuple[str, str], lines: Sequence[Sequence[Entry]]
) -> None:
    """Write title and notes at the left of the first row, and the legend."""
    if not lines:
        return
    title, notes = heading
    title = shortened(
        title, max(painter.width - len(notes) - 2 * bool(notes), painter.width // 2), glyphs.ellipsis
    )
    notes = shortened(notes, painter.width - len(title) - 2 * bool(title), glyphs.ellipsis)
    painter.text(0, 0, title, attributes=BOLD)
    painter.text(0, len(title) + 2 * bool(title), notes, attributes=DIM)
    for row, line in enumerate(lines):
        length = sum(entry.width + 2 for entry in line) - 2
        column = painter.width - length if row == 0 and (title or notes) else 0
        for entry in line:
            start = column + entry.width - len(entry.text)
            painter.text(row, column, entry.sample, colour=entry.colour)
            painter.text(row, start, shortened(entry.text, painter.width - start, glyphs.ellipsis))
            column += entry.width + 2


def heading_width(title: str, notes: str) -> int:
    """Return the cells that `draw_header` takes for title and notes."""
    return len(title) + len(notes) + (2 if title and notes else 0)


def draw_y_axis(painter: Painter, glyphs: Glyphs, area: Area, labels: Sequence[Label]) -> None:
    """Draw the axis left of the area with its labels; nothing where the area starts at the edge."""
    if area.left == 0:
        return
    axis = area.left - 1
    taken: set[int] = set()
    painter.glyphs[area.top : area.bottom, axis] = glyphs.vertical
    painter.attributes[area.top : area.bottom, axis] = DIM
    for label in labels:
        if label.at not in taken and len(label.text) <= axis:
            taken.add(label.at)
            painter.text(label.at, axis - len(label.text), label.text, attributes=DIM)
            painter.text(label.at, axis, glyphs.tick_left, attributes=DIM)


def draw_x_axis(
    painter: Painter,
    glyphs: Glyphs,
    area: Area,
    labels: Sequence[Label],
    *,
    name: str = "",
    cursor: Label | None = None,
    ends: Sequence[Label] = (),
) -> None:
    """Draw the axis below the area, as far as there are rows for it.

    Args:
        painter: What to draw on.
        glyphs: With which characters.
        area: The cells of the data.
        labels: Ticks, by their column.
        name: Name of the axis, written into its line between ticks.
        cursor: A place whose label stands before all others.
        ends: Labels without a tick, which stand before those of ticks.
    """
    rows_below = painter.height - area.bottom
    if rows_below == 0:
        return
    if rows_below > 1:
        painter.text(area.bottom, area.left, glyphs.horizontal * area.width, attributes=DIM)
        if area.left > 0:
            painter.text(area.bottom, area.left - 1, glyphs.corner, attributes=DIM)
        for label in labels:
            painter.text(area.bottom, label.at, glyphs.tick_down, attributes=DIM)
        stops = [label.at for label in labels]
        if cursor is not None:
            painter.text(area.bottom, cursor.at, glyphs.pointer, attributes=BOLD)
            stops.append(cursor.at)
        _draw_name(painter, area, sorted(stops), name)
    row = painter.height - 1
    free = [True] * painter.width
    if cursor is not None:
        _place(painter, row, cursor, free, BOLD)
    for label in (*ends, *labels):
        _place(painter, row, label, free, DIM)


def _place(painter: Painter, row: int, label: Label, free: list[bool], attributes: int) -> None:
    """Write a label centred below its column where it keeps a cell of distance from the others."""
    start = min(max(label.at - (len(label.text) - 1) // 2, 0), max(painter.width - len(label.text), 0))
    end = start + len(label.text)
    if end <= painter.width and all(free[max(start - 1, 0) : end + 1]):
        painter.text(row, start, label.text, attributes=attributes)
        free[start:end] = [False] * len(label.text)


def _draw_name(painter: Painter, area: Area, tick_columns: list[int], name: str) -> None:
    """Write the name into the rightmost stretch of the axis that is wide enough for it."""
    stops = [area.left - 1, *tick_columns, area.right]
    text = f" {name} "
    for start, end in zip(stops[-2::-1], stops[:0:-1], strict=True):
        if name and end - start - 1 >= len(text) + 2:
            painter.text(area.bottom, end - 1 - len(text), text, attributes=DIM)
            return


def name_below(names: Sequence[str], index: int, glyphs: Glyphs) -> str:
    """Return what stands below the axis at an item: its name, the item's number where items have none."""
    return shortened(plain(names[index], glyphs), LONGEST_NAME, glyphs.ellipsis) if names else str(index)


def draw_message(painter: Painter, glyphs: Glyphs, area: Area, message: str) -> None:
    """Write a text into the middle of the area, where there is nothing to draw; cut where that is too low for it."""
    rows = wrap(message, max(area.width, 1))
    if len(rows) > area.height:
        rows = [shortened(message, area.width, glyphs.ellipsis)]
    for row, text in enumerate(rows, area.top + (area.height - len(rows) + 1) // 2):
        painter.text(row, area.left + (area.width - len(text)) // 2, text, attributes=DIM)


def plain(text: str, glyphs: Glyphs) -> str:
    """Return a text of the caller as the glyph set can show it, a character a cell."""
    return single_cells(text, ascii_only=glyphs.ascii_only)

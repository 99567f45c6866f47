"""How does a table reach the terminal, and what can this terminal show?"""

import io
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from wbtui.report.table import Table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from wbtui.plotting.canvas import Canvas
    from wbtui.plotting.glyphs import GlyphSet
    from wbtui.report.plots import Look

_ENDLESS = 100_000
"""Columns of what is no terminal: nothing is dropped or wrapped in a file or a pipe."""
_GAP = 2
_NARROWEST = 24
"""Columns below which sentences are not wrapped."""


def make_console(*, stderr: bool = False) -> "Console":
    """A console that shows text literally: no markup, no emoji codes, no highlighting, NO_COLOR obeyed.

    Args:
        stderr: whether it writes to stderr.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _ENDLESS
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=width)


def write_utf8() -> None:
    """Let a file or a pipe be UTF-8 whatever the locale: what programs read of it is; a terminal shows ? instead."""
    if not sys.stdout.isatty() and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")


def show(*tables: "Table | str") -> None:
    """Print tables and paragraphs on stdout, an empty line between them."""
    console = make_console()
    if not console.is_terminal:
        blocks = ([item] if isinstance(item, str) else plain_lines(item) for item in tables)
        print("\n\n".join("\n".join(block) for block in blocks))
        return
    for number, item in enumerate(tables):
        if number:
            console.print()
        for part in [_text(item)] if isinstance(item, str) else renderables(item, console.width):
            console.print(part, soft_wrap=isinstance(item, str))


def plain_lines(table: Table) -> list[str]:
    """A table for a file or a pipe: every column whole; by hand, because rich takes 1 ms a row of 14 columns."""
    widths = natural_widths(table)
    lines = [table.title] if table.title else []
    rows = [[cell.text for cell in row] for row in table.rows]
    if _has_heading(table):
        rows.insert(0, [column.title for column in table.columns])
    for row in rows:
        parts = [text.split("\n") for text in row]
        for index in range(max(map(len, parts), default=0)):
            line = [part[index] if index < len(part) else "" for part in parts]
            lines.append(_aligned(line, table, widths))
    return lines + list(table.notes)


def _aligned(texts: list[str], table: Table, widths: list[int]) -> str:
    from rich.cells import cell_len

    padded = []
    for text, column, width in zip(texts, table.columns, widths, strict=True):
        room = " " * (width - cell_len(text))
        padded.append(room + text if column.right else text + room)
    return (" " * _GAP).join(padded).rstrip()


def say(message: str) -> None:
    """Print a remark on stderr."""
    make_console(stderr=True).print(_text(message, "dim"), soft_wrap=True)


def _text(text: str, style: str = "") -> "RenderableType":
    from rich.text import Text

    return Text(text, style=style)


def renderables(table: Table, width: int) -> list["RenderableType"]:
    """A table as rich shows it in `width` columns: columns that find no room are left out and named."""
    from rich.table import Table as RichTable
    from rich.text import Text

    table = fitting_table(table, width)
    rich = RichTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=_has_heading(table))
    for column, natural in zip(table.columns, natural_widths(table), strict=True):
        rich.add_column(
            Text(column.title, style="bold"),
            justify="right" if column.right else "left",
            no_wrap=not column.wrap,
            overflow="fold" if column.wrap else "ellipsis",
            min_width=0 if column.wrap else natural,
        )
    for row in table.rows:
        rich.add_row(*(Text(cell.text, style="bold" if cell.best else cell.style) for cell in row))
    parts: list[RenderableType] = [Text(table.title, style="bold")] if table.title else []
    parts.append(rich)
    return parts + [Text(note, style="dim") for note in table.notes]


def _has_heading(table: Table) -> bool:
    return any(column.title for column in table.columns)


def fitting_table(table: Table, width: int) -> Table:
    """The table with the columns that stay in `width` terminal columns, and a note that names the others."""
    kept = fitting_columns(table, width)
    left_out = [one.title for index, one in enumerate(table.columns) if index not in kept and one.title]
    return replace(
        table,
        columns=tuple(table.columns[index] for index in kept),
        rows=tuple(tuple(row[index] for index in kept) for row in table.rows),
        notes=(*table.notes, f"no room for: {', '.join(left_out)}") if left_out else table.notes,
    )


def fitting_columns(table: Table, width: int) -> list[int]:
    """Which columns stay in `width` terminal columns, by index; those with the largest `drop` go first."""
    needed = [
        min(natural, _NARROWEST) if column.wrap else natural
        for column, natural in zip(table.columns, natural_widths(table), strict=True)
    ]
    kept = list(range(len(table.columns)))
    while sum(needed[index] + _GAP for index in kept) - _GAP > width:
        droppable = [index for index in kept if table.columns[index].drop]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda index: (table.columns[index].drop, index)))
    return kept


def natural_widths(table: Table) -> list[int]:
    """Terminal columns that each column's widest line takes."""
    from rich.cells import cell_len

    return [
        max(
            [
                cell_len(column.title),
                *(cell_len(line) for row in table.rows for line in row[index].text.split("\n")),
            ]
        )
        for index, column in enumerate(table.columns)
    ]


def has_unicode() -> bool:
    """Whether stdout takes braille and Greek."""
    encoding = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "").replace("_", "")
    return encoding.startswith("utf")


def glyph_set() -> "GlyphSet":
    """The characters this terminal can be trusted with."""
    from wbtui.plotting.glyphs import GlyphSet

    if not has_unicode():
        return GlyphSet.ASCII
    return GlyphSet.BLOCK if os.environ.get("TERM") == "linux" else GlyphSet.BRAILLE


def picture(canvas: "Canvas") -> str:
    """A plot as text for stdout: with colour on a terminal that has it, else glyphs alone."""
    from wbtui.plotting.text import ColourDepth, to_ansi, to_text

    console = make_console()
    if not console.is_terminal or console.is_dumb_terminal:
        return to_text(canvas)
    depths = {"truecolor": ColourDepth.TRUE, "256": ColourDepth.INDEXED}
    system = "" if console.no_color else console.color_system or ""
    return to_ansi(canvas, colour=depths.get(system, ColourDepth.NONE))


def has_colour() -> bool:
    """Whether pictures on stdout have colours."""
    console = make_console()
    return bool(console.is_terminal and not console.no_color and console.color_system in ("truecolor", "256"))


def look(width: int = 0, height: int = 14) -> "Look":
    """Size and abilities of stdout for a plot; width 0 means that of the terminal, 100 where there is none."""
    from wbtui.report.plots import Look

    if not width:
        width = make_console().width if sys.stdout.isatty() else 100
    return Look(width, height, glyph_set(), has_colour())


def print_picture(canvas: "Canvas") -> None:
    """Print a plot on stdout."""
    print(picture(canvas))

"""Which rows of a picture must be painted again? Only those are turned into strips."""

from collections.abc import Sequence

import numpy as np
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from wbtui.plotting import Canvas
from wbtui.tui.ink import canvas_strips

LEAST_HEIGHT = 4
"""Rows below which the first one is not set apart as a title."""


class Painting:
    """The strips of one picture after the other, for a widget that shows them."""

    def __init__(self) -> None:
        self._canvas: Canvas | None = None
        self._styles: tuple[Style, Style] | None = None
        self._strips: list[Strip] = []

    def show(self, widget: Widget, canvas: Canvas, base: Style, title: Style) -> None:
        """Show another picture; the widget repaints the rows that differ.

        Args:
            widget: As wide and high as the picture.
            canvas: The picture.
            base: The widget's style.
            title: The style of the first row.
        """
        before, styles = self._canvas, self._styles
        self._canvas, self._styles = canvas, (base, title)
        first = title if canvas.height >= LEAST_HEIGHT else None
        if (
            before is None
            or styles is None
            or styles[0] != base
            or before.glyphs.shape != canvas.glyphs.shape
        ):
            self._strips = canvas_strips(canvas, base, first)
            widget.refresh()
            return
        rows = _changed_rows(canvas, before)
        if styles[1] != title and 0 not in rows:
            rows.insert(0, 0)
        if rows:
            for row, strip in zip(rows, canvas_strips(canvas, base, first, rows), strict=True):
                self._strips[row] = strip
            widget.refresh(*bands(rows, canvas.width))

    def line(self, widget: Widget, y: int) -> Strip:
        """One row, as a widget's `render_line` gives it."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(widget.size.width, widget.rich_style)


def bands(rows: Sequence[int], width: int) -> list[Region]:
    """Rows, ascending, as regions, neighbours together: Textual works on every region by itself."""
    found: list[Region] = []
    for row in rows:
        last = found[-1] if found else None
        if last is not None and row == last.bottom:
            found[-1] = Region(0, last.y, width, last.height + 1)
        else:
            found.append(Region(0, row, width, 1))
    return found


def _changed_rows(canvas: Canvas, before: Canvas) -> list[int]:
    same = (
        (canvas.glyphs == before.glyphs)
        & (canvas.foreground == before.foreground)
        & (canvas.background == before.background)
        & (canvas.attributes == before.attributes)
    )
    changed: list[int] = np.flatnonzero(~same.all(axis=1)).tolist()
    return changed

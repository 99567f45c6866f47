"""How is the table of a comparison shown: metrics down, settings across, one of them under the cursor?"""

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from wbtui.tui.compare_lines import Cell, cells_width, titles_apart
from wbtui.tui.ink import Part, ascii_parts, fitted, line_strip

_NAMES = 15  # cells of the metrics' names
_LEAST = 18
_MOST = 34


class ComparisonTable(Widget):
    """Columns that find no room are left out, never the baseline and the one under the cursor."""

    DEFAULT_CSS = """
    ComparisonTable { height: auto; width: 1fr; }
    """

    class Pointed(Message):
        """A column was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles: Sequence[tuple[str, str]] = ()
        self._colours: Sequence[str] = ()
        self._rows: Sequence[tuple[str, list[Cell]]] = ()
        self._baseline = self._current = 0
        self._scrolled = 0

    def show(
        self,
        titles: Sequence[tuple[str, str]],
        colours: Sequence[str],
        rows: Sequence[tuple[str, list[Cell]]],
        baseline: int,
        current: int,
    ) -> None:
        """Show other columns.

        Args:
            titles: Two lines a column.
            colours: Of each column's curves, as rich writes them.
            rows: Name and cells of each metric.
            baseline: Index of the baseline.
            current: Index of the column under the cursor.
        """
        if self.app.has_class("-ascii"):  # ± is wider there, and so are the columns
            rows = [(name, [ascii_parts(cell) for cell in cells]) for name, cells in rows]
        taller = len(rows) != len(self._rows)
        self._titles, self._colours, self._rows = titles, colours, rows
        self._baseline, self._current = baseline, current
        self.refresh(layout=taller)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Two lines of titles and a line a metric."""
        return len(self._rows) + 2

    def scroll_by(self, rows: int) -> bool:
        """Scroll the metrics where they do not all fit; whether there was anything to scroll."""
        before = self._top
        self._scrolled = max(before + rows, 0)
        self.refresh()
        return self._top != before

    @property
    def _top(self) -> int:
        """Metrics above the first in sight; none where all find room, on a screen that was enlarged too."""
        return min(self._scrolled, max(len(self._rows) + 2 - self.size.height, 0))

    def _width(self) -> int:
        """Cells of a column."""
        wanted = max(
            (cells_width(cell) for _, cells in self._rows for cell in cells),
            default=_LEAST,
        )
        title = max((len(line) for pair in self._titles for line in pair), default=_LEAST)
        return min(max(wanted, min(title, _LEAST), _LEAST), _MOST) + 2

    def columns(self) -> list[int]:
        """The columns that are in sight."""
        count = len(self._titles)
        fit = max((self.size.width - _NAMES - 2) // self._width(), 1)
        if fit >= count:
            return list(range(count))
        must = list(dict.fromkeys([self._current, self._baseline]))[:fit]
        near = sorted(range(count), key=lambda index: abs(index - self._current))
        return sorted(list(dict.fromkeys([*must, *near]))[:fit])

    def _lines(self, y: int) -> list[Part]:
        shown, width = self.columns(), self._width()
        hidden = len(self._titles) - len(shown)
        if y < 2:
            more = fitted(f"+{hidden} more" if hidden and y == 1 else "", _NAMES)
            parts: list[Part] = [(more, "dim")]
            titles = titles_apart([self._titles[index][y] for index in shown], width - 1)
            for index, title in zip(shown, titles, strict=True):
                style = "reverse " if index == self._current else ""
                style += f"bold {self._colours[index]}" if y == 0 else ""
                parts += [(title, style.strip()), (" ", "")]
            return parts
        place = y - 2 + self._top
        if place >= len(self._rows):
            return []
        name, cells = self._rows[place]
        parts = [(fitted(name, _NAMES), "")]
        for index in shown:
            left = width
            for text, style in cells[index]:
                text = fitted(text, left).rstrip() if len(text) > left else text
                parts.append((text, style))
                left -= len(text)
            parts.append((" " * max(left, 0), ""))
        return parts

    def render_line(self, y: int) -> Strip:
        """A row."""
        return line_strip(
            self._lines(y), self.size.width, self.rich_style, ascii_only=self.app.has_class("-ascii")
        )

    @property
    def text(self) -> str:
        """What it says, without styles."""
        return "\n".join(
            "".join(text for text, _ in self._lines(y)).rstrip() for y in range(max(self.size.height, 1))
        )

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll the metrics."""
        self._wheel(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll the metrics."""
        self._wheel(event, 1)

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        self.scroll_by(by)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a column."""
        place = (event.x - _NAMES) // self._width()
        shown = self.columns()
        if event.x >= _NAMES and place < len(shown):
            event.stop()
            self.post_message(self.Pointed(shown[place]))

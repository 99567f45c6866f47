"""How is the table of runs shown: a thousand lines, of which only those on the screen are ever drawn?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import is_not
from typing import ClassVar

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from wbtui.tui.columns import COLUMNS, STATE_COLOURS, Context, TableColumn, alike, fitting, longest_names
from wbtui.tui.ink import Part, fitted, line_strip
from wbtui.tui.lines import TableLine
from wbtui.tui.widgets.painting import bands

_MARKS = 4  # cells before the first column: shown, baseline, star, space


@dataclass(frozen=True)
class Marks:
    """What is special about some runs; ids throughout."""

    colours: Mapping[str, str]
    """Run id → the rich colour of its curves, of shown runs."""
    pinned: frozenset[str] = frozenset()
    selected: frozenset[str] = frozenset()
    baseline: str = ""


class RunTable(ScrollView, can_focus=True, inherit_bindings=False):
    """The table of runs. The line under its cursor is remembered by run id, and stays it when runs arrive."""

    DEFAULT_CSS = """
    RunTable { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; overflow-x: hidden; }
    RunTable > .run-table--header { color: $text-muted; text-style: bold; }
    RunTable > .run-table--cursor { background: $primary 35%; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"run-table--cursor", "run-table--header"}

    class Moved(Message):
        """The cursor stands on another line."""

    class Opened(Message):
        """A line was clicked twice."""

    class TitleClicked(Message):
        """The title of a column was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[TableLine] = ()
        self._places: dict[str, int] = {}
        self._facts = Context({}, {}, 0.0)
        self._marks = Marks({})
        self._columns: list[tuple[TableColumn, int]] = []
        self._wanted: Sequence[TableColumn] = COLUMNS
        self._grouped = False
        self._alike: frozenset[str] = frozenset()
        self._longest: dict[str, int] = {}
        self._key = ""
        self._goal = ""
        self._place = 0
        self._drawn: list[tuple[Part, ...]] = []
        self._kept: dict[str, tuple[object, tuple[Part, ...]]] = {}
        self.message = ""

    # ------------------------------------------------------------------ what it shows

    @property
    def lines(self) -> Sequence[TableLine]:
        """The lines, in their order."""
        return self._lines

    @property
    def current(self) -> TableLine | None:
        """The line under the cursor; None in an empty table."""
        return self._lines[self._place] if self._lines else None

    def show(
        self,
        lines: Sequence[TableLine],
        context: Context,
        marks: Marks,
        *,
        grouped: bool,
        columns: Sequence[TableColumn] = COLUMNS,
    ) -> None:
        """Show other lines; the cursor stays on its run, or, where that is gone, at its place.

        Who has turned the wheel away from the cursor is left where that led: else runs at work, whose lines change all
        the time, would take the table back at once.
        """
        before, before_lines, follows = self._key, self._lines, self._cursor_in_sight
        self._lines, self._facts, self._marks = lines, context, marks
        if lines is not before_lines and not _same_places(before_lines, lines):
            self._places = {member.id: place for place, line in enumerate(lines) for member in line.members}
        same, longest = self._alike, self._longest
        if lines is not before_lines:
            same, longest = alike(lines), longest_names(lines, context.short, context.apart)
        facts = (grouped, columns, same, longest)
        if facts != (self._grouped, self._wanted, self._alike, self._longest):
            self._grouped, self._wanted, self._alike, self._longest = facts
            self._choose_columns(self.size.width)
        if self._goal in self._places:
            self._key, self._goal, follows = self._goal, "", True
        self._place = min(self._places.get(self._key, self._place), max(len(lines) - 1, 0))
        current = self.current
        if current is not None and self._key not in (member.id for member in current.members):
            self._key = current.key
        height = len(lines) + 1
        if self.virtual_size.height != height:
            self.virtual_size = Size(self.size.width, height)
        if follows:
            self._scroll_to_cursor()
        self._repaint()
        if self._key != before:
            self.post_message(self.Moved())

    def move_to(self, place: int) -> None:
        """Put the cursor on a line; places beyond the ends mean the ends."""
        place = min(max(place, 0), max(len(self._lines) - 1, 0))
        if self._lines and place != self._place:
            self._place, self._key = place, self._lines[place].key
            self._scroll_to_cursor()
            self._repaint()
            self.post_message(self.Moved())

    def move_by(self, lines: int) -> None:
        """Move the cursor."""
        self.move_to(self._place + lines)

    def move_to_run(self, run_id: str) -> None:
        """Put the cursor on a run, as soon as it is there."""
        if run_id in self._places:
            self.move_to(self._places[run_id])
        else:
            self._goal = run_id

    @property
    def page(self) -> int:
        """Lines of a page."""
        return max(self.size.height - 2, 1)

    @property
    def _cursor_in_sight(self) -> bool:
        return 0 <= self._place - self.scroll_offset.y < max(self.size.height - 1, 1)

    def _scroll_to_cursor(self) -> None:
        room = self.size.height - 1
        if room < 1:
            return
        top = self.scroll_offset.y
        if self._place < top:
            self.scroll_to(y=self._place, animate=False, immediate=True)
        elif self._place >= top + room:
            self.scroll_to(y=self._place - room + 1, animate=False, immediate=True)

    # ------------------------------------------------------------------ painting

    def on_resize(self, event: events.Resize) -> None:
        """Choose the columns that fit."""
        self._choose_columns(event.size.width)
        self.virtual_size = Size(event.size.width, len(self._lines) + 1)
        self._drawn = []
        self._scroll_to_cursor()

    def _choose_columns(self, width: int) -> None:
        self._columns = fitting(
            width - _MARKS,
            grouped=self._grouped,
            glyphs=self._facts.glyphs,
            wanted=self._wanted,
            same=self._alike,
            longest=self._longest,
        )

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other lines come into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._drawn = []

    def _repaint(self) -> None:
        """Repaint the lines that say something else."""
        drawn = [self._parts(y) for y in range(self.size.height)]
        if len(drawn) != len(self._drawn):
            self._drawn = drawn
            self.refresh()
            return
        changed = [y for y, (new, old) in enumerate(zip(drawn, self._drawn, strict=True)) if new != old]
        self._drawn = drawn
        if changed:
            self.refresh(*bands(changed, self.size.width))

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        if len(self._drawn) != self.size.height:
            self._drawn = [self._parts(row) for row in range(self.size.height)]
        base = self.rich_style
        place = y - 1 + self.scroll_offset.y
        if y == 0:
            base = self.get_component_rich_style("run-table--header")
        elif place == self._place and self._lines:
            base = self.get_component_rich_style("run-table--cursor")
        parts = self._drawn[y] if y < len(self._drawn) else ()
        return line_strip(parts, self.size.width, base, ascii_only=self.app.has_class("-ascii"))

    def _parts(self, y: int) -> tuple[Part, ...]:
        if y == 0:
            return self._header()
        place = y - 1 + self.scroll_offset.y
        if place >= len(self._lines):
            return ((f"  {self.message}", "dim"),) if place == 0 and self.message else ()
        line = self._lines[place]
        parts = (*self._mark_parts(line), *self._cells_of(line))
        # The cursor's line differs from all others, also from one that says the same.
        return (*parts, ("", "")) if place == self._place else parts

    def _header(self) -> tuple[Part, ...]:
        ellipsis = "…"
        cells = [
            (fitted(column.title, width, right=column.right, ellipsis=ellipsis) + " ", "")
            for column, width in self._columns
        ]
        return ((" " * _MARKS, ""), *cells)

    def _mark_parts(self, line: TableLine) -> list[Part]:
        ids = [row.id for row in line.members]
        colour = next((self._marks.colours[name] for name in ids if name in self._marks.colours), "")
        if any(name in self._marks.pinned for name in ids):
            shown = "◉"
        elif any(name in self._marks.selected for name in ids):
            shown = "●"
        else:
            shown = "▸" if colour else " "
        starred = any(row.star for row in line.members)
        return [
            (shown, colour),
            ("◆" if self._marks.baseline in ids else " ", "bold"),
            ("★" if starred else " ", "#f0e442" if starred else ""),
            (" ", ""),
        ]

    def _cells_of(self, line: TableLine) -> tuple[Part, ...]:
        """The cells of a line; those of runs at work have the time in them, the others are kept."""
        if line.lives:
            return self._cells(line)
        colour = tuple(self._marks.colours.get(row.id) for row in line.members)
        known = self._kept.get(line.key)
        told = self._facts.short.get(line.key), self._facts.apart.get(line.key)
        made_of = (line.members, self._columns, colour, told)
        if known is None or known[0] != made_of:
            if len(self._kept) > 500:
                self._kept.clear()
            known = self._kept[line.key] = (made_of, self._cells(line))
        return known[1]

    def _cells(self, line: TableLine) -> tuple[Part, ...]:
        parts: list[Part] = []
        for column, width in self._columns:
            style = ""
            if column.key == "state":
                style = STATE_COLOURS.get(line.state, "")
            elif column.key == "trend":
                style = next(
                    (self._marks.colours[r.id] for r in line.members if r.id in self._marks.colours), "dim"
                )
            text = fitted(column.text(line, self._facts), width, right=column.right)
            parts.append((text + " ", style))
        return tuple(parts)

    # ------------------------------------------------------------------ mouse

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; twice: open. A title is told."""
        place = event.y - 1 + self.scroll_offset.y
        column = self._column_at(event.x) if event.y == 0 else None
        if column is not None:
            self.post_message(self.TitleClicked(column.key))
        elif event.y >= 1 and place < len(self._lines):
            self.move_to(place)
            if event.chain == 2:
                self.post_message(self.Opened())

    def _column_at(self, x: int) -> TableColumn | None:
        """The column under a cell of the widget; None left of the first."""
        left = _MARKS
        for column, width in self._columns:
            if left <= x <= left + width:
                return column
            left += width + 1
        return None

    @property
    def text(self) -> str:
        """What stands on the screen, without styles."""
        return "\n".join(
            "".join(text for text, _ in self._parts(y)).rstrip() for y in range(self.size.height)
        )


def _same_places(before: Sequence[TableLine], after: Sequence[TableLine]) -> bool:
    """Whether all runs stand where they stood; nearly all lines are the same objects, so this is fast."""
    if len(before) != len(after):
        return False
    differ = list(map(is_not, before, after))
    pairs = zip(compress(before, differ), compress(after, differ), strict=True)
    return all([row.id for row in old.members] == [row.id for row in new.members] for old, new in pairs)

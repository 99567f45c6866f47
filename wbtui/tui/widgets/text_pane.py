"""How is a long text shown: scrolled, wrapped, searched, and followed while it grows?"""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, chop_cells
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from wbtui.tui.ink import Part, line_strip

Line = tuple[Part, ...]
_WIDTH_TO_INDENT = 20  # cells from which the rows of a wrapped line are indented


class TextPane(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of text; long ones are wrapped. At its end it follows what is added."""

    DEFAULT_CSS = """
    TextPane { height: 1fr; overflow-x: hidden; overflow-y: scroll; }
    TextPane { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; }
    TextPane > .text-pane--match { background: $warning 40%; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"text-pane--match"}

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source: Sequence[Line] = ()
        self._rows: list[Line] = []
        self._found: list[int] = []
        self._wanted = ""
        self.follows = False

    def show(self, lines: Sequence[Line], *, follow: bool = False) -> None:
        """Show other lines.

        Args:
            lines: What to show.
            follow: Whether to go to the end, unless somebody has scrolled away from it.
        """
        if lines == self._source and self._rows:
            return
        at_end = self.scroll_offset.y >= self.max_scroll_y - 1
        self._source = lines
        self._wrap()
        if follow and (at_end or self.follows):
            self.scroll_end(animate=False, immediate=True)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew."""
        self._wrap()
        if self.follows:
            self.scroll_end(animate=False, immediate=True)

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width
        self._rows = [row for line in self._source for row in wrapped(line, width)]
        self.virtual_size = Size(width, len(self._rows))
        self._find()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow no longer where the wheel, or a key, leads away from the end."""
        super().watch_scroll_y(old_value, new_value)
        self.follows = self.follows and new_value >= self.max_scroll_y - 1

    def render_line(self, y: int) -> Strip:
        """One row."""
        place = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if place >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        hit = self._wanted and place in self._found
        base = self.get_component_rich_style("text-pane--match") if hit else self.rich_style
        return line_strip(self._rows[place], width, base, ascii_only=self.app.has_class("-ascii"))

    @property
    def text(self) -> str:
        """What it says, without styles."""
        return "\n".join("".join(text for text, _ in line) for line in self._source)

    # ------------------------------------------------------------------ search and movement

    def search(self, wanted: str) -> int:
        """Mark the rows with this text, whatever its case, and go to the first below; how many there are."""
        self._wanted = wanted.lower()
        self._find()
        self.refresh()
        self.step(1, here=True)
        return len(self._found)

    def _find(self) -> None:
        self._found = [
            place
            for place, row in enumerate(self._rows)
            if self._wanted and self._wanted in "".join(text for text, _ in row).lower()
        ]

    def step(self, by: int, *, here: bool = False) -> None:
        """Go to the next match or the one before, round and round."""
        if not self._found:
            return
        top = self.scroll_offset.y
        if by > 0:
            later = [place for place in self._found if place >= top + (0 if here else 1)]
            goal = later[0] if later else self._found[0]
        else:
            earlier = [place for place in self._found if place < top]
            goal = earlier[-1] if earlier else self._found[-1]
        self.move_to(goal)

    def move_to(self, row: int) -> None:
        """Scroll so that a row stands at the top."""
        self.follows = False
        self.scroll_to(y=row, animate=False, immediate=True)

    def move_by(self, rows: int) -> None:
        """Scroll by rows."""
        self.move_to(min(max(self.scroll_offset.y + rows, 0), self.max_scroll_y))

    def to_end(self) -> None:
        """Go to the end, and stay there."""
        self.follows = True
        self.scroll_end(animate=False, immediate=True)


def wrapped(line: Line, width: int) -> list[Line]:
    """A line cut into rows of at most so many cells; at least one, the others indented under its last part."""
    if width < 1 or sum(cell_len(text) for text, _ in line) <= width:
        return [line]
    indent = _indent(line, width)
    rows: list[Line] = []
    row: list[Part] = []
    left = width
    for text, style in line:
        while cell_len(text) > left:
            head = chop_cells(text, left)[0] if left > 0 else ""
            if cell_len(head) > left:  # a wide character at the edge
                head = ""
            if not head and left >= width - indent:  # it takes more than a row
                head = text[:1]
            head = head[: head.rfind(" ") + 1] if head.rfind(" ") > len(head) // 2 else head  # between words
            rows.append((*row, (head, style)))
            text, row, left = text[len(head) :], [(" " * indent, "")], width - indent
        row.append((text, style))
        left -= cell_len(text)
    rows.append(tuple(row))
    return rows


def _indent(line: Line, width: int) -> int:
    """Where the last part's text begins, which is a value behind its name or a whole line; 0 where that is far in."""
    last = line[-1][0]
    before = sum(cell_len(text) for text, _ in line[:-1]) + len(last) - len(last.lstrip(" "))
    return before if before <= width // 2 and width >= _WIDTH_TO_INDENT else 0

"""How is a single line of text shown, and repainted only when it says something else?"""

from collections.abc import Sequence
from itertools import accumulate

from rich.cells import cell_len
from textual.strip import Strip
from textual.widget import Widget

from wbtui.tui.ink import Part, ascii_parts, line_strip, parts_width


class OneLine(Widget):
    """One line: parts at the left, parts at the right where there is room for both."""

    DEFAULT_CSS = """
    OneLine { height: 1; width: 1fr; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._left: tuple[Part, ...] = ()
        self._right: tuple[Part, ...] = ()
        self._right_first = False

    @property
    def text(self) -> str:
        """What it says, without styles."""
        return "".join(text for text, _ in (*self._left, *self._right))

    def show(self, left: Sequence[Part], right: Sequence[Part] = (), *, right_first: bool = False) -> None:
        """Say something else.

        Args:
            left: At the left.
            right: At the right, where there is room for both.
            right_first: Where there is not, whether the left is cut instead of the right left out.
        """
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right, self._right_first = tuple(left), tuple(right), right_first
            self.refresh()

    def part_at(self, column: int) -> int | None:
        """Number of the left part that stands in a column, from 0; None where none does."""
        parts = ascii_parts(self._left) if self.app.has_class("-ascii") else self._left
        ends = accumulate(cell_len(text) for text, _ in parts)
        return next((number for number, end in enumerate(ends) if column < end), None)

    def render_line(self, y: int) -> Strip:
        """The line."""
        width, base, ascii_only = self.size.width, self.rich_style, self.app.has_class("-ascii")
        at_left, at_right = self._left, self._right
        if ascii_only:  # before it is measured: some of it is wider
            at_left, at_right = ascii_parts(at_left), ascii_parts(at_right)
        right = parts_width(at_right)
        gap = width - parts_width(at_left) - right
        if gap >= 0:
            parts = (*at_left, (" " * gap, ""), *at_right)
            return line_strip(parts, width, base, ascii_only=ascii_only)
        if not self._right_first or right > width // 2:
            return line_strip(at_left, width, base, ascii_only=ascii_only)
        left = line_strip(at_left, width - right, base, ascii_only=ascii_only)
        return Strip.join([left, line_strip(at_right, right, base, ascii_only=ascii_only)])

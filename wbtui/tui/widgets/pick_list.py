"""How is one of a few lines chosen, by key or click: methods beside each other, settings below each other?"""

from collections.abc import Sequence

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from wbtui.tui.ink import Part, line_strip, parts_width
from wbtui.tui.theme import ACCENT
from wbtui.tui.widgets.one_line import OneLine


class Picked(Message):
    """One of the choices was clicked."""

    def __init__(self, control: Widget, index: int) -> None:
        super().__init__()
        self.picker, self.index = control, index

    @property
    def control(self) -> Widget:
        """The widget."""
        return self.picker


class Tabs(OneLine):
    """Titles, each behind a gap; a click on either tells which."""

    def on_click(self, event: events.Click) -> None:
        """Tell which."""
        place = self.part_at(event.x)
        if place is not None:
            event.stop()
            self.post_message(Picked(self, place // 2))


class ChoiceBar(OneLine):
    """A line of words, one of them chosen."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._ends: list[int] = []

    def choose(self, head: str, words: Sequence[str], chosen: int) -> None:
        """Show these words; each with the number of its key where there is room."""
        wide = len(head) + sum(len(word) + 5 for word in words) <= self.size.width
        parts: list[Part] = [(head, "bold")]
        self._ends = []
        for index, word in enumerate(words):
            number = f"{index + 1} " if wide and index < 9 else ""
            parts.append((f" {number}{word} ", "reverse bold" if index == chosen else ""))
            self._ends.append(parts_width(parts))
            parts.append((" ", "")) if wide else None
        self.show(parts)

    def on_click(self, event: events.Click) -> None:
        """Choose the word."""
        index = next((index for index, end in enumerate(self._ends) if event.x < end), None)
        if index is not None:
            event.stop()
            self.post_message(Picked(self, index))


class PickList(Widget):
    """Lines under a heading, one of them current; it stays in sight where they do not all fit."""

    DEFAULT_CSS = """
    PickList { height: auto; width: 1fr; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._heading: tuple[Part, ...] = ()
        self._lines: tuple[tuple[Part, ...], ...] = ()
        self._current = 0

    def show(self, heading: Sequence[Part], lines: Sequence[Sequence[Part]], current: int) -> None:
        """Show other lines."""
        before, offset = (self._heading, *self._lines), (self._current, len(self._lines))
        self._heading, self._lines = tuple(heading), tuple(map(tuple, lines))
        self._current = current
        now = (self._heading, *self._lines)
        if offset != (current, len(lines)):
            self.refresh(layout=offset[1] != len(lines))
            return
        top = self._top
        changed = [0] * (before[0] != now[0]) + [
            place - top for place in range(1, len(now)) if now[place] != before[place] and place > top
        ]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many rows as there are lines, and the heading."""
        return len(self._lines) + 1

    @property
    def _top(self) -> int:
        """Lines above the first that is in sight."""
        room = max(self.size.height - 1, 1)
        return max(0, min(self._current - room // 2, len(self._lines) - room))

    @property
    def text(self) -> str:
        """What it says, without styles."""
        return "\n".join("".join(text for text, _ in line) for line in (self._heading, *self._lines))

    def render_line(self, y: int) -> Strip:
        """The heading or a line."""
        place = y - 1 + self._top
        base = self.rich_style
        parts: Sequence[Part] = ()
        if y == 0:
            parts = self._heading
        elif place < len(self._lines):
            mark = "▸" if place == self._current else " "
            parts = ((mark, f"bold {ACCENT}"), *self._lines[place])
            if place == self._current:
                parts = [(text, f"bold {style}".strip()) for text, style in parts]
        if y == 0:
            parts = ((" ", ""), *parts)
        return line_strip(parts, self.size.width, base, ascii_only=self.app.has_class("-ascii"))

    def on_click(self, event: events.Click) -> None:
        """Choose the line."""
        place = event.y - 1 + self._top
        if event.y >= 1 and place < len(self._lines):
            event.stop()
            self.post_message(Picked(self, place))

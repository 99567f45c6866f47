"""How is a strength set: a line with a knob, for mouse and eyes; keys belong to the screen."""

from collections.abc import Mapping

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from wbtui.tui.ink import Part, fitted, line_strip
from wbtui.tui.theme import ACCENT

_NAME = 13  # cells for symbol and value
_LEAST_TRACK = 12
_SAID = (
    28  # cells kept for what is said at the right, whatever it is: the knob must not jump when that changes
)


class StrengthSlider(Widget):
    """A slider from 0 to `highest`. Click or drag the knob, or turn the wheel over it."""

    DEFAULT_CSS = """
    StrengthSlider { height: 1; width: 1fr; }
    """

    class Moved(Message):
        """The knob was put somewhere."""

        def __init__(self, slider: "StrengthSlider", value: float) -> None:
            super().__init__()
            self.slider, self.value = slider, value

        @property
        def control(self) -> "StrengthSlider":
            """The slider."""
            return self.slider

        def can_replace(self, message: Message) -> bool:
            """Whether a move that waits is outdated by this one."""
            return isinstance(message, StrengthSlider.Moved) and message.slider is self.slider

    class Wheeled(Message):
        """The wheel was turned over it."""

        def __init__(self, slider: "StrengthSlider", up: bool) -> None:
            super().__init__()
            self.slider, self.up = slider, up

        @property
        def control(self) -> "StrengthSlider":
            """The slider."""
            return self.slider

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._name, self._value, self._highest = "", 0.0, 0.0
        self._marks: Mapping[str, float] = {}
        self._told: tuple[Part, ...] = ()
        self._dragged = False

    def show(
        self, name: str, value: float, highest: float, marks: Mapping[str, float], told: tuple[Part, ...]
    ) -> None:
        """Show another value.

        Args:
            name: The strength's symbol.
            value: Where the knob stands.
            highest: The end of the track; 0: nothing can be set, and there is none.
            marks: Letter → strength, on the track.
            told: What is said at the right.
        """
        state = (name, value, highest, dict(marks), told)
        if state != (self._name, self._value, self._highest, self._marks, self._told):
            self._name, self._value, self._highest, self._marks, self._told = state
            self.refresh()

    @property
    def value(self) -> float:
        """Where the knob stands."""
        return self._value

    @property
    def text(self) -> str:
        """What it says, without styles."""
        return "".join(text for text, _ in self._parts())

    def _track(self) -> tuple[int, int]:
        """First column and length of the track."""
        room = self.size.width - _NAME - 4
        return _NAME + 2, max(room - min(_SAID, room // 2), _LEAST_TRACK)

    def _column(self, value: float) -> int:
        """Column of a value within the track."""
        return round(min(max(value / self._highest, 0.0), 1.0) * (self._track()[1] - 1))

    def _parts(self) -> list[Part]:
        if not self._highest:
            return list(self._told)
        length = self._track()[1]
        cells: list[Part] = [("─", "dim")] * length
        for letter, place in self._marks.items():
            cells[self._column(place)] = (letter, "bold #f0e442")
        knob = self._column(self._value)
        cells[:knob] = [(text, ACCENT if style == "dim" else style) for text, style in cells[:knob]]
        cells[knob] = ("●", f"bold {ACCENT}")
        name = fitted(f" {self._name} {self._value:.3g}", _NAME)
        return [(name, "bold"), ("0 ", "dim"), *cells, (f" {self._highest:g}", "dim"), *self._told]

    def render_line(self, y: int) -> Strip:
        """The line."""
        return line_strip(
            self._parts(), self.size.width, self.rich_style, ascii_only=self.app.has_class("-ascii")
        )

    # ------------------------------------------------------------------ mouse

    def _put(self, column: int) -> None:
        if self._highest:
            first, length = self._track()
            fraction = min(max((column - first) / (length - 1), 0.0), 1.0)
            self.post_message(self.Moved(self, fraction * self._highest))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take the knob."""
        event.stop()
        self._dragged = True
        self.capture_mouse()
        self._put(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag it."""
        if self._dragged:
            event.stop()
            self._put(event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go."""
        self.release_mouse()

    def on_mouse_release(self, event: events.MouseRelease) -> None:
        """Be let go of, also where a screen that came above took the mouse away."""
        self._dragged = False

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A step up."""
        event.stop()
        self.post_message(self.Wheeled(self, up=True))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A step down."""
        event.stop()
        self.post_message(self.Wheeled(self, up=False))

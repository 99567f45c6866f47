"""How is a picture painted that a function draws for a size, again only when something in it is another?"""

from collections.abc import Callable
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from wbtui.plotting import Canvas
from wbtui.tui.widgets.painting import Painting


class CanvasPane(Widget):
    """One picture. Its first row carries the title; a click is told."""

    DEFAULT_CSS = """
    CanvasPane { height: 1fr; width: 1fr; }
    CanvasPane > .canvas-pane--title { background: $panel; }
    CanvasPane > .canvas-pane--active { background: $primary 45%; text-style: bold; }
    CanvasPane:nocolor > .canvas-pane--active { text-style: bold underline; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"canvas-pane--title", "canvas-pane--active"}

    class Pointed(Message):
        """A place was clicked."""

        def __init__(self, pane: "CanvasPane", column: int, row: int) -> None:
            super().__init__()
            self.pane, self.column, self.row = pane, column, row

        @property
        def control(self) -> "CanvasPane":
            """The pane."""
            return self.pane

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw: Callable[[int, int], Canvas] | None = None
        self._key: tuple[object, int, int] = (None, 0, 0)
        self._painting = Painting()
        self._styles: dict[bool, tuple[Style, Style]] = {}
        self._canvas: Canvas | None = None
        self.active = False

    def show(self, key: object, draw: Callable[[int, int], Canvas]) -> None:
        """Show another picture.

        Args:
            key: Equal as long as the picture is the same.
            draw: Width and height in cells → the picture.
        """
        self._draw = draw
        self._update(key)

    def mark_active(self, active: bool) -> None:
        """Whether keys act on this picture."""
        if active != self.active:
            self.active = active
            self._repaint()

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._update(self._key[0])

    def on_show(self, event: events.Show) -> None:
        """Draw what was not worth drawing out of sight."""
        self._update(self._key[0])

    def notify_style_update(self) -> None:
        """Paint in the new theme, as soon as that of the title has come too."""
        super().notify_style_update()
        self._styles.clear()
        if self.is_mounted:
            self.call_next(self._repaint)

    def _update(self, key: object) -> None:
        width, height = self.size
        if self._draw is None or width < 1 or height < 1 or not self.display:
            self._key = (key, 0, 0)
            return
        if (key, width, height) != self._key:
            self._key = (key, width, height)
            self._canvas = self._draw(width, height)
            self._repaint()

    def _repaint(self) -> None:
        if self._canvas is not None:
            self._painting.show(self, self._canvas, *self._styles_now())

    def _styles_now(self) -> tuple[Style, Style]:
        """Its own style and its title's, kept: Textual works them out anew whenever it is asked."""
        if self.active not in self._styles:
            title = self.get_component_rich_style(f"canvas-pane--{'active' if self.active else 'title'}")
            self._styles[self.active] = (self.rich_style, title)
        return self._styles[self.active]

    def render_line(self, y: int) -> Strip:
        """One row of the picture."""
        return self._painting.line(self, y)

    @property
    def text(self) -> str:
        """The picture without styles."""
        return "\n".join(self._canvas.lines()) if self._canvas is not None else ""

    def on_click(self, event: events.Click) -> None:
        """Tell where."""
        event.stop()
        self.post_message(self.Pointed(self, event.x, event.y))

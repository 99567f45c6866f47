"""How is one panel painted: a picture of wbtui.plotting, redrawn only when something in it is another?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from wbtui.tui.panels import PanelSpec
from wbtui.tui.plots import Picture, PlotState, Shown, draw
from wbtui.tui.widgets.painting import Painting


class Panel(Widget):
    """One panel. Its first row carries the title; a click puts the cursor there, the wheel zooms."""

    DEFAULT_CSS = """
    Panel { height: 1fr; width: 1fr; }
    Panel > .panel--title { background: $panel; }
    Panel > .panel--active { background: $primary 45%; text-style: bold; }
    Panel:nocolor > .panel--active { text-style: bold underline; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"panel--title", "panel--active"}

    class Pointed(Message):
        """A place on the x axis was clicked."""

        def __init__(self, panel: "Panel", x: float | None) -> None:
            super().__init__()
            self.panel, self.x = panel, x

    class Wheeled(Message):
        """The wheel was turned over a place on the x axis."""

        def __init__(self, x: float, inward: bool) -> None:
            super().__init__()
            self.x, self.inward = x, inward

    def __init__(self) -> None:
        super().__init__()
        self.spec: PanelSpec | None = None
        self.number = 0
        self._shown: Sequence[Shown] = ()
        self._state = PlotState()
        self._active = False
        self._picture: Picture | None = None
        self._painting = Painting()
        self._styles: dict[bool, tuple[Style, Style]] = {}
        self._signature: object = None

    def show(
        self, spec: PanelSpec, number: int, shown: Sequence[Shown], state: PlotState, *, active: bool
    ) -> None:
        """Show something else; nothing is painted where it looks the same."""
        self.spec, self.number = spec, number
        self._shown, self._state, self._active = shown, state, active
        self._update()

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._update()

    def notify_style_update(self) -> None:
        """Draw in the new theme, as soon as that of the title has come too."""
        super().notify_style_update()
        self.call_next(self._restyle)

    def _restyle(self) -> None:
        self._signature = None
        self._styles.clear()
        self._update()

    def _update(self) -> None:
        width, height = self.size
        if self.spec is None or width < 1 or height < 1:
            return
        shown = tuple((one.id, one.label, one.style, one.version) for one in self._shown)
        signature = (self.spec, self.number, shown, self._state, self._active, width, height)
        if signature == self._signature:
            return
        self._signature = signature
        title = f"{self.number} {self.spec.title}" if self.number else self.spec.title
        self._picture = draw(replace(self.spec, title=title), self._shown, self._state, width, height)
        self._painting.show(self, self._picture.canvas, *self._styles_now())

    def _styles_now(self) -> tuple[Style, Style]:
        """Its own style and its title's, kept: Textual works them out anew whenever it is asked."""
        if self._active not in self._styles:
            title = self.get_component_rich_style("panel--active" if self._active else "panel--title")
            self._styles[self._active] = (self.rich_style, title)
        return self._styles[self._active]

    def render_line(self, y: int) -> Strip:
        """One row of the picture."""
        return self._painting.line(self, y)

    @property
    def text(self) -> str:
        """The picture without styles."""
        return "\n".join(self._picture.canvas.lines()) if self._picture else ""

    # ------------------------------------------------------------------ mouse

    def _x_at(self, column: int) -> float | None:
        plane = self._picture.plane if self._picture else None
        if plane is None or not plane.area.left <= column < plane.area.right:
            return None
        return plane.x_at(column)

    def on_click(self, event: events.Click) -> None:
        """Make this the active panel and point at a place."""
        event.stop()
        self.post_message(self.Pointed(self, self._x_at(event.x)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in."""
        self._wheel(event, inward=True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out."""
        self._wheel(event, inward=False)

    def _wheel(self, event: events.MouseEvent, *, inward: bool) -> None:
        x = self._x_at(event.x)
        if x is not None:
            event.stop()
            self.post_message(self.Wheeled(x, inward))

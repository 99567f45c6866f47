"""How do panels share the room: as many as are readable, the others a number away?"""

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Grid, Vertical
from textual.message import Message

from wbtui.tui.ink import Part
from wbtui.tui.panels import PanelSpec
from wbtui.tui.plots import PlotState, Shown
from wbtui.tui.widgets.panel import Panel
from wbtui.tui.widgets.pick_list import Picked, Tabs

LEAST_WIDTH, LEAST_HEIGHT = 38, 8
"""Cells below which a panel is not worth its place."""
_WIDTH_FOR_SEVERAL = 100  # on a narrower screen one panel and tabs
_MOST_COLUMNS, _MOST_ROWS = 3, 3


class PanelGrid(Vertical):
    """Up to nine panels at once, the active one among them, and a line of tabs where there are more, or of why none."""

    DEFAULT_CSS = """
    PanelGrid { height: 1fr; }
    PanelGrid > Grid { grid-gutter: 0 1; height: 1fr; }
    PanelGrid > Tabs { background: $surface; color: $text-muted; }
    """

    class Changed(Message):
        """Other panels are in sight."""

    class Chosen(Message):
        """The tab of a panel was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._specs: Sequence[PanelSpec] = ()
        self._shown: Sequence[Shown] = ()
        self._state = PlotState()
        self._active = 0
        self._alone = False
        self._without = ""
        self._in_sight: tuple[str, ...] = ()
        self._panels: list[Panel] = []

    def compose(self) -> ComposeResult:
        """The tabs and an empty grid."""
        yield Tabs()
        yield Grid()

    @property
    def specs(self) -> Sequence[PanelSpec]:
        """All panels that there are, in order."""
        return self._specs

    @property
    def in_sight(self) -> tuple[str, ...]:
        """Keys of the panels on the screen."""
        return self._in_sight

    def show(
        self,
        specs: Sequence[PanelSpec],
        shown: Sequence[Shown],
        state: PlotState,
        active: int,
        *,
        alone: bool = False,
        without: str = "",
    ) -> None:
        """Show other panels, runs or views.

        Args:
            specs: All panels, in order.
            shown: The runs.
            state: How they are drawn.
            active: Number of the panel that keys act on, from 0; beyond the last it is the last.
            alone: Whether it has all the room.
            without: What stands there in place of panels, where there are none.
        """
        self._without = without
        self._specs, self._shown, self._state, self._alone = specs, shown, state, alone
        self._active = min(active, max(len(specs) - 1, 0))
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """Choose how many panels fit."""
        self._arrange()

    def _room(self) -> tuple[int, int]:
        """Columns and rows of panels."""
        width, height = self.size
        if self._alone or width < _WIDTH_FOR_SEVERAL:
            return 1, 1
        columns = min(max(width // LEAST_WIDTH, 1), _MOST_COLUMNS, max(len(self._specs), 1))
        rows = min(max((height - 1) // LEAST_HEIGHT, 1), _MOST_ROWS, max(-(-len(self._specs) // columns), 1))
        return columns, rows

    def _arrange(self) -> None:
        if not self.is_mounted or self.size.width < 1:
            return
        columns, rows = self._room()
        each = columns * rows
        first = self._active // each * each
        page = list(enumerate(self._specs))[first : first + each]
        grid = self.query_one(Grid)
        while len(self._panels) < len(page):
            panel = Panel()
            self._panels.append(panel)
            grid.mount(panel)
        if (grid.styles.grid_size_columns, grid.styles.grid_size_rows) != (columns, rows):
            grid.styles.grid_size_columns, grid.styles.grid_size_rows = columns, rows
        for place, panel in enumerate(self._panels):
            panel.display = place < len(page)
        for (number, spec), panel in zip(page, self._panels, strict=False):
            label = number + 1 if number < 9 else 0
            panel.show(spec, label, self._shown, self._state, active=number == self._active)
        tabs = self.query_one(Tabs)
        if self._specs:
            tabs.display = len(self._specs) > each and self.size.height > 4
            tabs.show(self._tabs(first, each))
        else:
            tabs.display = bool(self._without)
            tabs.show([(f" {self._without}", "")])
        in_sight = tuple(spec.key for _, spec in page)
        if in_sight != self._in_sight:
            self._in_sight = in_sight
            self.post_message(self.Changed())

    @property
    def _first_tab(self) -> int:
        """The first panel that has a tab."""
        return max(0, self._active - 4)

    def on_picked(self, message: Picked) -> None:
        """A tab was clicked; the sign of those before stands for the last of them."""
        message.stop()
        if self._specs:
            start = self._first_tab
            self.post_message(self.Chosen(start + message.index - bool(start)))

    def _tabs(self, first: int, each: int) -> list[Part]:
        parts: list[Part] = []
        start = self._first_tab
        if start:
            parts += [(" ", ""), ("…", "dim")]
        for number, spec in enumerate(self._specs[start:], start):
            style = (
                "reverse" if number == self._active else "bold" if first <= number < first + each else "dim"
            )
            label = f"{number + 1} {spec.title}" if number < 9 else spec.title
            parts += [(" ", ""), (label, style)]
        return parts

"""How many pictures find room beside each other, and which?"""

from textual import events
from textual.app import ComposeResult
from textual.containers import Grid
from textual.widget import Widget

from wbtui.tui.widgets.canvas_pane import CanvasPane

_LEAST_WIDTH, _LEAST_HEIGHT = 38, 8  # cells below which a picture is not legible


class Tiles(Widget):
    """Pictures side by side, as many as are legible; the others by going on to them.

    Args:
        tiles: The pictures, in order.
    """

    DEFAULT_CSS = """
    Tiles { height: 1fr; width: 1fr; }
    Tiles > Grid { grid-gutter: 0 1; }
    """

    def __init__(self, *tiles: CanvasPane, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tiles = tiles
        self.active = 0
        self.alone = False

    def compose(self) -> ComposeResult:
        """The pictures."""
        with Grid():
            yield from self.tiles

    def on_resize(self, event: events.Resize) -> None:
        """Choose how many fit."""
        self.share_room()

    def step(self, by: int) -> None:
        """Go on to another picture."""
        self.active = (self.active + by) % len(self.tiles)
        self.share_room()

    @property
    def in_sight(self) -> tuple[CanvasPane, ...]:
        """The pictures that have room."""
        width, height = self.size
        columns = min(max(width // _LEAST_WIDTH, 1), len(self.tiles))
        rows = min(max(height // _LEAST_HEIGHT, 1), -(-len(self.tiles) // columns))
        each = 1 if self.alone else columns * rows
        first = self.active // each * each
        return self.tiles[first : first + each]

    def share_room(self) -> None:
        """Give the room to the pictures that are in sight."""
        if self.size.width < 1:
            return
        shown = self.in_sight
        grid = self.query_one(Grid)
        columns = min(max(self.size.width // _LEAST_WIDTH, 1), len(shown))
        size = (columns, -(-len(shown) // columns))
        if (grid.styles.grid_size_columns, grid.styles.grid_size_rows) != size:
            grid.styles.grid_size_columns, grid.styles.grid_size_rows = size
        for place, tile in enumerate(self.tiles):
            tile.display = tile in shown
            tile.mark_active(place == self.active)

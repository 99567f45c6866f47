"""What stands on a terminal that is too small for anything else?"""

from typing import Any

from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

LEAST_WIDTH, LEAST_HEIGHT = 60, 16


class TooSmall(Static):
    """Says politely that there is no room, and how much is needed."""

    DEFAULT_CSS = """
    TooSmall {
        display: none; layer: above; width: 100%; height: 100%; background: $background;
        content-align: center middle; text-align: center;
    }
    """

    def __init__(self) -> None:
        super().__init__(
            f"wbtui needs {LEAST_WIDTH} x {LEAST_HEIGHT}; please enlarge this window. q quits.", markup=False
        )


def mark(screen: Screen[Any], size: Size) -> None:
    """Show or hide the message of a screen, by the terminal's size."""
    screen.set_class(size.width < LEAST_WIDTH or size.height < LEAST_HEIGHT, "-tiny")


def hides(screen: Screen[Any]) -> bool:
    """Whether the message is all that is seen of a screen."""
    return screen.has_class("-tiny") and bool(screen.query(TooSmall))

"""Has a screen its widgets? They come after it, and go before it does."""

from typing import Any

from textual.screen import Screen


def is_open(screen: Screen[Any]) -> bool:
    """Whether a screen may be drawn on: no longer once it is being left, or the application closes."""
    return screen.is_mounted and screen.is_attached and screen in screen.app.screen_stack

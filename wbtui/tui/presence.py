"""Has a screen its widgets? They come after it, and go before it does."""

from traceback import walk_tb
from typing import Any

from textual.screen import Screen
from textual.worker import WorkerFailed


def is_open(screen: Screen[Any]) -> bool:
    """Whether a screen may be drawn on: no longer once it is being left, or the application closes."""
    return screen.is_mounted and screen.is_attached and screen in screen.app.screen_stack


def cause_of(error: BaseException) -> BaseException:
    """The error itself; of one that ended a worker what had gone wrong there."""
    return error.error if isinstance(error, WorkerFailed) else error


def is_of_a_left_screen(error: BaseException) -> bool:
    """Whether it was raised by a screen, Textual's own included, while or after this was left."""
    frames = walk_tb(cause_of(error).__traceback__)
    owners = [frame.f_locals.get("self") for frame, _ in frames]
    return any(isinstance(owner, Screen) and not is_open(owner) for owner in owners)

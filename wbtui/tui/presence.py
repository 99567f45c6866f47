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
    """Whether it was raised by a screen, Textual's own included, while or after this was left.

    Not where an open screen asked it to: an error ends the loop that takes that one's messages, which must be told.
    """
    owners = [frame.f_locals.get("self") for frame, _ in walk_tb(cause_of(error).__traceback__)]
    screens = [owner for owner in owners if isinstance(owner, Screen)]
    return bool(screens) and not any(map(is_open, screens))

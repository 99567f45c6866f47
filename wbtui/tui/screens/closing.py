"""How is a screen closed once, and never another in its place?"""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import Screen

Answer = TypeVar("Answer")


class ClosesOnce(Screen[Answer]):
    """A screen that can be told twice to close, and while another lies above it.

    Textual's `dismiss` takes away the uppermost screen, whichever that is. Two `enter` that came in one go, as they do
    over a slow link, both reach a dialog before the first has closed it; and what a thread found out may close a screen
    above which somebody has opened the help.
    """

    _closing_with: tuple[Answer | None] | None = None
    """The answer with which it closes as soon as nothing lies above it."""

    @property
    def _uppermost(self) -> bool:
        """Whether nothing lies above it; `is_current` holds below a dialog too."""
        return self.app.screen is self

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Close this screen, at once or when it is the uppermost again; nothing where it is closed already.

        Args:
            result: What it answers.
        """
        if self._uppermost:
            return super().dismiss(result)
        if self in self.app.screen_stack:
            self._closing_with = (result,)
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        """Close, where that was asked for while another screen lay above."""
        if self._closing_with is not None and self._uppermost:
            self.dismiss(*self._closing_with)

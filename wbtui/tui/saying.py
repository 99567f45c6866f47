"""How does the dashboard say something, where nobody misses it and nothing is covered?"""

from collections import deque
from collections.abc import Callable
from typing import Any

from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen

from wbtui.store.text import plain
from wbtui.tui.ink import abridged, ascii_text
from wbtui.tui.lasting import LastingApp, has_shell

_MESSAGES_KEPT = 8
"""Of those that wait until a dialog is closed; the newest."""


class SayingApp(LastingApp):
    """An application whose messages wait while a dialog is read.

    Args:
        readonly: Whether nothing may be started, stopped or written.
        ascii_only: Whether the terminal shows ASCII alone.
    """

    def __init__(self, *, readonly: bool, ascii_only: bool) -> None:
        super().__init__()
        self.readonly, self.ascii_only = readonly, ascii_only
        self._waiting: deque[tuple[str, SeverityLevel]] = deque(maxlen=_MESSAGES_KEPT)

    def on_mount(self) -> None:
        """Let messages wait for dialogs."""
        self.screen_change_signal.subscribe(self, self._screen_changed)

    def literal(self, text: str) -> str:
        """Text as this terminal can show it, harmless to it."""
        text = plain(text, lines=True)
        return ascii_text(text) if self.ascii_only else text

    def say(self, text: str, severity: SeverityLevel = "information") -> None:
        """Show a message, literally, long lines abridged; where a dialog is open, that is read first and it waits."""
        text = self.literal(abridged(text))
        if any(isinstance(screen, ModalScreen) for screen in self.screen_stack[-1:]):
            self._wait_with(text, severity)
        else:
            self.notify(text, severity=severity, markup=False)

    def say_from_thread(self, text: str, severity: SeverityLevel = "information") -> None:
        """`say`, from a worker thread."""
        self.call_from_thread(self.say, text, severity)

    def action_suspend_process(self) -> None:
        """Go back to the shell, where there is one that can wake the dashboard again."""
        if has_shell():
            super().action_suspend_process()
        else:
            self.say("there is no shell to go back to: this was not started from one", "warning")

    def refuses_writing(self, say: Callable[[str, SeverityLevel], None] | None = None) -> bool:
        """Whether --readonly forbids what was asked; says so, in a message or by `say(text, severity)`."""
        if self.readonly:
            (say or self.say)(
                "opened with --readonly: nothing is started, stopped or written here", "warning"
            )
        return self.readonly

    def _wait_with(self, text: str, severity: SeverityLevel) -> None:
        if (text, severity) not in self._waiting:
            self._waiting.append((text, severity))

    def _screen_changed(self, screen: Screen[Any]) -> None:
        """Take messages away from a dialog, which they would cover, and show them when it is closed."""
        if isinstance(screen, ModalScreen):
            for shown in self._notifications:
                self._wait_with(shown.message, shown.severity)
            self.clear_notifications()
        else:
            waiting = list(self._waiting)
            self._waiting.clear()
            for text, severity in waiting:
                self.say(text, severity)

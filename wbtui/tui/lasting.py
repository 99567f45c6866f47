"""What more than Textual's own does an application need that stays open for days?"""

import asyncio
import contextlib
import os
import signal

from textual import events
from textual.app import App, ScreenStackError
from textual.await_complete import AwaitComplete
from textual.css.query import NoMatches
from textual.errors import NoWidget
from textual.message import Message

from wbtui.tui.presence import cause_of, is_of_a_left_screen


def has_shell() -> bool:
    """Whether a shell started this process as a job of its own: nobody else would notice that it stopped."""
    parent = os.getppid()
    try:
        return os.getsid(parent) == os.getsid(0) and os.getpgid(parent) != os.getpgrp()
    except OSError:  # some systems tell nothing of another session's processes
        return False


class LastingApp(App[None]):
    """An application that outlives its screens, and being stopped and woken, at the same size."""

    def on_mount(self) -> None:
        """Hear when the process is woken."""
        if self._driver is not None and self._driver.can_suspend:
            asyncio.get_running_loop().add_signal_handler(signal.SIGCONT, self._go_on)

    @property
    def is_closing(self) -> bool:
        """Whether it is being left."""
        return self._exit or not self.is_running

    def _go_on(self) -> None:
        """Take the terminal anew after the process was stopped and woken, by whom and how ever.

        Textual lets go of it at SIGTSTP alone. Woken from SIGSTOP, it would read the keys with one more thread each
        time, all but the last of which hang when the dashboard is left, and take the terminal's modes, which are its
        own, for those to go back to.
        """
        driver = self._driver
        if driver is None or self.is_closing:
            return
        if not getattr(driver, "_must_signal_resume", False):
            driver.suspend_application_mode()
        driver.resume_application_mode()
        self.refresh(layout=True)

    def pop_screen(self) -> AwaitComplete:
        """Leave the uppermost screen, and let go of what was drawn on it.

        Textual caches a method of what each widget has drawn, and with it the last 1,024 widgets' lines: about 1 MB for
        every screen that was opened, and 100 MB after a day.
        """
        with contextlib.suppress(ImportError, AttributeError):  # a later Textual may have mended it
            from textual._styles_cache import StylesCache

            StylesCache.get_inner_outer.cache_clear()
        return super().pop_screen()

    async def on_event(self, event: events.Event) -> None:
        """Hand on what the mouse does, but not over a message that was clicked and is seen still, though it has gone.

        Textual would look for what that lay in, where text may be selected, and break.
        """
        if isinstance(event, events.MouseDown | events.MouseMove) and self._is_gone_at(event.x, event.y):
            return
        await super().on_event(event)

    def _is_gone_at(self, x: int, y: int) -> bool:
        """Whether what is seen at a place has been taken away."""
        try:
            widget, _ = self.screen.get_widget_at(x, y)
        except NoWidget:
            return False
        return widget.parent is None and widget is not self.screen

    async def _dispatch_message(self, message: Message) -> None:
        """Act on a message; an error would end the loop that takes them, and with it the dashboard, told or not."""
        try:
            await super()._dispatch_message(message)
        except (NoMatches, ScreenStackError) as error:
            if not is_of_a_left_screen(error):
                raise

    def _handle_exception(self, error: Exception) -> None:
        """Break; but what draws on widgets that went when their screen was left is not missed."""
        if not isinstance(cause_of(error), NoMatches | ScreenStackError) or not (
            self.is_closing or is_of_a_left_screen(error)
        ):
            super()._handle_exception(error)

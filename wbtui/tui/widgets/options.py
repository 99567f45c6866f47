"""How does a list take a click while its lines come and go?"""

from textual import events
from textual.command import CommandList
from textual.widgets import OptionList


class Options(OptionList):
    """An OptionList whose lines may become fewer under the mouse."""

    async def _on_click(self, event: events.Click) -> None:
        """Leave a line alone that is seen still, but has gone: OptionList would break over it."""
        line = event.style.meta.get("option")
        if line is not None and line >= self.option_count:
            event.prevent_default().stop()


class Commands(CommandList, Options, can_focus=False):
    """The commands that the palette finds."""

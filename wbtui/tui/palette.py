"""Which commands does the palette find: those whose name matches first, then those whose description does."""

from contextlib import suppress

from textual import on
from textual.app import ComposeResult
from textual.command import CommandList, CommandPalette, Hit, Hits
from textual.system_commands import SystemCommandsProvider
from textual.widgets import Input, OptionList

from wbtui.tui.screens.closing import ClosesOnce
from wbtui.tui.widgets.options import Commands

_OF_NAMES = 1.0
"""Added to a name's score, so that no description (0 to 1) comes before it."""


class ActionsProvider(SystemCommandsProvider):
    """Textual's own, which reads names alone, and descriptions too.

    Names are matched letter by letter, as Textual does; a description where each word of the query stands in it:
    letters that are strewn over a sentence would find everything.
    """

    async def search(self, query: str) -> Hits:
        """The commands that fit what was typed."""
        matcher = self.matcher(query)
        words = query.casefold().split()
        for name, description, callback, *_ in self.app.get_system_commands(self.screen):
            if (score := matcher.match(name)) > 0:
                yield Hit(_OF_NAMES + score, matcher.highlight(name), callback, help=description)
            elif words and all(word in description.casefold() for word in words):
                yield Hit(len(query) / (len(query) + len(description)), name, callback, help=description)


class Palette(CommandPalette, ClosesOnce[None]):
    """Textual's own, which keys that come in one go would break.

    A second `enter` would do the command twice and take away the screen below it, a page of commands that are not drawn
    yet end in a `KeyError`.
    """

    def compose(self) -> ComposeResult:
        """Textual's, but for the list."""
        for widget in super().compose():
            yield Commands() if isinstance(widget, CommandList) else widget

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _choose_once(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        """Leave a choice alone that comes when a command was chosen, and so the palette left."""
        if not self._uppermost:
            event.prevent_default().stop()

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):
            super()._action_command_list(action)

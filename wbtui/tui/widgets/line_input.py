"""How does a line of text take its keys in the order in which they came?"""

from collections.abc import Callable
from typing import Any

from textual import events
from textual.widgets import Input

from wbtui.tui.presence import is_open


class LineInput(Input):
    """An Input whose editing keys act before the key after them is taken.

    Textual's own takes characters at once but hands backspace, the cursor's keys and enter on to the application, whose
    answer comes behind characters that were typed after them, and to whichever field has the focus by then.

    Args:
        value: What stands there first.
        placeholder: What stands there where nothing does.
        entered: Called by enter, instead of a message that would come behind keys typed after it: where it closes the
            screen, those keys go to the one below.
        options: As of Input.
    """

    def __init__(
        self,
        value: str = "",
        placeholder: str = "",
        *,
        entered: Callable[[str], None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(value, placeholder, **options)
        self._entered = entered

    async def action_submit(self) -> None:
        """Enter."""
        if self._entered is None:
            await super().action_submit()
        else:
            self._entered(self.value)

    def _on_paste(self, event: events.Paste) -> None:
        """Take all that is pasted, in one line, but for what no key types; Input would leave away further lines."""
        line = " ".join(event.text.splitlines())
        typed = "".join(sign if sign.isprintable() else " " * sign.isspace() for sign in line)
        event.prevent_default()
        super()._on_paste(events.Paste(typed))
        event.stop()

    async def _on_key(self, event: events.Key) -> None:
        if not is_open(self.screen):
            event.stop()
            event.prevent_default()
            self.app.post_message(event.copy())
            return
        bindings = self._bindings.key_to_bindings.get(event.key, ())
        if not bindings or event.is_printable:
            return  # Input's own handler comes next
        for binding in bindings:
            await self.run_action(binding.action)
        event.stop()
        event.prevent_default()

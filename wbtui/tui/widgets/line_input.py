"""How does a line of text take its keys in the order in which they came?"""

from textual import events
from textual.widgets import Input


class LineInput(Input):
    """An Input whose editing keys act before the key after them is taken.

    Textual's own takes characters at once but hands backspace, the cursor's keys and enter on to the application, whose
    answer comes behind characters that were typed after them, and to whichever field has the focus by then.
    """

    async def _on_key(self, event: events.Key) -> None:
        bindings = self._bindings.key_to_bindings.get(event.key, ())
        if not bindings or event.is_printable:
            return  # Input's own handler comes next
        for binding in bindings:
            await self.run_action(binding.action)
        event.stop()
        event.prevent_default()

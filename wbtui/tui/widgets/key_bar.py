"""Which keys are worth a place at the foot of the screen?"""

from typing import TYPE_CHECKING, cast

from textual import events

from wbtui.tui.actions import ACTIONS
from wbtui.tui.ink import Part, parts_width
from wbtui.tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp


class KeyBar(OneLine):
    """The keys of a screen, as many as fit, the most useful first."""

    DEFAULT_CSS = """
    KeyBar { background: $panel; }
    """

    def __init__(self, screen: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self._of = screen

    def on_resize(self, event: events.Resize) -> None:
        """Choose the keys that fit."""
        app = cast("WbtuiApp", self.app)
        actions = [action for action in ACTIONS if action.screen in ("app", self._of) and action.footer]
        parts: list[Part] = []
        for action in sorted(actions, key=lambda action: action.footer):
            if action.writes and app.readonly:
                continue
            word = action.title.lower() + (" (runs go on)" if action.id == "app.leave" else "")
            pair: list[Part] = [(f" {app.keys.shown(action)}", "bold #56b4e9"), (f" {word} ", "")]
            if parts_width([*parts, *pair]) <= event.size.width:
                parts += pair
        self.show(parts)

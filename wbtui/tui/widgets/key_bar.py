"""Which keys are worth a place at the foot of the screen?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import events

from wbtui.tui.actions import ACTIONS, Action
from wbtui.tui.ink import Part, parts_width
from wbtui.tui.keymap import display
from wbtui.tui.theme import ACCENT
from wbtui.tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp

_WIDTH_TO_CALM = 100  # cells from which there is room to say that runs do not end with the dashboard


_OF_PANELS = (
    (("class_view",), "view", 4),
    (("next_view",), "split", 6),
    (("log_y",), "log", 5),
    (("smoother", "rougher", "raw"), "smooth", 7),
    (("x_axis",), "axis", 3),
    (("zoom_in",), "zoom", 8),
    (("cursor",), "cursor", 9),
    (("open", "full_screen"), "full", 1),
    (("back",), "back", 0),
    (("next_tab",), "next page", 10),
)
"""What is said of the keys of a panel: actions, of which the first of `open` and `full_screen` counts, word, rank."""


_Hint = list[tuple[str, Part]]
"""What stands for an action or some: parts, each with the key that a click on it presses."""


def _hints_width(hints: Sequence[_Hint]) -> int:
    return parts_width([part for hint in hints for _, part in hint])


class KeyBar(OneLine):
    """The keys of a screen, as many as fit, the most useful first."""

    DEFAULT_CSS = """
    KeyBar { background: $panel; }
    """

    def __init__(self, screen: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self._of = screen
        self._only: frozenset[str] | None = None
        self._panel: frozenset[str] | None = None
        self._idle: frozenset[str] = frozenset()
        self._keys: list[str] = []
        """Of each part that is shown, by Textual's name."""

    def of_panel(self, methods: frozenset[str] | None) -> None:
        """Name the keys that act on a panel instead of the screen's.

        Args:
            methods: The action methods that do something there; None: the screen's own keys again.
        """
        if methods != self._panel:
            self._panel = methods
            self._choose()

    def limit(self, only: frozenset[str] | None) -> None:
        """Name no more of this screen's own keys than those of these actions; None: all."""
        if only != self._only:
            self._only = only
            self._choose()

    def leave_out(self, methods: frozenset[str]) -> None:
        """Name none of the keys of these action methods: they would do nothing now."""
        if methods != self._idle:
            self._idle = methods
            self._choose()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the keys that fit."""
        self._choose()

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked; of a word, its first."""
        place = self.part_at(event.x)
        if place is not None:
            event.stop()
            self.app.simulate_key(self._keys[place])

    def _choose(self) -> None:
        if self._panel is not None:
            self._show(self._panel_hints(self._panel))
            return
        width = self.size.width
        hints: list[_Hint] = []
        for action in sorted(filter(self._counts, ACTIONS), key=lambda action: action.footer):
            calms = action.id == "app.leave" and width >= _WIDTH_TO_CALM
            word = action.title.lower() + (" (runs go on)" if calms else "")
            hint = self._hint([action], word)
            if _hints_width([*hints, hint]) <= width:
                hints.append(hint)
        self._show(hints)

    def _show(self, hints: Sequence[_Hint]) -> None:
        self._keys = [key for hint in hints for key, _ in hint]
        self.show([part for hint in hints for _, part in hint])

    def _hint(self, actions: Sequence[Action], word: str) -> _Hint:
        """The first key of each action, then what they do."""
        keys = cast("WbtuiApp", self.app).keys
        first = [keys.keys_of(action)[0] for action in actions]
        return [
            *((key, (f" {display(key)}", f"bold {ACCENT}")) for key in first),
            (first[0], (f" {word} ", "")),
        ]

    def _panel_hints(self, methods: frozenset[str]) -> list[_Hint]:
        """The keys of a panel in their order, those of the highest rank where there is no room for all."""
        known = {action.method: action for action in ACTIONS if action.screen == self._of}
        hints: dict[int, _Hint] = {}
        for names, word, rank in _OF_PANELS:
            there = [known[name] for name in names if name in known and name in methods]
            if there:
                hints[rank] = self._hint(there[:1] if "full_screen" in names else there, word)
        kept: set[int] = set()
        for rank in sorted(hints):
            if _hints_width([hints[one] for one in (*kept, rank)]) <= self.size.width:
                kept.add(rank)
        return [hints[rank] for rank in hints if rank in kept]

    def _counts(self, action: Action) -> bool:
        """Whether a key does something here."""
        if not action.footer or (action.writes and cast("WbtuiApp", self.app).readonly):
            return False
        if action.screen == self._of:
            return action.method not in self._idle and (self._only is None or action.id in self._only)
        return action.screen == "app"

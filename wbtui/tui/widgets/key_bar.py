"""Which keys are worth a place at the foot of the screen?"""

from typing import TYPE_CHECKING, cast

from textual import events

from wbtui.tui.actions import ACTIONS, Action
from wbtui.tui.ink import Part, parts_width
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

    def _choose(self) -> None:
        if self._panel is not None:
            self.show(self._panel_parts(self._panel))
            return
        app, width = cast("WbtuiApp", self.app), self.size.width
        parts: list[Part] = []
        for action in sorted(filter(self._counts, ACTIONS), key=lambda action: action.footer):
            calms = action.id == "app.leave" and width >= _WIDTH_TO_CALM
            word = action.title.lower() + (" (runs go on)" if calms else "")
            pair: list[Part] = [(f" {app.keys.shown(action)}", "bold #56b4e9"), (f" {word} ", "")]
            if parts_width([*parts, *pair]) <= width:
                parts += pair
        self.show(parts)

    def _panel_parts(self, methods: frozenset[str]) -> list[Part]:
        """The keys of a panel in their order, those of the highest rank where there is no room for all."""
        known = {action.method: action for action in ACTIONS if action.screen == self._of}
        pairs: dict[int, list[Part]] = {}
        for names, word, rank in _OF_PANELS:
            there = [known[name] for name in names if name in known and name in methods]
            keys = [cast("WbtuiApp", self.app).keys.shown(action) for action in there]
            if keys:
                shown = keys[0] if "full_screen" in names else " ".join(keys)
                pairs[rank] = [(f" {shown}", "bold #56b4e9"), (f" {word} ", "")]
        kept: set[int] = set()
        for rank in sorted(pairs):
            if parts_width([part for one in (*kept, rank) for part in pairs[one]]) <= self.size.width:
                kept.add(rank)
        return [part for rank in pairs if rank in kept for part in pairs[rank]]

    def _counts(self, action: Action) -> bool:
        """Whether a key does something here."""
        if not action.footer or (action.writes and cast("WbtuiApp", self.app).readonly):
            return False
        if action.screen == self._of:
            return action.method not in self._idle and (self._only is None or action.id in self._only)
        return action.screen == "app"

"""The application: it owns the feed, the view and the screens, and does nothing else."""

import gc
import importlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from rich.text import Text
from textual import events
from textual.app import SystemCommand
from textual.binding import Binding
from textual.filter import LineFilter, Monochrome
from textual.screen import ModalScreen, Screen

from wbtui.catalog import nearest
from wbtui.store.ids import short_ids
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui import alerts
from wbtui.tui.actions import ACTIONS, Action, actions_of, bindings
from wbtui.tui.contrast import Grey
from wbtui.tui.depth import Rounded
from wbtui.tui.feed import Feed
from wbtui.tui.keymap import keymap_file, load_keymap
from wbtui.tui.lines import called
from wbtui.tui.messages import FeedUpdate, FeedWord
from wbtui.tui.preferences import Preferences, draws_ascii, load_preferences
from wbtui.tui.presence import is_open
from wbtui.tui.saying import SayingApp
from wbtui.tui.screens.panel_keys import PanelKeys
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.snapshots import Snapshot, other_rows
from wbtui.tui.theme import DARK
from wbtui.tui.views import KeptViews, Views, views_path
from wbtui.tui.widgets import too_small

if TYPE_CHECKING:
    from textual.command import Provider

_KEEP_SECONDS = 1.0
_READY_SECONDS = 1.0
_LEFT = 1  # Textual's number of a mouse's button
_NEXT_SCREENS = ("run", "adjust", "compare")
"""Those that a single key opens and that nobody has to fill in; the start knows of none but the first."""
_SERVER_SECONDS = 3.0
"""How often a dashboard in a browser looks whether its server is still there."""
GREY = Grey()
ROUNDED = {"256": Rounded(256), "standard": Rounded(16)}
"""Rich's name of what the terminal can → what rounds to that."""


def _palette() -> "type[Provider]":
    from wbtui.tui.palette import ActionsProvider

    return ActionsProvider


class WbtuiApp(SayingApp):
    """The dashboard.

    Args:
        runs: The folder of runs; it need not be there yet.
        readonly: Whether nothing may be started, stopped or written.
        ascii_only: Whether the terminal shows ASCII alone.
        preferences: What the user's file says of the theme; None: read it.
    """

    TITLE = "wbtui"
    BINDINGS = bindings("app")
    COMMANDS = {_palette}  # noqa: RUF012 - as Textual declares it
    CSS = """
    Screen { layers: default above; }
    Screen.-tiny > TooSmall { display: block; }
    Screen.-tiny Toast { display: none; }
    /* Its height is found without the scroll bar, whose room would make words wrap once more than was counted. */
    ToastRack { margin-bottom: 2; scrollbar-size: 0 0; }
    ModalScreen ToastRack { display: none; }
    .-ascii * { scrollbar-size: 0 0; }
    .-ascii CommandPalette SearchIcon { display: none; }
    .-ascii CommandPalette #--input, .-ascii CommandPalette OptionList { border: none; }
    .-ascii Toast { border: none; }
    .-ascii ModalScreen > Vertical { border: ascii $primary; }
    RunTable:ansi > .run-table--cursor, Panel:ansi > .panel--active, CanvasPane:ansi > .canvas-pane--active,
    TextPane:ansi > .text-pane--match {
        background: ansi_default; color: ansi_default; text-style: bold reverse;
    }
    """

    def __init__(
        self,
        runs: Path,
        *,
        readonly: bool = False,
        ascii_only: bool = False,
        preferences: Preferences | None = None,
    ) -> None:
        super().__init__(readonly=readonly, ascii_only=ascii_only)
        self.preferences = load_preferences(keymap_file()) if preferences is None else preferences
        self.runs, self.snapshot = runs, Snapshot()
        self.short_ids: Mapping[str, str] = {}
        self._typed_on: WeakKeyDictionary[events.Key, Screen[Any]] = WeakKeyDictionary()
        self.keys = load_keymap(keymap_file())
        self.set_keymap(self.keys.keys)
        self._views = KeptViews(views_path(runs, readonly=readonly))
        self.register_theme(DARK)
        self._theme_problem = self._begin_theme(self.preferences.theme or self._chosen_theme)
        self.feed = Feed(
            runs,
            on_snapshot=lambda snapshot: self._post(FeedUpdate(snapshot)),
            on_message=lambda text: self._post(FeedWord(text)),
        )

    def _begin_theme(self, wanted: str) -> str:
        known = wanted in self.available_themes
        self.theme = wanted if known else DARK.name
        return (
            "" if known else f"no theme is called {plain(wanted)!r}{nearest(wanted, self.available_themes)}"
        )

    @property
    def _chosen_theme(self) -> str:
        """The one that was chosen the last time; wbtui's own where there is no such theme."""
        chosen = self.views.theme
        return chosen if chosen in self.available_themes else DARK.name

    def watch_theme(self, theme: str) -> None:
        """Keep a theme that was chosen, unless the user's file names one."""
        if self.is_running and self.preferences.theme is None and theme != self._chosen_theme:
            self.keep_views(theme=theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and ours, which keep readable what was: greys under NO_COLOR, and fewer colours."""
        filters = [GREY if isinstance(one, Monochrome) else one for one in super().get_line_filters()]
        rounding = ROUNDED.get(self.console.color_system or "")
        return filters if rounding is None or self.is_headless else [*filters, rounding]

    def _post(self, message: FeedUpdate | FeedWord) -> None:
        if self.is_running:
            self.post_message(message)

    def get_default_screen(self) -> Screen[Any]:
        """The runs."""
        return RunsScreen()

    def on_mount(self) -> None:
        """Begin to read the runs."""
        self.set_class(self.ascii_only, "-ascii")
        self.feed.start()
        self.set_interval(_KEEP_SECONDS, self._keep)
        self.set_timer(_READY_SECONDS, lambda: self.run_worker(_load_screens, thread=True))
        if self.is_web:
            server = os.getppid()
            self.set_interval(_SERVER_SECONDS, lambda: self._leave_unless(os.getppid() == server))
        problems = (*self.keys.problems, *self.preferences.problems, self._theme_problem, self._views.problem)
        for problem in problems:
            if problem:
                self.say(problem, "warning")

    def _leave_unless(self, served: bool) -> None:
        if not served:
            self.exit()

    def on_unmount(self) -> None:
        """Stop reading; keep the view."""
        self.feed.close()
        if self._views.due:
            self._views.write()

    def on_resize(self, event: events.Resize) -> None:
        """Say politely where there is too little room."""
        for screen in self.screen_stack:
            too_small.mark(screen, event.size)

    async def on_event(self, event: events.Event) -> None:
        """Hand a key to the screen that is open when its turn comes.

        Keys that come in one piece, as over a line that lags, are handed on before the first of them has acted: those
        behind one that opens or closes a screen are handed on again. Where nothing but a message has room, only those
        of leaving and of help are taken. Of a mouse's buttons the left one acts: Textual takes every other for it.
        """
        if isinstance(event, events.MouseDown | events.MouseUp) and event.button != _LEFT:
            return
        if isinstance(event, events.Key):
            if self.is_closing or (too_small.hides(self.screen) and event.key not in self._keys_always()):
                return
            if not event.is_forwarded:
                self._typed_on[event] = self.screen
            elif self._typed_on.get(event, self.screen) is not self.screen:
                await self.on_event(event.copy())
                return
        await super().on_event(event)

    def _keys_always(self) -> set[str]:
        always = (action for action in ACTIONS if action.id in ("app.leave", "app.help_keys"))
        return {key for action in always for key in self.keys.keys_of(action)} | {"ctrl+q"}

    # ------------------------------------------------------------------ what the feed tells

    def on_feed_update(self, message: FeedUpdate) -> None:
        """Hand what was read to the screens."""
        if message.snapshot.loaded and not self.snapshot.loaded:
            gc.freeze()  # what is there now stays: a collection of it all would cost 30 ms, in the middle of a key
            gc.enable()
        changed = other_rows(self.snapshot.rows, message.snapshot.rows)
        self.snapshot = message.snapshot
        if len(self.snapshot.rows) != len(self.short_ids) or any(
            row.id not in self.short_ids for row in changed
        ):
            self.short_ids = short_ids(self.snapshot.by_id)
        screen = self.watching
        if screen is not None and is_open(screen):
            screen.take(self.snapshot)
        self._tell_alerts(changed)

    def _tell_alerts(self, changed: Sequence[RunSummary]) -> None:
        """Say what is newly wrong with runs; once for each run, cause and attempt, which the view remembers."""
        fresh = alerts.untold(changed, self.views.told)
        if fresh:
            there = self.snapshot.by_id.keys()
            self.keep_views(told=alerts.remembered(self.views.told, fresh, there))
            for message in alerts.messages(fresh, lambda row: called(row, self.short(row.id))):
                self.say(f"{alerts.MARK} {message}", "warning")

    @property
    def watching(self) -> PanelKeys | None:
        """The uppermost screen that shows runs; dialogs above it do not count."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, PanelKeys)), None)

    def on_feed_word(self, message: FeedWord) -> None:
        """Say what the feed has to say."""
        self.say(message.text)

    def short(self, run_id: str) -> str:
        """The short id of a run."""
        return self.short_ids.get(run_id, run_id)

    def keys_of(self, action_id: str) -> str:
        """The first key of an action, as people write it; its name where there is none."""
        found = next((action for action in ACTIONS if action.id == action_id), None)
        return self.keys.shown(found) if found else action_id

    # ------------------------------------------------------------------ keeping the view

    @property
    def views(self) -> Views:
        """What of the view outlives the screen."""
        return self._views.now

    def keep_views(self, **changes: Any) -> None:
        """Change the view that outlives the screen; it is written within a second."""
        self._views.change(**changes)

    def _keep(self) -> None:
        if self._views.due:
            self.run_worker(self._save, thread=True, group="views", exclusive=True)

    def _save(self) -> None:
        problem = self._views.write()
        if problem:
            self.say_from_thread(problem, "warning")

    # ------------------------------------------------------------------ screens

    def open_run_page(self, run_id: str) -> None:
        """Show one run in full."""
        from wbtui.tui.screens.run import RunScreen

        self.push_screen(RunScreen(run_id))

    async def open_start(
        self, config_file: Path | None, preset: str = "", sources: Sequence[Path] = ()
    ) -> None:
        """Show the start form, with a run's configuration, a preset's, or runs to go on from.

        The keys from now on are its first field's.
        """
        from wbtui.tui.screens.start import StartScreen

        form = StartScreen(config_file, preset, tuple(sources))
        await self.push_screen(form)
        form.set_focus(form.query_one("#variant" if sources else "#preset"))

    def begun(self, run_id: str) -> None:
        """A run was started here: the table goes to it."""
        for screen in self.screen_stack:
            if isinstance(screen, RunsScreen):
                screen.go_to_run(run_id)
        self.feed.hurry()

    def open_queue(self) -> None:
        """Show the queue."""
        from wbtui.tui.screens.queue import QueueScreen

        self.push_screen(QueueScreen())

    def action_help_keys(self) -> None:
        """Show what can be done on this screen."""
        from wbtui.tui.screens.help import help_page

        here, dialog = self.here(), isinstance(self.screen, ModalScreen)
        actions = {"Here": actions_of(here)} if here != "app" else {}
        actions["Everywhere"] = tuple(
            action for action in actions_of("app") if not (dialog and action.id == "app.leave")
        )
        self.push_screen(help_page(actions, self.keys, readonly=self.readonly, width=self.size.width))

    def copy(self, text: str) -> None:
        """Hand text to the terminal's clipboard; whether it took it no terminal says, so a way without it is named."""
        self.copy_to_clipboard(text)
        places = (self.here(screen) for screen in reversed(self.screen_stack))
        writes = f"{next((place for place in places if place != 'app'), 'runs')}.write"
        instead = "" if self.readonly else f"; {self.keys_of(writes)} writes a file"
        self.say(f"sent to the terminal's clipboard{instead}")

    def _fatal_error(self) -> None:
        """Leave with a few lines; Textual's own would print every variable of every frame."""
        from wbtui.tui.crash import crash_report

        error = sys.exception() or self._exception
        if error is not None and not self._exit_renderables:  # the first one; others follow from it
            self.panic(Text(crash_report(error)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a screen have ctrl+q where it binds it: Textual's own way out asks the application first."""
        if action == "quit":
            own = (binding for binding in self.screen.BINDINGS if isinstance(binding, Binding))
            return not any(binding.key == "ctrl+q" for binding in own)
        return super().check_action(action, parameters)

    def action_leave(self) -> None:
        """Close the dashboard; runs go on."""
        self.exit()

    def action_help_quit(self) -> None:
        """Say which key leaves, as Textual does at ctrl+c, by the keys of this dashboard."""
        self.say(f"{self.keys_of('app.leave')} closes the dashboard; runs go on")

    def here(self, screen: Screen[Any] | None = None) -> str:
        """The name by which the actions of a screen, the uppermost by itself, are called; `app` where it has none."""
        name = type(screen or self.screen).__name__.removesuffix("Screen").lower()
        return name if actions_of(name) else "app"

    def action_command_palette(self) -> None:
        """Show the palette."""
        from wbtui.tui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Show a palette of the themes."""
        from textual.theme import ThemeProvider

        from wbtui.tui.palette import Palette

        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of this screen and of all, for the palette."""
        here = self.here(screen)  # not the uppermost: that is the palette
        for action in (*(actions_of(here) if here != "app" else ()), *actions_of("app")):
            if action.id != "app.command_palette" and not (action.writes and self.readonly):
                yield SystemCommand(
                    f"{action.title} ({self.keys.shown(action)})", action.help, self._doing(action, screen)
                )
        yield SystemCommand("Theme", "Choose other colours.", self.action_change_theme)

    def _doing(self, action: Action, screen: Screen[Any]) -> Any:
        owner = self if action.screen == "app" else screen
        method, _, argument = action.method.partition("(")
        call = getattr(owner, f"action_{method}")
        return (lambda: call(int(argument.rstrip(")")))) if argument else call


def _load_screens() -> None:
    """Import what the next key may open, while nobody waits for it."""
    for name in _NEXT_SCREENS:
        importlib.import_module(f"wbtui.tui.screens.{name}")


def run_dashboard(
    runs: Path, *, readonly: bool = False, ascii_only: bool | None = None, mouse: bool | None = None
) -> None:
    """Open the dashboard on a folder of runs, until somebody closes it.

    Args:
        runs: The folder.
        readonly: Whether nothing may be started, stopped or written.
        ascii_only: Whether to draw with ASCII alone; None: as the user's file, else the terminal says.
        mouse: Whether to take the mouse, which leaves selecting text to the dashboard; None: as the user's file
            says, else yes.
    """
    preferences = load_preferences(keymap_file())
    ascii_only = preferences.ascii if ascii_only is None else ascii_only
    ascii_only = draws_ascii() if ascii_only is None else ascii_only
    mouse = preferences.mouse if mouse is None else mouse
    app = WbtuiApp(runs, readonly=readonly, ascii_only=ascii_only, preferences=preferences)
    app.run(mouse=mouse is not False)
    if app.return_code:
        raise SystemExit(app.return_code)

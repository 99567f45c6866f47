"""The application: it owns the feed, the view and the screens, and does nothing else."""

import gc
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App, SystemCommand
from textual.screen import Screen

from wbtui.report.listing import short_ids
from wbtui.store.text import plain
from wbtui.tui.actions import ACTIONS, Action, actions_of, bindings
from wbtui.tui.feed import Feed
from wbtui.tui.keymap import keymap_file, load_keymap
from wbtui.tui.messages import FeedUpdate, FeedWord
from wbtui.tui.screens.panel_keys import PanelKeys
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.snapshots import Snapshot
from wbtui.tui.theme import DARK
from wbtui.tui.views import Views, load_views, save_views, views_path
from wbtui.tui.widgets import too_small

_KEEP_SECONDS = 1.0


class WbtuiApp(App[None]):
    """The dashboard.

    Args:
        runs: The folder of runs; it need not be there yet.
        readonly: Whether nothing may be started, stopped or written.
        ascii_only: Whether the terminal shows ASCII alone.
    """

    TITLE = "wbtui"
    BINDINGS = bindings("app")
    CSS = """
    Screen { layers: default above; }
    Screen.-tiny > TooSmall { display: block; }
    .-ascii * { scrollbar-size: 0 0; }
    .-ascii CommandPalette SearchIcon { display: none; }
    .-ascii CommandPalette #--input, .-ascii CommandPalette OptionList { border: none; }
    .-ascii Toast { border: none; }
    .-ascii ModalScreen > Vertical { border: ascii $primary; }
    """

    def __init__(self, runs: Path, *, readonly: bool = False, ascii_only: bool = False) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.runs, self.readonly, self.ascii_only = runs, readonly, ascii_only
        self.snapshot = Snapshot()
        self.short_ids: Mapping[str, str] = {}
        self._short_of: frozenset[str] = frozenset()
        self.keys = load_keymap(keymap_file())
        self.set_keymap(self.keys.keys)
        self._views_path = views_path(runs, readonly=readonly)
        self.views, self._views_problem = load_views(self._views_path)
        self._kept = self.views
        self.feed = Feed(
            runs,
            on_snapshot=lambda snapshot: self._post(FeedUpdate(snapshot)),
            on_message=lambda text: self._post(FeedWord(text)),
        )

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
        for problem in (*self.keys.problems, self._views_problem):
            if problem:
                self.say(problem, "warning")

    def on_unmount(self) -> None:
        """Stop reading; keep the view."""
        self.feed.close()
        if self.views != self._kept:
            save_views(self._views_path, self.views)

    def on_resize(self, event: events.Resize) -> None:
        """Say politely where there is too little room."""
        for screen in self.screen_stack:
            too_small.mark(screen, event.size)

    # ------------------------------------------------------------------ what the feed tells

    def on_feed_update(self, message: FeedUpdate) -> None:
        """Hand what was read to the screens."""
        if message.snapshot.loaded and not self.snapshot.loaded:
            gc.freeze()  # what is there now stays: a collection of it all would cost 30 ms, in the middle of a key
            gc.enable()
        self.snapshot = message.snapshot
        ids = frozenset(row.id for row in self.snapshot.rows)
        if ids != self._short_of:
            self._short_of, self.short_ids = ids, short_ids(ids)
        screen = self.watching
        if screen is not None and screen.is_mounted:
            screen.take(self.snapshot)

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

    # ------------------------------------------------------------------ saying and keeping

    def say(self, text: str, severity: str = "information") -> None:
        """Show a message, literally."""
        self.notify(plain(text, lines=True), severity=severity, markup=False)  # type: ignore[arg-type]

    def say_from_thread(self, text: str, severity: str = "information") -> None:
        """`say`, from a worker thread."""
        self.call_from_thread(self.say, text, severity)

    def refuses_writing(self) -> bool:
        """Whether --readonly forbids what was asked; says so."""
        if self.readonly:
            self.say("opened with --readonly: nothing is started, stopped or written here", "warning")
        return self.readonly

    def keep_views(self, **changes: Any) -> None:
        """Change the view that outlives the screen; it is written within a second."""
        self.views = replace(self.views, **changes)

    def _keep(self) -> None:
        if self.views != self._kept:
            views = self._kept = self.views
            self.run_worker(lambda: self._save(views), thread=True, group="views", exclusive=True)

    def _save(self, views: Views) -> None:
        problem = save_views(self._views_path, views)
        if problem:
            self.say_from_thread(problem, "warning")

    # ------------------------------------------------------------------ screens

    def open_run_page(self, run_id: str) -> None:
        """Show one run in full."""
        from wbtui.tui.screens.run import RunScreen

        self.push_screen(RunScreen(run_id))

    def open_start(self, config_file: Path | None) -> None:
        """Show the start form, empty or with a run's configuration."""
        from wbtui.tui.screens.start import StartScreen

        self.push_screen(StartScreen(config_file))

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

        self.push_screen(help_page(self.here(), self.keys, readonly=self.readonly))

    def action_leave(self) -> None:
        """Close the dashboard; runs go on."""
        self.exit()

    def here(self) -> str:
        """The name by which this screen's actions are called; `app` where it has none."""
        name = type(self.screen).__name__.removesuffix("Screen").lower()
        return name if actions_of(name) else "app"

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of this screen and of all, by its name, for the palette."""
        for action in (*actions_of(self.here()), *actions_of("app")):
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


def run_dashboard(runs: Path, *, readonly: bool = False, ascii_only: bool = False) -> None:
    """Open the dashboard on a folder of runs, until somebody closes it."""
    WbtuiApp(runs, readonly=readonly, ascii_only=ascii_only).run()

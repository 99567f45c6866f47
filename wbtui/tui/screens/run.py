"""One run in full: what it is, every metric, heatmaps, its log, what it uses."""

import time
from collections.abc import Sequence
from dataclasses import replace

from textual.app import ComposeResult

from wbtui.report.values import duration, epochs
from wbtui.store.format import StateName
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui import pages
from wbtui.tui.actions import bindings
from wbtui.tui.alerts import beside_state
from wbtui.tui.columns import STATE_COLOURS, eta_seconds
from wbtui.tui.figures_line import figures_line
from wbtui.tui.ink import Part, parts_width
from wbtui.tui.marks import style_of
from wbtui.tui.panels import PanelSpec
from wbtui.tui.plots import PlotState, Shown
from wbtui.tui.presence import is_open
from wbtui.tui.screens.dialogs import Prompt, ask
from wbtui.tui.screens.run_commands import RunCommands
from wbtui.tui.seeds import XAxis
from wbtui.tui.snapshots import RunDetail, Snapshot
from wbtui.tui.theme import CAUTION
from wbtui.tui.widgets.key_bar import KeyBar
from wbtui.tui.widgets.one_line import OneLine
from wbtui.tui.widgets.panel_grid import PanelGrid
from wbtui.tui.widgets.pick_list import Picked, Tabs
from wbtui.tui.widgets.text_pane import TextPane
from wbtui.tui.widgets.too_small import TooSmall

PAGES = ("overview", "panels", "heatmaps", "log", "system")
_FIRST: dict[StateName, str] = {
    "running": "panels",
    "starting": "log",
    "stalled": "log",
    "stopping": "panels",
    "ending": "panels",
}


def doing(detail: RunDetail) -> str:
    """What its trainer was doing at the last heartbeat; empty where nothing is at work."""
    beat = detail.heartbeat
    if beat is None:
        return ""
    batch = f" batch {beat.batch}/{beat.batches or '?'}" if beat.batch is not None else ""
    speed = f", {beat.images_per_second:,.0f} images/s" if beat.images_per_second else ""
    return f"{beat.phase}{batch}{speed}"


class RunScreen(RunCommands):
    """The pages of one run.

    Args:
        run_id: Its id.
    """

    BINDINGS = bindings("run")
    CSS = """
    RunScreen #tabs { background: $panel; }
    RunScreen #status { background: $surface; }
    """

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id
        self.page = "overview"
        self._shown: tuple[Shown, ...] = ()
        self._system: tuple[PanelSpec, ...] = ()
        self._system_of: object = None
        self._active = dict.fromkeys(PAGES, 0)
        self._other_place: tuple[tuple[float, float] | None, float | None] = (None, None)
        """Zoom and cursor of the samples while another page is open; of the other pages while theirs is."""

    def compose(self) -> ComposeResult:
        """Name and state, pages, status, keys."""
        yield OneLine(id="top")
        yield Tabs(id="tabs")
        yield TextPane(id="text")
        yield PanelGrid(id="panels")
        yield OneLine(id="status")
        yield KeyBar("run", id="keys")
        yield TooSmall()

    def on_mount(self) -> None:
        """Begin where the run's state makes it interesting."""
        self.begin_view(self.dashboard.views)
        row = self.row
        self.go_to(_FIRST.get(row.state, "overview") if row else "overview")

    @property
    def row(self) -> RunSummary | None:
        """The run's row; None where it is gone."""
        return self.dashboard.snapshot.by_id.get(self.run_id)

    @property
    def detail(self) -> RunDetail:
        """What is known of the run so far."""
        return self.dashboard.snapshot.details.get(self.run_id, RunDetail(self.run_id, 0))

    NOBODY = "this run is not there any more"

    def acting_rows(self) -> Sequence[RunSummary]:
        """This run."""
        return (self.row,) if self.row else ()

    def action_adjust(self) -> None:
        """Logit adjustment of this run."""
        if self._acting():
            super().action_adjust()

    def action_compare(self) -> None:
        """Compare this run with what is saved under it."""
        if self._acting():
            super().action_compare()

    # ------------------------------------------------------------------ pages

    def go_to(self, page: str) -> None:
        """Turn to a page."""
        self._active[self.page] = self.active_panel
        if (page == "system") != (self.page == "system"):
            state, (x_bounds, cursor) = self.plot_state, self._other_place
            self._other_place = (state.x_bounds, state.cursor)
            self.plot_state = replace(state, x_bounds=x_bounds, cursor=cursor)
        self.go_into_panels(False)
        self.page, self.active_panel = page, self._active[page]
        text = page in ("overview", "log")
        self.query_one(TextPane).display = text
        self.query_one(PanelGrid).display = not text
        if text:
            self.query_one(TextPane).follows = page == "log"
            self.query_one(TextPane).focus()
        if self.row is None:  # what was read of it stays on the page that was open, and there alone
            self.query_one(TextPane).show([((f" {self.NOBODY}", "dim"),)])
            self.panels_changed()
        self.take(self.dashboard.snapshot)

    def _tabs(self, around: str = " ") -> list[Part]:
        parts: list[Part] = []
        for page in PAGES:
            style = "reverse bold" if page == self.page else ""
            parts += [(" ", ""), (f"{around}{page.capitalize()}{around}", style)]
        return parts

    def take(self, snapshot: Snapshot) -> None:
        """Show what the feed read."""
        row = self.row
        if row is None:
            self.query_one("#tabs", OneLine).show(self._tabs())
            self.query_one("#top", OneLine).show([(f" {self.NOBODY}; esc goes back", "bold")])
            return
        self._show_top(row)
        files = snapshot.files if snapshot.files and snapshot.files.id == self.run_id else None
        if self.page == "overview":
            self.query_one(TextPane).show(pages.overview_lines(files, self.detail, self._text_width))
        elif self.page == "log":
            self.query_one(TextPane).show(pages.log_lines(files), follow=True)
        self.panels_changed()

    def _show_top(self, row: RunSummary) -> None:
        """Name, state and progress, the pages; the state's evidence beside the pages, where there is room for it."""
        width = self.app.size.width
        colour = STATE_COLOURS.get(row.state, "")
        evidence: list[Part] = [(plain(row.evidence), colour), (f"{beside_state(row)} ", CAUTION)]
        spacious, dense = self._tabs(), self._tabs("")
        tabs = next((one for one in (spacious, dense) if parts_width([*one, *evidence]) + 2 <= width), None)
        name: list[Part] = [(f" {plain(self.called(row))} ", "bold reverse"), (f" {row.state}", colour)]
        name += [] if tabs else [(": ", colour), *evidence]
        eta = eta_seconds(row, self.detail, time.time())
        left = f", {duration(round(eta))} to go" if eta is not None else ""
        far: list[Part] = [(f"  epoch {epochs(row.epoch, row.total_epochs)}{left} ", "")]
        busy: list[Part] = [(f"  {doing(self.detail)}", ""), *far]
        roomy = parts_width([*name, *busy]) <= width
        self.query_one("#top", OneLine).show(name, busy if roomy else far, right_first=True)
        self.query_one("#tabs", OneLine).show(tabs or spacious, evidence if tabs else [])

    @property
    def _text_width(self) -> int:
        """Cells of a line of text, beside its scroll bar."""
        return self.app.size.width - 1

    def on_resize(self) -> None:
        """Share the two lines at the top anew, and the room for tables."""
        self.take(self.dashboard.snapshot)

    # ------------------------------------------------------------------ panels

    def shown(self) -> Sequence[Shown]:
        """This run, or its samples."""
        return self._shown

    @property
    def specs(self) -> tuple[PanelSpec, ...]:
        """The panels of this page."""
        if self.page == "system":
            return self._system
        specs = super().specs
        return tuple(spec for spec in specs if spec.axis != "scalar") if self.page == "heatmaps" else specs

    @property
    def without_panels_why(self) -> str:
        """Why this page has no panel; empty where that is not known yet."""
        if self.row is None:
            return self.NOBODY
        files = self.dashboard.snapshot.files
        if self.page == "system":
            read = files is not None and files.id == self.run_id
            return "no samples: no waiter has looked at processes of this run" if read else ""
        if self.page == "heatmaps" and self._specs and all(spec.axis == "scalar" for spec in self._specs):
            return "nothing has been measured by class or layer"
        return super().without_panels_why

    def _drawn_state(self) -> PlotState:
        """How this page draws: heatmaps are heatmaps, samples have no epochs."""
        if self.page == "heatmaps":
            return replace(self.plot_state, class_views={spec.key: "heatmap" for spec in self.specs})
        if self.page == "system":
            return replace(self.plot_state, x_axis=self.x_axis, splits={})
        return self.plot_state

    @property
    def x_axis(self) -> XAxis:
        """Samples lie along minutes, whatever the metrics lie along."""
        return "time" if self.page == "system" else super().x_axis

    def panels_changed(self) -> None:
        """Draw the panels of this page; ask the feed for what they need."""
        if not is_open(self):
            return
        files = self.dashboard.snapshot.files
        detail = self.detail
        if self.page == "system":
            if files is not self._system_of or not self._shown:
                self._system_of = files
                detail = pages.system_detail(files if files and files.id == self.run_id else None)
                self._system = pages.system_panels(detail)
                self._shown = (Shown("system", "", style_of(0), (detail,)),)
        elif not self._shown or self._shown[0].details[0] is not detail:
            self._shown = (Shown(self.run_id, self.dashboard.short(self.run_id), style_of(0), (detail,)),)
        grid = self.query_one(PanelGrid)
        if grid.display:
            grid.show(
                self.specs,
                self._shown,
                self._drawn_state(),
                self.active_panel,
                alone=self.full,
                without=self.without_panels_why,
            )
        self.show_keys()
        self.want([self.run_id], files=self.run_id)
        self.show_status()

    def show_status(self) -> None:
        """The run's figures at the cursor."""
        if self.remarks or not is_open(self):
            return
        self.query_one("#status", OneLine).show(
            figures_line(self._shown, self.plot_state, None, self.app.size.width)
            if self.page != "system"
            else [(" samples every few seconds, by the run's waiter", "dim")] * bool(self._system)
        )

    # ------------------------------------------------------------------ keys

    def step_out(self) -> bool:
        """Leave full screen, cursor or zoom; on a page of text there is none of them to leave."""
        return self.query_one(PanelGrid).display and super().step_out()

    def action_full_screen(self) -> None:
        """One panel with all the room, and back; a page of text has it already."""
        if self.query_one(PanelGrid).display:
            super().action_full_screen()

    def action_x_axis(self) -> None:
        """The next x axis; samples lie along minutes, whatever the metrics lie along."""
        if self.page == "system":
            self.remark("samples go by minutes alone")
        elif self.page == "heatmaps":
            self.remark("heatmaps go by epochs alone, matrices by classes")
        else:
            super().action_x_axis()

    def action_next_tab(self) -> None:
        """The next page."""
        self._turn(1)

    def action_previous_tab(self) -> None:
        """The page before."""
        self._turn(-1)

    def _turn(self, by: int) -> None:
        self._turn_to(PAGES[(PAGES.index(self.page) + by) % len(PAGES)])

    def _turn_to(self, page: str) -> None:
        self._shown = ()
        self.go_to(page)

    def on_picked(self, message: Picked) -> None:
        """The tab of a page was clicked."""
        self._turn_to(PAGES[message.index])

    def action_up(self) -> None:
        """A line up."""
        self.query_one(TextPane).move_by(-1)

    def action_down(self) -> None:
        """A line down."""
        self.query_one(TextPane).move_by(1)

    def action_page_up(self) -> None:
        """A page up."""
        pane = self.query_one(TextPane)
        pane.move_by(1 - pane.size.height)

    def action_page_down(self) -> None:
        """A page down."""
        pane = self.query_one(TextPane)
        pane.move_by(pane.size.height - 1)

    def action_first(self) -> None:
        """To the beginning."""
        self.query_one(TextPane).move_to(0)

    def action_last(self) -> None:
        """To the end; the log follows again."""
        self.query_one(TextPane).to_end()

    async def action_search(self) -> None:
        """Search this page."""

        def answered(text: str | None) -> None:
            if text is not None and not self.query_one(TextPane).search(text) and text:
                self.dashboard.say(f"{text!r} does not stand here", "warning")

        if self.page not in ("overview", "log"):
            self._turn_to("log")
        after, before = map(self.dashboard.keys_of, ("run.next_match", "run.previous_match"))
        hint = f"{after} goes to the next match then, {before} to the one before; case does not matter"
        await ask(self.app, Prompt("Search", hint=hint), answered)

    def action_next_match(self) -> None:
        """The next match."""
        self.query_one(TextPane).step(1)

    def action_previous_match(self) -> None:
        """The match before."""
        self.query_one(TextPane).step(-1)

    def action_write(self) -> None:
        """Write the run or the screen to a file."""
        from wbtui.tui.screens.exports import ask_to_write_run

        rows = self._acting()
        if rows:
            ask_to_write_run(self.dashboard, rows[0])

"""The first screen: which runs are there, how do they do, and how do their curves compare?"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from textual import events
from textual.app import ComposeResult

from wbtui.errors import UsageError
from wbtui.report.filters import Filter, parse_filter
from wbtui.report.seeds import sentences
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui.actions import bindings
from wbtui.tui.alerts import LOUD_STATES, alerts_of, beside_state
from wbtui.tui.columns import COLUMNS, Context, sortable
from wbtui.tui.figures_line import figures_line
from wbtui.tui.lines import TableLine, replaced, table_lines
from wbtui.tui.marks import colours_for, rich_colour, shown_ids, style_of
from wbtui.tui.plots import Shown
from wbtui.tui.screens.dialogs import Choose, Prompt
from wbtui.tui.screens.run_commands import RunCommands
from wbtui.tui.seeds import seeds_label
from wbtui.tui.snapshots import RunDetail, Snapshot
from wbtui.tui.status import top_left, top_right, without_curves
from wbtui.tui.widgets.key_bar import KeyBar
from wbtui.tui.widgets.one_line import OneLine
from wbtui.tui.widgets.panel_grid import PanelGrid
from wbtui.tui.widgets.run_table import Marks, RunTable
from wbtui.tui.widgets.too_small import TooSmall
from wbtui.tui.widgets.welcome import Welcome

_WITHOUT_RUNS = frozenset({"runs.start", "runs.queue"})
"""Actions that do something where there is no run."""


class RunsScreen(RunCommands):
    """Table above, panels below."""

    BINDINGS = bindings("runs")
    DEFAULT_CSS = """
    RunsScreen #title { background: $panel; }
    RunsScreen #status { background: $surface; }
    RunsScreen PanelGrid.-keys Panel > .panel--active { text-style: bold reverse; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._filter = Filter("")
        self._lines: list[TableLine] = []
        self._listed: Sequence[RunSummary] = ()
        self._listed_how: object = None
        self._states: Mapping[str, int] = {}
        self._selected: frozenset[str] = frozenset()
        self._colours: Mapping[str, int] = {}
        self._shown: tuple[Shown, ...] = ()
        self._shown_of: object = None
        self._without_table = False
        self._without_panels = False

    def compose(self) -> ComposeResult:
        """Top line, table, panels, status, keys."""
        yield OneLine(id="top")
        yield OneLine(id="title")
        yield RunTable(id="runs")
        yield PanelGrid(id="panels")
        yield Welcome(id="welcome")
        yield OneLine(id="status")
        yield KeyBar("runs", id="keys")
        yield TooSmall()

    def on_mount(self) -> None:
        """Take up the view as it was left."""
        views = self.dashboard.views
        self.begin_view(views)
        try:
            self._filter = parse_filter(views.filter)
        except UsageError:
            self.dashboard.keep_views(filter="")
        self._colours = dict(views.colours)
        self.query_one(RunTable).focus()
        self.take(self.dashboard.snapshot)

    # ------------------------------------------------------------------ what comes in

    def take(self, snapshot: Snapshot) -> None:
        """Show what the feed read."""
        views = self.dashboard.views
        how = (self._filter, views.sort, views.group)
        if how != self._listed_how or snapshot.rows is not self._listed:
            simple = how == self._listed_how and not (self._filter.text or views.sort or views.group)
            lines = replaced(self._lines, self._listed, snapshot.rows) if simple else None
            if lines is None:
                self._states = Counter(row.state for row in snapshot.rows)
            self._listed, self._listed_how = snapshot.rows, how
            self._lines = (
                table_lines(snapshot.rows, self._filter, views.sort, group=views.group)
                if lines is None
                else lines
            )
        self._show_table()
        self.panels_changed()
        self._show_texts()

    def _show_table(self) -> None:
        table, views = self.query_one(RunTable), self.dashboard.views
        snapshot = self.dashboard.snapshot
        if not snapshot.loaded:
            table.message = "reading ..."
        elif snapshot.problem:
            table.message = plain(snapshot.problem)
        elif not self._lines and snapshot.rows:
            table.message = f"none of {len(snapshot.rows)} runs is {plain(self._filter.text)}"
        else:
            table.message = ""
        marks = Marks(
            {name: rich_colour(style_of(index)) for name, index in self._colours.items()},
            frozenset(views.pinned),
            self._selected,
            views.baseline,
        )
        context = Context(self.dashboard.short_ids, snapshot.details, time.time(), self.plot_state.glyphs)
        table.show(self._lines, context, marks, grouped=views.group)
        self._share_room()

    def _show_texts(self) -> None:
        snapshot = self.dashboard.snapshot
        self.query_one("#top", OneLine).show(
            top_left(self._states, self.dashboard.runs, loaded=snapshot.loaded),
            top_right(snapshot.machine, self.size.width),
        )
        views = self.dashboard.views
        count = (
            f"{len(self._lines)} of {len(snapshot.rows)}" if self._filter.text else f"{len(snapshot.rows)}"
        )
        notes = [f"/ {self._filter.text}"] if self._filter.text else []
        notes += [f"by {views.sort}"] if views.sort else []
        notes += ["seeds folded"] if views.group else []
        self.query_one("#title", OneLine).show(
            [(" Runs ", "bold"), (count, ""), ("   " + plain("   ".join(notes)) if notes else "", "")]
        )
        self.show_status()

    def show_status(self) -> None:
        """The figures at the cursor, and what is to be said of the run under the table's."""
        if self.remarks:
            return
        line = self.query_one(RunTable).current
        row = line.leader if line else None
        evidence = f" {row.state}: {row.evidence}" if row is not None and row.state != "finished" else ""
        besides = without_curves(row, self.dashboard.snapshot.details.get(row.id)) if row is not None else ""
        besides += "".join(f" {one}" for one in self._said_of_seeds())
        wrong = {line.key: alerts_of(row)} if line is not None and row is not None else {}
        width = self.size.width
        parts = figures_line(self._shown, self.plot_state, self._baseline_line(), width, wrong)
        if parts:
            quiet = besides if row is not None and row.state in LOUD_STATES else evidence + besides
            self.query_one("#status", OneLine).show(parts, [(plain(quiet) + " ", "dim")])
        else:
            evidence += beside_state(row) if row is not None else ""
            self.query_one("#status", OneLine).show([(plain(evidence + besides), "")])

    def _said_of_seeds(self) -> Sequence[str]:
        """Which runs of the folded line under the cursor do not count."""
        line = self.query_one(RunTable).current
        if line is None or len(line.members) == 1:
            return ()
        return sentences(line.name, line.counted, self.dashboard.short_ids)

    def _baseline_line(self) -> TableLine | None:
        """The run that others are measured against, with its seeds where they are folded."""
        name = self.dashboard.views.baseline
        row = self.dashboard.snapshot.by_id.get(name)
        if row is None:
            return None
        folded = self._lines if self.dashboard.views.group else ()
        own = (line for line in folded if any(member.id == name for member in line.members))
        return next(own, TableLine((row,)))

    # ------------------------------------------------------------------ which runs are shown

    @property
    def current_row(self) -> RunSummary | None:
        """The run under the table's cursor."""
        line = self.query_one(RunTable).current
        return line.row if line else None

    def acting_rows(self) -> Sequence[RunSummary]:
        """The run under the cursor, or all seeds of the setting under it."""
        line = self.query_one(RunTable).current
        return line.members if line else ()

    def shown(self) -> Sequence[Shown]:
        """The run under the cursor, pinned and selected ones."""
        return self._shown

    def compared_rows(self) -> Sequence[RunSummary]:
        """The shown runs; of folded seeds those too that do not count: the comparison says why."""
        by_id = self.dashboard.snapshot.by_id
        lines = {line.key: line.members for line in self._lines}
        ids = [one.id for one in self._shown if one.id in by_id]
        return [row for name in ids for row in lines.get(name, (by_id[name],))]

    def _choose_shown(self) -> None:
        """Decide who is shown in which colour; the same objects as before where nothing changed."""
        views, snapshot = self.dashboard.views, self.dashboard.snapshot
        current = self.query_one(RunTable).current
        by_member = (
            {member.id: line for line in self._lines for member in line.members} if views.group else {}
        )
        there = snapshot.by_id
        ids = shown_ids(current.key if current else "", views.pinned, self._selected, there)
        if views.group:
            ids = list(dict.fromkeys(by_member[name].key if name in by_member else name for name in ids))
        colours = colours_for(ids, self._colours)
        if colours != self._colours:
            self._colours = colours
            self.dashboard.keep_views(
                colours={name: index for name, index in colours.items() if name in views.pinned}
            )
            self._show_table()
        chosen = []
        for name in ids:
            members = by_member[name].counted.runs if name in by_member else (there[name],)
            found = tuple(snapshot.details.get(row.id, RunDetail(row.id, 0)) for row in members)
            chosen.append((name, self._label(members), colours[name], found))
        shown_of = [(name, label, index, tuple(map(id, found))) for name, label, index, found in chosen]
        if shown_of != self._shown_of:
            self._shown_of = shown_of
            self._shown = tuple(
                Shown(name, label, style_of(index), found) for name, label, index, found in chosen
            )

    def _label(self, members: Sequence[RunSummary]) -> str:
        if len(members) > 1:
            return seeds_label(TableLine(tuple(members)).name, len(members))
        return plain(self.dashboard.short(members[0].id))

    def panels_changed(self) -> None:
        """Draw the panels; ask the feed for what they need."""
        self._choose_shown()
        self._share_room()
        self.query_one(PanelGrid).show(
            self.specs, self._shown, self.plot_state, self.active_panel, alone=self.full
        )
        self.want([detail.id for one in self._shown for detail in one.details])
        self.show_keys()
        self.show_status()

    def on_run_table_moved(self) -> None:
        """Another run is under the cursor."""
        self.go_into_panels(False)
        self.panels_changed()
        self._show_table()

    def on_run_table_opened(self) -> None:
        """A line was clicked twice."""
        self.go_into_panels(False)
        self.action_open()

    # ------------------------------------------------------------------ room

    def on_resize(self, event: events.Resize) -> None:
        """Share the room anew."""
        self._share_room()
        self.show_status()

    def _share_room(self) -> None:
        empty = self.dashboard.snapshot.loaded and not self.dashboard.snapshot.rows
        empty = empty and not self.dashboard.snapshot.problem
        table, panels = self.query_one(RunTable), self.query_one(PanelGrid)
        self.query_one(Welcome).display = empty
        self.query_one(KeyBar).limit(_WITHOUT_RUNS if empty else None)
        table.display = not (empty or self.full or self._without_table)
        self.query_one("#title").display = not (empty or self.full)
        panels.display = not (empty or self._without_panels)
        lines = max(len(self._lines), 1) + 1
        height = "1fr" if self._without_panels else min(lines, max((self.size.height - 4) // 3, 5))
        if self._table_height != height:
            self._table_height = height
            table.styles.height = height

    _table_height: object = None

    def action_hide_table(self) -> None:
        """Hide the table, or show it."""
        self._without_table = not self._without_table
        self._without_panels = False
        self._share_room()

    def action_hide_panels(self) -> None:
        """Hide the panels, or show them."""
        self._without_panels = not self._without_panels
        self._without_table = False
        self._share_room()

    # ------------------------------------------------------------------ table keys

    def _steered(self) -> RunTable:
        """The table, whose keys were pressed: `enter` is its own again."""
        self.go_into_panels(False)
        return self.query_one(RunTable)

    def action_up(self) -> None:
        """The run above."""
        self._steered().move_by(-1)

    def action_down(self) -> None:
        """The run below."""
        self._steered().move_by(1)

    def action_page_up(self) -> None:
        """A page up."""
        table = self._steered()
        table.move_by(-table.page)

    def action_page_down(self) -> None:
        """A page down."""
        table = self._steered()
        table.move_by(table.page)

    def action_first(self) -> None:
        """The first run."""
        self._steered().move_to(0)

    def action_last(self) -> None:
        """The last run."""
        self._steered().move_to(len(self._lines) - 1)

    def action_open(self) -> None:
        """Open the run under the cursor; after going to a panel, give that the whole screen."""
        if self.in_panels or self.full:
            self.action_full_screen()
        elif self.current_row is not None:
            self.dashboard.open_run_page(self.current_row.id)

    def action_select(self) -> None:
        """Show this run beside the others, or no longer."""
        row = self.current_row
        if row is not None:
            self._selected ^= {row.id}
            self._marks_changed()

    def action_select_none(self) -> None:
        """Select no run any more; pinned ones stay shown."""
        if self._selected:
            self._selected = frozenset()
            self._marks_changed()
        else:
            self.dashboard.say("no run is selected")

    def action_pin(self) -> None:
        """Keep this run shown, or no longer."""
        row = self.current_row
        if row is not None:
            pinned = self.dashboard.views.pinned
            there = row.id in pinned
            self.dashboard.keep_views(
                pinned=tuple(name for name in pinned if name != row.id) if there else (*pinned, row.id)
            )
            self._marks_changed()

    def action_baseline(self) -> None:
        """Measure others against this run, or no longer."""
        row = self.current_row
        if row is not None:
            self.dashboard.keep_views(baseline="" if self.dashboard.views.baseline == row.id else row.id)
            self._marks_changed()

    def _marks_changed(self) -> None:
        self.panels_changed()
        self._show_table()

    def action_back(self) -> None:
        """One layer out."""
        if self.step_out():
            return
        if self.in_panels:
            self.go_into_panels(False)
        elif self._filter.text:
            self._set_filter("")

    # ------------------------------------------------------------------ filter, order, groups

    def action_filter(self) -> None:
        """Ask for a filter."""

        def answered(text: str | None) -> None:
            if text is not None:
                self._set_filter(text)

        hint = "preset:digits_lt  state:running,failed  wd>=1e-3  few>20  tag:base  -variant:ce  /re/"
        self.app.push_screen(Prompt("Filter", self._filter.text, hint, parse_filter), answered)

    def _set_filter(self, text: str) -> None:
        """Filter so; where no run is left, the view stays and that is said."""
        wanted = parse_filter(text)
        rows = self.dashboard.snapshot.rows
        if rows and not wanted.of(rows):
            self.dashboard.say(f"no run is {text}", "warning")
            return
        self._filter = wanted
        self.dashboard.keep_views(filter=text)
        self.take(self.dashboard.snapshot)

    def action_sort(self) -> None:
        """Ask for an order."""
        views = self.dashboard.views

        def chosen(key: str | None) -> None:
            if key is not None:
                descending_first = key not in ("state", "id", "preset", "variant", "seed", "tag", "loss")
                first = f"-{key}" if key and descending_first else key
                other = first.removeprefix("-") if first.startswith("-") else f"-{key}"
                self.dashboard.keep_views(sort=other if key and views.sort == first else first)
                self.take(self.dashboard.snapshot)

        options = [("", "living first, then the newest"), ("-time", "newest first")]
        options += [(column.key, column.title) for column in sortable(COLUMNS)]
        self.app.push_screen(
            Choose("Order by (again: the other way round)", options, views.sort.lstrip("-")), chosen
        )

    def action_group(self) -> None:
        """Fold seeds, or unfold them."""
        self.dashboard.keep_views(group=not self.dashboard.views.group)
        self.take(self.dashboard.snapshot)

    # ------------------------------------------------------------------ other screens

    def go_to_run(self, run_id: str) -> None:
        """Put the cursor on a run, as soon as it is there."""
        self.query_one(RunTable).move_to_run(run_id)

    def action_start(self) -> None:
        """The start form."""
        if not self.dashboard.refuses_writing():
            self.dashboard.open_start(None)

    def action_queue(self) -> None:
        """The queue."""
        self.dashboard.open_queue()

    def action_difference(self) -> None:
        """Configuration keys in which the shown runs differ."""
        from wbtui.tui.screens.difference import show_difference

        by_id = self.dashboard.snapshot.by_id
        ids = [one.id for one in self._shown if one.id in by_id]
        baseline = self.dashboard.views.baseline
        if baseline in by_id and baseline not in ids:
            ids.insert(0, baseline)
        show_difference(self.dashboard, [by_id[name] for name in ids])

    def action_write(self) -> None:
        """Write the table or the screen to a file."""
        from wbtui.tui.screens.exports import ask_to_write_table

        ask_to_write_table(self.dashboard, [row for line in self._lines for row in line.members])

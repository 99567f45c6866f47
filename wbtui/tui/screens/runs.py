"""The first screen: which runs are there, how do they do, and how do their curves compare?"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from textual import events
from textual.app import ComposeResult

from wbtui.errors import UsageError
from wbtui.report.filters import parse_filter
from wbtui.report.seeds import sentences
from wbtui.report.telling import told_apart
from wbtui.report.values import counted
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui.actions import bindings
from wbtui.tui.alerts import LOUD_STATES, alerts_of, beside_state
from wbtui.tui.columns import Context, chosen_columns
from wbtui.tui.figures_line import cut_by_words, figures_line
from wbtui.tui.ink import parts_width
from wbtui.tui.lines import TableLine, replaced, table_lines
from wbtui.tui.marks import MOST_SHOWN, colours_for, marked_ids, rich_colour, style_of
from wbtui.tui.plots import Shown
from wbtui.tui.screens.runs_keys import RunsKeys
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

_LEAST_BESIDE = 24  # cells in which the beginning of what is said beside the figures is worth its room


class RunsScreen(RunsKeys):
    """Table above, panels below."""

    BINDINGS = bindings("runs")
    DEFAULT_CSS = """
    RunsScreen #title { background: $panel; }
    RunsScreen #status { background: $surface; }
    RunsScreen PanelGrid.-keys Panel > .panel--active { text-style: bold reverse; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._listed: Sequence[RunSummary] = ()
        self._listed_how: object = None
        self._states: Mapping[str, int] = {}
        self._apart: Mapping[str, str] = {}
        self._colours: Mapping[str, int] = {}
        self._shown: tuple[Shown, ...] = ()
        self._shown_of: object = None
        self._table_height: object = None

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
            self.filter = parse_filter(views.filter)
        except UsageError:
            self.dashboard.keep_views(filter="")
        self._colours = dict(views.colours)
        self.query_one(RunTable).focus()
        self.take(self.dashboard.snapshot)

    # ------------------------------------------------------------------ what comes in

    def take(self, snapshot: Snapshot) -> None:
        """Show what the feed read."""
        views = self.dashboard.views
        how = (self.filter, views.sort, views.group)
        if how != self._listed_how or snapshot.rows is not self._listed:
            simple = how == self._listed_how and not (self.filter.text or views.sort or views.group)
            lines = replaced(self.lines, self._listed, snapshot.rows) if simple else None
            if lines is None:
                lines = table_lines(snapshot.rows, self.filter, views.sort, group=views.group)
                self._states = Counter(row.state for row in snapshot.rows)
                self._apart = told_apart(line.row for line in lines)
            self.lines, self._listed, self._listed_how = lines, snapshot.rows, how
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
        elif not self.lines and snapshot.rows:
            table.message = f"none of {counted(len(snapshot.rows), 'run')} is {plain(self.filter.text)}"
        else:
            table.message = ""
        marks = Marks(
            {name: rich_colour(style_of(index)) for name, index in self._colours.items()},
            frozenset(views.pinned),
            frozenset(self.selected),
            views.baseline,
        )
        short, glyphs = self.dashboard.short_ids, self.plot_state.glyphs
        context = Context(short, snapshot.details, time.time(), glyphs, self._apart)
        columns = chosen_columns(views.columns, views.hidden_columns)
        table.show(self.lines, context, marks, grouped=views.group, columns=columns)
        self.share_room()

    def _show_texts(self) -> None:
        snapshot = self.dashboard.snapshot
        self.query_one("#top", OneLine).show(
            top_left(self._states, self.dashboard.runs, snapshot),
            top_right(snapshot.machine, self.size.width),
        )
        views = self.dashboard.views
        count = f"{len(self.lines)} of {len(snapshot.rows)}" if self.filter.text else f"{len(snapshot.rows)}"
        notes = [f"/ {self.filter.text}"] if self.filter.text else []
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
            quiet = plain(besides if row is not None and row.state in LOUD_STATES else evidence + besides)
            room = width - parts_width(parts) - 1
            if besides and room >= _LEAST_BESIDE:
                quiet = cut_by_words(quiet, room)
            self.query_one("#status", OneLine).show(parts, [(quiet + " ", "dim")])
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
        folded = self.lines if self.dashboard.views.group else ()
        own = (line for line in folded if any(member.id == name for member in line.members))
        return next(own, TableLine((row,)))

    # ------------------------------------------------------------------ which runs are shown

    def shown(self) -> Sequence[Shown]:
        """The run under the cursor, pinned and selected ones, as many as anybody tells apart."""
        return self._shown

    def adjusted_rows(self) -> Sequence[RunSummary]:
        """The runs that are pointed at, drawn or not; of folded seeds those that count."""
        return [row for line in self._marked_lines() for row in line.counted.runs]

    def compared_rows(self) -> Sequence[RunSummary]:
        """The same; of folded seeds those too that do not count: the comparison says why."""
        return [row for line in self._marked_lines() for row in line.members]

    def marked(self) -> Sequence[str]:
        """Ids of the runs that are pointed at, drawn or not; of folded seeds one."""
        return [line.key for line in self._marked_lines()]

    def _marked_lines(self) -> list[TableLine]:
        """The run under the cursor, pinned and selected ones, with their seeds where these are folded."""
        views, there = self.dashboard.views, self.dashboard.snapshot.by_id
        current = self.query_one(RunTable).current
        ids = marked_ids(current.key if current else "", views.pinned, self.selected, there)
        folded = {row.id: line for line in self.lines for row in line.members} if views.group else {}
        lines = [folded[name] if name in folded else TableLine((there[name],)) for name in ids]
        return list({line.key: line for line in lines}.values())

    def go_to_run(self, run_id: str) -> None:
        """Put the cursor on a run, as soon as it is there."""
        self.query_one(RunTable).move_to_run(run_id)

    def _choose_shown(self) -> None:
        """Decide who is shown in which colour; the same objects as before where nothing changed."""
        views, snapshot = self.dashboard.views, self.dashboard.snapshot
        lines = self._marked_lines()[:MOST_SHOWN]
        colours = colours_for([line.key for line in lines], self._colours)
        if colours != self._colours:
            self._colours = colours
            self.dashboard.keep_views(
                colours={name: index for name, index in colours.items() if name in views.pinned}
            )
            self._show_table()
        chosen = []
        for line in lines:
            members = line.counted.runs
            found = tuple(snapshot.details.get(row.id, RunDetail(row.id, 0)) for row in members)
            chosen.append((line.key, self._label(members), colours[line.key], found))
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

    def marks_changed(self) -> None:
        """Draw the panels, in other colours, then the table."""
        self.panels_changed()
        self._show_table()

    def panels_changed(self) -> None:
        """Draw the panels; ask the feed for what they need."""
        self._choose_shown()
        self.share_room()
        self.query_one(PanelGrid).show(
            self.specs,
            self._shown,
            self.plot_state,
            self.active_panel,
            alone=self.full,
            without=self.without_panels_why,
        )
        self.want([detail.id for one in self._shown for detail in one.details])
        self.show_keys()
        self.show_status()

    def on_run_table_moved(self) -> None:
        """Another run is under the cursor."""
        self.go_into_panels(False)
        self.marks_changed()

    def on_run_table_opened(self) -> None:
        """A line was clicked twice."""
        self.go_into_panels(False)
        self.action_open()

    # ------------------------------------------------------------------ room

    def on_resize(self, event: events.Resize) -> None:
        """Share the room anew."""
        self.share_room()
        self.show_status()

    def share_room(self) -> None:
        """What is there, or was asked for, gets the room; a table as many lines as it has, up to a third."""
        empty = self.dashboard.snapshot.loaded and not self.dashboard.snapshot.rows
        empty = empty and not self.dashboard.snapshot.problem
        table, panels = self.query_one(RunTable), self.query_one(PanelGrid)
        self.query_one(Welcome).display = empty
        self.query_one(KeyBar).limit(_WITHOUT_RUNS if empty else None)
        table.display = not (empty or self.full or self.without_table)
        self.query_one("#title").display = not (empty or self.full)
        panels.display = not (empty or self.without_panels)
        lines = max(len(self.lines), 1) + 1
        height = "1fr" if self.without_panels else min(lines, max((self.size.height - 4) // 3, 5))
        if self._table_height != height:
            self._table_height = height
            table.styles.height = height

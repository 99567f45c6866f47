"""What do the keys of the list of runs do: move, mark, filter, order, fold, hide, and open other screens?"""

from abc import abstractmethod
from collections.abc import Sequence

from wbtui.report.filters import Filter, parse_filter
from wbtui.store.summary import RunSummary
from wbtui.tui.arranging import arranged
from wbtui.tui.columns import COLUMNS, sortable
from wbtui.tui.lines import TableLine
from wbtui.tui.screens.dialogs import Arrange, Arrangement, Choose, Prompt, ask
from wbtui.tui.screens.run_commands import RunCommands
from wbtui.tui.widgets.run_table import RunTable

_SMALLEST_FIRST = ("state", "id", "preset", "variant", "seed", "tag", "loss")
"""Columns whose order begins with the smallest; that of the others with the largest."""


class RunsKeys(RunCommands):
    """The lines of the table, and the keys that choose among them."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = Filter("")
        self.lines: list[TableLine] = []
        self.selected: tuple[str, ...] = ()
        """Ids of the selected runs, in the order in which they were selected."""
        self.without_table = False
        self.without_panels = False

    # ------------------------------------------------------------------ what a screen provides

    @abstractmethod
    def marks_changed(self) -> None:
        """Other runs are selected, pinned or the baseline: draw panels and table."""

    @abstractmethod
    def share_room(self) -> None:
        """Table or panels come or go: share the room anew."""

    @abstractmethod
    def marked(self) -> Sequence[str]:
        """Ids of the runs that are pointed at."""

    # ------------------------------------------------------------------ runs under the cursor

    @property
    def current_row(self) -> RunSummary | None:
        """The run under the table's cursor."""
        line = self.query_one(RunTable).current
        return line.row if line else None

    def acting_rows(self) -> Sequence[RunSummary]:
        """The run under the cursor, or all seeds of the setting under it."""
        line = self.query_one(RunTable).current
        return line.members if line else ()

    # ------------------------------------------------------------------ room

    def action_hide_table(self) -> None:
        """Hide the table, or show it."""
        self.without_table = not self.without_table
        self.without_panels = False
        self.share_room()

    def action_hide_panels(self) -> None:
        """Hide the panels, or show them."""
        self.without_panels = not self.without_panels
        self.without_table = False
        self.share_room()

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
        self._steered().move_to(len(self.lines) - 1)

    def action_open(self) -> None:
        """Open the run under the cursor; after going to a panel, give that the whole screen."""
        if self.in_panels or self.full:
            self.action_full_screen()
        elif self.current_row is not None:
            self.dashboard.open_run_page(self.current_row.id)

    def action_select(self) -> None:
        """Show this run beside the others, or no longer."""
        line = self.query_one(RunTable).current
        if line is not None:
            self.selected = toggled(self.selected, line)
            self.marks_changed()

    def action_select_none(self) -> None:
        """Select no run any more; pinned ones stay shown."""
        if self.selected:
            self.selected = ()
            self.marks_changed()
        else:
            self.dashboard.say("no run is selected")

    def action_pin(self) -> None:
        """Keep this run shown, or no longer."""
        line = self.query_one(RunTable).current
        if line is not None:
            self.dashboard.keep_views(pinned=toggled(self.dashboard.views.pinned, line))
            self.marks_changed()

    def action_baseline(self) -> None:
        """Measure others against this run, or no longer."""
        line = self.query_one(RunTable).current
        if line is not None:
            own = [row.id for row in line.members]
            self.dashboard.keep_views(baseline="" if self.dashboard.views.baseline in own else line.key)
            self.marks_changed()

    def action_back(self) -> None:
        """One layer out."""
        if self.step_out():
            return
        if self.in_panels:
            self.go_into_panels(False)
        elif self.filter.text:
            self._set_filter("")

    # ------------------------------------------------------------------ filter, order, groups

    async def action_filter(self) -> None:
        """Ask for a filter."""

        def answered(text: str | None) -> None:
            if text is not None:
                self._set_filter(text)

        hint = "preset:digits_lt  state:running,failed  wd>=1e-3  few>20  tag:base  -variant:ce  /re/"
        await ask(self.app, Prompt("Filter", self.filter.text, hint, parse_filter), answered)

    def _set_filter(self, text: str) -> None:
        """Filter so; where no run is left, the view stays and that is said."""
        wanted = parse_filter(text)
        rows = self.dashboard.snapshot.rows
        if rows and not wanted.of(rows):
            self.dashboard.say(f"no run is {text}", "warning")
            return
        self.filter = wanted
        self.dashboard.keep_views(filter=text)
        self.take(self.dashboard.snapshot)

    def action_sort(self) -> None:
        """Ask for an order."""
        now = self.dashboard.views.sort.lstrip("-")
        options = [("", "living first, then the newest"), ("time", "newest first")]
        options += [(column.key, column.title) for column in sortable()]
        self.app.push_screen(Choose("Order by (again: the other way round)", options, now), self._order_by)

    def _order_by(self, key: str | None) -> None:
        if key is not None:
            self.dashboard.keep_views(sort=_order(key, self.dashboard.views.sort))
            self.take(self.dashboard.snapshot)

    def on_run_table_title_clicked(self, message: RunTable.TitleClicked) -> None:
        """Order by a column, or the other way round."""
        if message.key in (column.key for column in sortable()):
            self._order_by(message.key)

    def action_columns(self) -> None:
        """Choose and order the columns."""
        views = self.dashboard.views

        def arranged_so(answer: Arrangement | None) -> None:
            if answer is not None:
                self.dashboard.keep_views(columns=answer[0], hidden_columns=answer[1])
                self.take(self.dashboard.snapshot)

        titles = [(column.key, column.title) for column in arranged(COLUMNS, views.columns)]
        self.app.push_screen(Arrange("Columns", titles, views.hidden_columns), arranged_so)

    def action_group(self) -> None:
        """Fold seeds, or unfold them."""
        self.dashboard.keep_views(group=not self.dashboard.views.group)
        self.take(self.dashboard.snapshot)

    # ------------------------------------------------------------------ other screens

    async def action_start(self) -> None:
        """The start form."""
        if not self.dashboard.refuses_writing():
            row = self.current_row
            await self.dashboard.open_start(None, row.preset if row else "")

    def action_queue(self) -> None:
        """The queue."""
        self.dashboard.open_queue()

    def action_difference(self) -> None:
        """Configuration keys in which the run under the cursor, selected and pinned ones differ."""
        from wbtui.tui.screens.difference import show_difference

        by_id = self.dashboard.snapshot.by_id
        ids = [name for name in self.marked() if name in by_id]
        baseline = self.dashboard.views.baseline
        if baseline in by_id and baseline not in ids:
            ids.insert(0, baseline)
        show_difference(self.dashboard, [by_id[name] for name in ids])

    def action_write(self) -> None:
        """Write the table or the screen to a file."""
        from wbtui.tui.screens.exports import ask_to_write_table

        ask_to_write_table(self.dashboard, [row for line in self.lines for row in line.members])


def toggled(marked: Sequence[str], line: TableLine) -> tuple[str, ...]:
    """Ids of marked runs, with a line's run or, where one of its seeds is among them already, without all of these."""
    own = {row.id for row in line.members}
    others = tuple(name for name in marked if name not in own)
    return others if len(others) < len(marked) else (*marked, line.key)


def _order(key: str, now: str) -> str:
    """The order to take for a chosen column, or the other way round where that is the order now."""
    if not key:
        return ""
    smallest, largest = key, f"-{key}"
    first, other = (smallest, largest) if key in _SMALLEST_FIRST else (largest, smallest)
    return other if now == first else first

"""What do the keys do that act on the columns of a comparison: order, baseline, more and fewer, copies?"""

from abc import abstractmethod
from dataclasses import replace

from wbtui.report.compare import Comparison
from wbtui.report.compare_tables import difference_tables, long_table, metric_table
from wbtui.report.entries import Entry
from wbtui.report.table import Table
from wbtui.tui.compare_work import LEAST_COLUMNS, Board, Read, Saved, read_members, read_saved
from wbtui.tui.desk import Desk
from wbtui.tui.screens.dialogs import Choose
from wbtui.tui.screens.panel_keys import PanelKeys
from wbtui.tui.widgets.comparison_table import ComparisonTable


class CompareKeys(PanelKeys):
    """The columns, and the keys that change them."""

    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.current = 0
        self.baseline = 0
        self.board: Board | None = None
        self.saved: dict[tuple[str, str], Saved] = {}
        self.left_out = 0

    # ------------------------------------------------------------------ what a screen provides

    @abstractmethod
    def compare(self) -> None:
        """Other columns, or another order or baseline: compare anew."""

    @abstractmethod
    def draw(self) -> None:
        """Draw what is compared, the cursor on another column."""

    @abstractmethod
    def came(self, found: Read) -> None:
        """More columns were read."""

    # ------------------------------------------------------------------ columns

    def _go_to(self, index: int) -> None:
        if 0 <= index < len(self.entries) and index != self.current:
            self.current = index
            self.draw()

    def action_column_left(self) -> None:
        """The column at the left, or the cursor of the curves back."""
        if self.plot_state.cursor is not None:
            self.action_cursor_left()
        else:
            self._go_to(self.current - 1)

    def action_column_right(self) -> None:
        """The column at the right, or the cursor of the curves on."""
        if self.plot_state.cursor is not None:
            self.action_cursor_right()
        else:
            self._go_to(self.current + 1)

    def on_comparison_table_pointed(self, message: ComparisonTable.Pointed) -> None:
        """A column was clicked."""
        self._go_to(message.index)

    def action_move_left(self) -> None:
        """This column one further left."""
        self._move(-1)

    def action_move_right(self) -> None:
        """This column one further right."""
        self._move(1)

    def _move(self, by: int) -> None:
        goal = self.current + by
        if not 0 <= goal < len(self.entries):
            return
        base = self.entries[self.baseline]
        self.entries[self.current], self.entries[goal] = self.entries[goal], self.entries[self.current]
        self.baseline, self.current = self.entries.index(base), goal
        self.compare()

    def action_baseline(self) -> None:
        """Hold the others against this column."""
        if self.entries and self.baseline != self.current:
            self.baseline = self.current
            self.compare()

    def action_drop(self) -> None:
        """Take this column away."""
        if len(self.entries) <= LEAST_COLUMNS:
            self.dashboard.say("two columns are the least that can be compared", "warning")
            return
        base = self.entries[self.baseline]
        del self.entries[self.current]
        self.baseline = self.entries.index(base) if base in self.entries else 0
        self.current = min(self.current, len(self.entries) - 1)
        self.left_out = 0  # there is room to add them now
        self.compare()

    def action_add(self) -> None:
        """Add a run or a saved adjustment."""
        options = self._addable()
        if not options:
            self.dashboard.say("nothing is left to add: every finished run is here", "warning")
            return

        def chosen(answer: str | None) -> None:
            kind, _, name = (answer or "").partition(" ")
            if kind == "run":
                folders = [self.dashboard.runs / name]
                self.desk.ask("add", lambda: read_members(folders), self.came)
            elif kind == "saved":
                run_id, _, derived_name = name.partition(" ")
                folder, one = self.dashboard.runs / run_id, self.saved[run_id, derived_name]
                self.desk.ask("add", lambda: Read((read_saved(folder, one.derived),), (), ()), self.came)

        self.app.push_screen(Choose("Add to the comparison", options), chosen)

    def _addable(self) -> list[tuple[str, str]]:
        """What could stand here and does not, by what it is called: saved adjustments, then runs."""
        members = [one for entry in self.entries for one in entry.every_member]
        there = {one.run.id for one in members if one.derived is None}
        derived = {(one.run.id, one.derived.name) for one in members if one.derived is not None}
        short = self.dashboard.short
        options = [
            (f"saved {run_id} {name}", f"{short(run_id)} + {one.label}")
            for (run_id, name), one in self.saved.items()
            if (run_id, name) not in derived
        ]
        rows = [row for row in self.dashboard.snapshot.rows if row.state == "finished"]
        options += [
            (f"run {row.id}", f"{short(row.id)} {row.name or row.variant} seed {row.seed}")
            for row in reversed(rows)
            if row.id not in there
        ]
        return options

    # ------------------------------------------------------------------ copy and write

    def action_copy(self) -> None:
        """Copy the table."""
        from wbtui.tui.screens.table_exports import ask_to_copy

        if self.board is not None:
            comparison = self.board.comparison
            ask_to_copy(self.dashboard, _told(comparison), long_table(comparison))

    def action_write(self) -> None:
        """Write the tables, or the screen, to a file."""
        from wbtui.tui.screens.table_exports import ask_to_write

        if self.board is not None:
            comparison = self.board.comparison
            differing = difference_tables(comparison)
            tables, machine = [_told(comparison), *differing], [long_table(comparison), *differing]
            ask_to_write(self.dashboard, tables, "compare", machine)


def _told(comparison: Comparison) -> Table:
    """The table with everything that speaks against the comparison, which the screen has at its top."""
    table = metric_table(comparison)
    return replace(table, notes=(*comparison.problems, *table.notes))

"""How do runs, seeds of settings and saved adjustments compare with a baseline?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from wbtui.report.entries import Member, folded
from wbtui.report.values import counted
from wbtui.store.summary import RunSummary
from wbtui.tui import compare_lines as lines
from wbtui.tui.actions import bindings
from wbtui.tui.compare_work import (
    LEAST_COLUMNS,
    MOST_COLUMNS,
    Board,
    Read,
    make_board,
    read_again,
    read_members,
)
from wbtui.tui.desk import Desk
from wbtui.tui.ink import Part
from wbtui.tui.marks import colours_for, rich_colour, style_of
from wbtui.tui.plots import Shown
from wbtui.tui.presence import is_open
from wbtui.tui.screens.compare_keys import CompareKeys
from wbtui.tui.seeds import seeds_label
from wbtui.tui.snapshots import RunDetail, Snapshot
from wbtui.tui.theme import CAUTION
from wbtui.tui.widgets.canvas_pane import CanvasPane
from wbtui.tui.widgets.comparison_table import ComparisonTable
from wbtui.tui.widgets.key_bar import KeyBar
from wbtui.tui.widgets.one_line import OneLine
from wbtui.tui.widgets.panel_grid import PanelGrid
from wbtui.tui.widgets.pick_list import Picked, Tabs
from wbtui.tui.widgets.text_pane import TextPane
from wbtui.tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp

PAGES = ("curves", "classes", "settings")
_MOST_RUNS = 60
_READING_SECONDS = 3.0
"""Between two looks at the figures of runs at work; their curves are followed all the time."""
_TALL_FOR_RULES = 34  # rows from which the rules stand below the table in full
_PROBLEM_LINES, _TALL_PROBLEM_LINES = 3, 6  # above the table; more stand in full on the page of settings
_LEAST_PAGE = 60  # cells of a page that stands beside another
_NEEDS_TWO = (
    "a comparison needs two settings: select (space) or pin (p) another run, or save an adjustment (L, s)"
)


def open_compare(app: "WbtuiApp", rows: Sequence[RunSummary], *, derived: bool = False) -> None:
    """Compare these runs, seeds of one setting folded; where they are of one setting, with what is saved under them.

    Args:
        app: The application.
        rows: The runs; the baseline of the view joins them.
        derived: Whether what is saved under them stands beside them in any case.
    """
    known = {row.id: row for row in app.snapshot.rows}
    chosen = [row for row in rows if not row.unreadable][:_MOST_RUNS]
    baseline = app.views.baseline
    if baseline in known and baseline not in [row.id for row in chosen] and not derived:
        chosen.insert(0, known[baseline])
    if not chosen:
        app.say(_NEEDS_TWO, "warning")
        return
    app.push_screen(CompareScreen([Path(row.path) for row in chosen], baseline, derived=derived))


def _itself(member: Member) -> tuple[str, str]:
    """What no two members share: the run, and the adjustment of it."""
    return member.run.id, member.derived.name if member.derived is not None else ""


class CompareScreen(CompareKeys):
    """A table with differences; below it curves, classes and settings.

    Args:
        folders: Of the runs.
        baseline: Id of the run whose column the others are held against; where it is not there, the first.
        derived: Whether saved adjustments stand beside their runs.
    """

    BINDINGS = bindings("compare")
    AUTO_FOCUS = ""  # keys belong to the screen until a text is clicked
    CSS = """
    CompareScreen #top, CompareScreen #status { background: $surface; }
    CompareScreen #tabs { background: $panel; }
    CompareScreen #problems { height: auto; max-height: 6; }
    CompareScreen #rules { height: auto; max-height: 4; }
    CompareScreen #pages { height: 1fr; }
    CompareScreen #heat { height: 2fr; max-height: 16; }
    CompareScreen #moved, CompareScreen #settings { height: 3fr; width: 1fr; padding: 0 1; }
    CompareScreen #settings { height: 1fr; }
    CompareScreen #classes, CompareScreen #panels { width: 1fr; height: 1fr; }
    CompareScreen .-second { margin-left: 1; }
    """

    def __init__(self, folders: Sequence[Path], baseline: str = "", *, derived: bool = False) -> None:
        super().__init__()
        self._folders, self._wanted_baseline, self._derived = tuple(folders), baseline, derived
        self.page = "curves"
        self._colours: Mapping[str, int] = {}
        self._shown: tuple[Shown, ...] = ()
        self._shown_of: object = None
        self._rules: list[Part] = []
        self._stands: Mapping[str, tuple[int, str]] = {}
        self._gone: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """What must be read first, table, pages, status, keys."""
        yield OneLine(id="top")
        yield TextPane(id="problems")
        yield ComparisonTable(id="table")
        yield TextPane(id="rules")
        yield Tabs(id="tabs")
        with Horizontal(id="pages"):
            yield PanelGrid(id="panels")
            with Vertical(id="classes"):
                yield CanvasPane(id="heat")
                yield TextPane(id="moved")
            yield TextPane(id="settings")
        yield OneLine(id="status")
        yield KeyBar("compare", id="keys")
        yield TooSmall()

    def on_mount(self) -> None:
        """Read the runs, in a thread."""
        self.begin_view(self.dashboard.views)
        self.query_one("#top", OneLine).show([(" Compare ", "bold reverse"), (" reading runs ...", "dim")])
        self.desk = Desk("compare", self.call_later, lambda text: self.dashboard.say(text, "error"))
        self._read(derived=self._derived)
        self.set_interval(_READING_SECONDS, self._read_unfinished)

    def on_unmount(self) -> None:
        """Let the thread go."""
        self.desk.close()

    @property
    def busy(self) -> bool:
        """Whether something is being read or compared."""
        return self.desk.busy

    # ------------------------------------------------------------------ what comes in

    def _read(self, *, derived: bool) -> None:
        folders = self._folders
        self.desk.ask("read", lambda: read_members(folders, derived=derived), self.came)

    def came(self, found: Read) -> None:
        """More columns were read."""
        if found.problems:
            self.dashboard.say("\n".join(found.problems), "error")
        self.saved |= {(one.run_id, one.derived.name): one for one in found.saved}
        shown = [member for entry in self.entries for member in entry.every_member]
        self._fold([*shown, *found.members])
        if len(self.entries) >= LEAST_COLUMNS:
            self.compare()
        elif found.saved and not self._derived:
            self.entries, self._derived = [], True
            self._read(derived=True)
        else:
            self.dashboard.say(_NEEDS_TWO, "warning")
            self.dismiss()

    def _fold(self, members: Sequence[Member]) -> None:
        """Put seeds together; the baseline stays the column of the run that it was."""
        base = (self._wanted_baseline, "")
        if self.entries:
            base = _itself(self.entries[self.baseline].members[0])
        found = folded(members)
        place = next(
            (place for place, entry in enumerate(found) if base in map(_itself, entry.every_member)), 0
        )
        if place >= MOST_COLUMNS:
            found.insert(MOST_COLUMNS - 1, found.pop(place))
        self.baseline = min(place, MOST_COLUMNS - 1)
        self.entries = found[:MOST_COLUMNS]
        self.left_out = max(self.left_out, len(found) - MOST_COLUMNS)
        self.current = min(self.current, len(self.entries) - 1)

    def compare(self) -> None:
        """Compare anew, in a thread: intervals of many images take a moment."""
        entries, baseline = tuple(self.entries), self.baseline
        self.desk.ask("compare", lambda: make_board(entries, baseline), self._compared)

    def _compared(self, board: Board) -> None:
        self.board = board
        self.draw()

    def take(self, snapshot: Snapshot) -> None:
        """Follow the curves of runs that go on; notice which were taken away."""
        runs = {one.run.id for entry in self.entries for one in entry.every_member}
        gone = frozenset(runs - snapshot.by_id.keys())
        if gone != self._gone:
            self._gone = gone
            self.draw()
        self.panels_changed()

    def _read_unfinished(self) -> None:
        """Read runs without final figures again that have come further."""
        if self.board is None or self.busy:
            return
        members = [
            one
            for entry in self.entries
            for one in entry.every_member
            if not one.figures.final and one.derived is None
        ]
        rows = {one.run.id: self.dashboard.snapshot.by_id.get(one.run.id) for one in members}
        stands = {name: (row.epoch, row.state) for name, row in rows.items() if row is not None}
        further = [one for one in members if stands.get(one.run.id) != self._stands.get(one.run.id)]
        self._stands = stands
        if further:
            self.desk.ask("again", lambda: read_again(further), self._came_further)

    def _came_further(self, found: Mapping[str, Member]) -> None:
        """Runs that go on were read again; what was dropped meanwhile stays so."""
        shown = [member for entry in self.entries for member in entry.every_member]
        self._fold([found.get(one.run.id, one) if one.derived is None else one for one in shown])
        self.compare()

    # ------------------------------------------------------------------ drawing

    def draw(self) -> None:
        """Draw what is compared."""
        board = self.board
        if board is None or not is_open(self):
            return
        ids = [entry.members[0].run.id + entry.label for entry in board.entries]
        self._colours = colours_for(ids, self._colours)
        colours = [rich_colour(style_of(self._colours[one])).removeprefix("bold") for one in ids]
        titles = [
            lines.column_title(entry, is_baseline=place == board.baseline, gone=self._gone)
            for place, entry in enumerate(board.entries)
        ]
        self.query_one("#top", OneLine).show(
            [
                (" Compare ", "bold reverse"),
                (f" {len(board.entries)} columns against ", ""),
                (lines.called(lines.named(board.entries[board.baseline])), "bold"),
            ],
            [(f"{counted(len(self._gone), 'run')} not there any more ", CAUTION)] if self._gone else (),
        )
        # A column that was added is not there before it is compared.
        current = min(self.current, len(board.entries) - 1)
        self.query_one(ComparisonTable).show(
            titles, colours, lines.metric_rows(board.comparison), board.baseline, current
        )
        short = [title for title, _ in titles]
        self.query_one("#heat", CanvasPane).show(
            (id(board), tuple(short)),
            lambda width, height: lines.class_heatmap(
                board, short, self.plot_state.glyphs, self.plot_state.colour, width, height
            ),
        )
        self.panels_changed()
        self.call_after_refresh(self._draw_texts)

    def _draw_texts(self) -> None:
        """What is broken into lines by the width that there is."""
        board, width = self.board, self.size.width - 3
        if board is None or not is_open(self):
            return
        others = f"{counted(self.left_out, 'more setting')} {'is' if self.left_out == 1 else 'are'} left out"
        more = [f"{MOST_COLUMNS} columns at most: {others}"] if self.left_out else []
        problems = lines.problem_lines(board.comparison, more, width)
        most = _TALL_PROBLEM_LINES if self._is_tall else _PROBLEM_LINES
        rules = lines.rule_lines(board.comparison, width)
        self.query_one("#problems").display = bool(problems)
        self.query_one("#problems", TextPane).show(lines.shortened(problems, most))
        self.query_one("#rules", TextPane).show(rules)
        self._rules = [(f" {text}", style) for line in rules for text, style in line]
        self.show_status()
        moved = self.query_one("#moved", TextPane)
        short = lines.short_names([lines.named(entry) for entry in board.entries])
        moved.show(lines.class_lines(board, short, max(moved.size.width - 3, 20)))
        pane = self.query_one("#settings", TextPane)
        room = max(pane.size.width - 3, 20)
        settings = lines.setting_lines(board.comparison, room)
        if len(problems) > most:
            settings = [*lines.problem_lines(board.comparison, more, room), (), *settings]
        if not self._is_tall:
            settings += rules
        pane.show(settings)

    def show_status(self) -> None:
        """What the marks in the table mean, where there is no room for it below the table."""
        if not self.remarks and is_open(self):
            self.query_one("#status", OneLine).show(self._rules)

    @property
    def _is_tall(self) -> bool:
        """Whether the rules have room below the table."""
        return self.size.height >= _TALL_FOR_RULES

    def shown(self) -> Sequence[Shown]:
        """The columns that have curves; the one under the cursor first, bars are of it."""
        return self._shown

    def _choose_shown(self) -> None:
        """The same objects as before where nothing changed."""
        details = self.dashboard.snapshot.details
        board = self.board
        if board is None:
            return
        chosen = []
        for place, entry in enumerate(board.entries):
            if entry.members[0].derived is None:
                ids = [one.run.id for one in entry.members]
                found = tuple(details.get(one, RunDetail(one, 0)) for one in ids)
                label = seeds_label(lines.named(entry), entry.n)
                style = self._colours[ids[0] + entry.label]
                chosen.append((place != self.current, Shown(ids[0], label, style_of(style), found)))
        chosen.sort(key=lambda pair: pair[0])
        shown_of = [(one.id, one.label, one.style, tuple(map(id, one.details))) for _, one in chosen]
        if shown_of != self._shown_of:
            self._shown_of = shown_of
            self._shown = tuple(one for _, one in chosen)

    def panels_changed(self) -> None:
        """Draw the curves; ask the feed for what they need."""
        if not is_open(self) or self.board is None:
            return
        self._choose_shown()
        self._share_room()
        grid = self.query_one(PanelGrid)
        if grid.display:
            grid.show(
                self.specs,
                self._shown,
                self.plot_state,
                self.active_panel,
                alone=self.full and self.page == "curves",
            )
        self.show_keys()
        self.want([detail.id for one in self._shown for detail in one.details])

    def on_resize(self, event: events.Resize) -> None:
        """Share the room anew."""
        self._share_room()
        self.call_after_refresh(self._draw_texts)

    @property
    def pages_in_sight(self) -> tuple[str, ...]:
        """As many pages as have room, the active one among them."""
        count = 1 if self.full else min(max(self.size.width // _LEAST_PAGE, 1), len(PAGES))
        first = min(PAGES.index(self.page), len(PAGES) - count)
        return PAGES[first : first + count]

    def _share_room(self) -> None:
        table = self.query_one(ComparisonTable)
        table.display = not self.full
        self.query_one("#rules").display = self._is_tall and not self.full
        self.query_one("#status").display = not self._is_tall or self.full
        most = max(self.size.height - 14, 6)
        if table.styles.max_height is None or table.styles.max_height.value != most:
            table.styles.max_height = most
        shown = self.pages_in_sight
        for page, name in zip(PAGES, ("#panels", "#classes", "#settings"), strict=True):
            self.query_one(name).display = page in shown
            self.query_one(name).set_class(page != shown[0], "-second")
        parts: list[Part] = []
        for page in PAGES:
            style = "reverse bold" if page == self.page else "bold" if page in shown else "dim"
            parts += [(" ", ""), (f" {page.capitalize()} ", style)]
        self.query_one("#tabs", OneLine).show(parts)

    # ------------------------------------------------------------------ keys: pages

    def _turn(self, by: int) -> None:
        self._turn_to(PAGES[(PAGES.index(self.page) + by) % len(PAGES)])

    def on_picked(self, message: Picked) -> None:
        """The tab of a page was clicked."""
        self._turn_to(PAGES[message.index])

    def _turn_to(self, page: str) -> None:
        self.page = page
        self._share_room()
        self.panels_changed()
        self.call_after_refresh(self._draw_texts)

    def action_next_tab(self) -> None:
        """The next page."""
        self._turn(1)

    def action_previous_tab(self) -> None:
        """The page before."""
        self._turn(-1)

    def action_up(self) -> None:
        """Scroll up."""
        self._scroll(-1)

    def action_down(self) -> None:
        """Scroll down."""
        self._scroll(1)

    def _scroll(self, by: int) -> None:
        pane = {"classes": "#moved", "settings": "#settings"}.get(self.page)
        if pane is None:
            self.query_one(ComparisonTable).scroll_by(by)
        else:
            self.query_one(pane, TextPane).move_by(by)

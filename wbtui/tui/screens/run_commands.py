"""What do the keys do that act on runs: stop, resume, run again, note, tags, star, copy?"""

import contextlib
import getpass
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from textual import work

from wbtui.errors import RunFailedError, UsageError
from wbtui.launch.refused import Advice, RefusedError
from wbtui.report.values import words_apart
from wbtui.store.errors import StoreWriteError
from wbtui.store.notes import check_note, check_tags, edit_tags, set_note, set_star
from wbtui.store.runs_folder import runs_words
from wbtui.store.summary import RunSummary
from wbtui.tui.lines import LIVING, called
from wbtui.tui.screens.dialogs import Choose, Confirm, Prompt, ask
from wbtui.tui.screens.panel_keys import PanelKeys
from wbtui.tui.widgets.key_bar import KeyBar

_RUNGS = ("Stop", "Terminate", "Kill")
_MEANS = (
    "It finishes its batch, writes a checkpoint and ends; it can be resumed.",
    "Its processes get SIGTERM and write a checkpoint if they can.",
    "Its processes get SIGKILL; work since the last checkpoint is lost.",
)
_CONFIRMED_AT_ONCE = 8  # runs named in a question ...
_EVIDENCE_SHOWN = 4  # ... and those whose state is shown below it

_BROKEN_OFF = frozenset({"stopped", "failed", "crashed"})
"""States from which a run can go on."""

_ENDED = _BROKEN_OFF | {"finished"}

_NOT_RESUMED = frozenset({"finished", "queued", *LIVING})


class RunCommands(PanelKeys):
    """A screen with runs under its cursor."""

    NOBODY = "there is no run here"
    """What is said where a key has no run to act on."""

    @abstractmethod
    def acting_rows(self) -> Sequence[RunSummary]:
        """The runs that commands act on; none where there is none."""

    def _acting(self) -> Sequence[RunSummary]:
        rows = self.acting_rows()
        if not rows:
            self.dashboard.say(self.NOBODY, "warning")
        return rows

    def show_keys(self) -> None:
        """Name stop, resume and adjust only where they would do something."""
        states = [row.state for row in self.acting_rows()]
        idle = {
            "stop": (_ENDED | {"queued"}).issuperset(states),
            "resume": _BROKEN_OFF.isdisjoint(states),
            "adjust": states[:1] != ["finished"],
        }
        self.query_one(KeyBar).leave_out(frozenset(method for method, is_idle in idle.items() if is_idle))
        super().show_keys()

    def called(self, row: RunSummary) -> str:
        """A run as people know it: short id, method, seed."""
        return called(row, self.dashboard.short(row.id))

    def _shown_rows(self) -> list[RunSummary]:
        """The runs whose curves are drawn, seeds of a group each."""
        rows = {row.id: row for row in self.dashboard.snapshot.rows}
        ids = dict.fromkeys(detail.id for one in self.shown() for detail in one.details)
        return [rows[name] for name in ids if name in rows]

    def adjusted_rows(self) -> Sequence[RunSummary]:
        """The runs that are adjusted."""
        return self._shown_rows()

    def compared_rows(self) -> Sequence[RunSummary]:
        """The runs that a comparison is of."""
        return self._shown_rows()

    def action_adjust(self) -> None:
        """Logit adjustment of the shown runs."""
        from wbtui.tui.screens.adjust import open_adjust

        open_adjust(self.dashboard, self.adjusted_rows())

    def action_compare(self) -> None:
        """Compare the shown runs."""
        from wbtui.tui.screens.compare import open_compare

        open_compare(self.dashboard, self.compared_rows())

    # ------------------------------------------------------------------ ending and going on

    def action_stop(self) -> None:
        """Ask to end."""
        self._end(0)

    def action_terminate(self) -> None:
        """SIGTERM."""
        self._end(1)

    def action_kill(self) -> None:
        """SIGKILL."""
        self._end(2)

    def _end(self, rung: int) -> None:
        acting = self._acting()
        if not acting:
            return
        rows = [row for row in acting if row.state not in _ENDED]
        if not rows:
            self.dashboard.say("nothing to stop: this run has ended", "warning")
            return
        if self.dashboard.refuses_writing():
            return
        if all(row.state == "queued" for row in rows):
            ways = self._by_keys(Advice.TAKE_OUT)
            self.dashboard.say(f"{self.called(rows[0])}: waits in the queue; {ways}", "warning")
            return
        names = ", ".join(self.called(row) for row in rows[:_CONFIRMED_AT_ONCE])
        more = f" and {len(rows) - _CONFIRMED_AT_ONCE} more" if len(rows) > _CONFIRMED_AT_ONCE else ""

        def evidence() -> str:
            known = self.dashboard.snapshot.by_id
            now = [known.get(row.id, row) for row in rows[:_EVIDENCE_SHOWN]]
            lines = (f"{self.dashboard.short(row.id)}: {row.state}, {row.evidence}" for row in now)
            return "\n".join((_MEANS[rung], *lines))

        def answered(answer: bool | None) -> None:
            if answer:
                self.do_end([Path(row.path) for row in rows], rung)

        self.app.push_screen(
            Confirm(
                f"{_RUNGS[rung]} {names}{more}?",
                evidence,
                yes=f"{_RUNGS[rung].lower()} {'it' if len(rows) == 1 else 'them'}",
            ),
            answered,
        )

    @work(thread=True, group="commands")
    def do_end(self, folders: Sequence[Path], rung: int) -> None:
        """Stop these runs, in a thread: it looks at processes and writes."""
        from wbtui.launch.stop import Rung, check_stop, take

        for folder in folders:
            with self._told(folder.name):
                check_stop(folder, Rung(rung))
                take(folder, Rung(rung), by=_who())
                self.dashboard.say_from_thread(
                    f"{self.dashboard.short(folder.name)}: {_RUNGS[rung].lower()} asked"
                )
        self.dashboard.feed.hurry()

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Tell what goes wrong inside, from a thread."""
        try:
            yield
        except RefusedError as error:
            ways = f"; {self._by_keys(error.advice)}" if error.advice else ""
            self.dashboard.say_from_thread(f"{self.dashboard.short(name)}: {error.why}{ways}", "error")
        except (UsageError, RunFailedError, StoreWriteError, OSError) as error:
            self.dashboard.say_from_thread(str(error) or name, "error")

    def _by_keys(self, advice: Advice) -> str:
        """What can be done instead, by the keys that do it."""
        keys_of = self.dashboard.keys_of
        match advice:
            case Advice.ADJUST:
                return f"{keys_of('runs.adjust')} re-scores them"
            case Advice.ASK:
                return f"{keys_of('runs.stop')} asks it to stop"
            case Advice.ATTACH:
                return "the dashboard follows it"
            case Advice.BEGIN_AGAIN:
                return f"{keys_of('runs.again')} begins again in a folder of its own"
            case Advice.REPEAT:
                return f"{keys_of('runs.again')} repeats it"
            case Advice.START_QUEUE:
                return f"{keys_of('runs.queue')} on the runs, then {keys_of('queue.pause')}, starts it"
            case Advice.TAKE_OUT:
                return f"{keys_of('runs.queue')} on the runs, then {keys_of('queue.remove')}, takes it out"

    def action_resume(self) -> None:
        """Go on with runs that were stopped, failed or crashed; of folded seeds the others are left alone."""
        rows = self._acting()
        if rows and not self.dashboard.refuses_writing():
            broken_off = [row for row in rows if row.state not in _NOT_RESUMED]
            self.do_resume([Path(row.path) for row in broken_off or rows])

    @work(thread=True, group="commands")
    def do_resume(self, folders: Sequence[Path]) -> None:
        """Resume these runs, in a thread: a waiter takes a second to start."""
        from wbtui.launch.resume import resume_run

        for folder in folders:
            with self._told(folder.name):
                resume_run(folder)
                self.dashboard.say_from_thread(f"{self.dashboard.short(folder.name)}: goes on")
        self.dashboard.feed.hurry()

    async def action_again(self) -> None:
        """The start form with this run's configuration."""
        rows = self._acting()
        if rows and not self.dashboard.refuses_writing():
            from wbtui.store.format import CONFIG

            await self.dashboard.open_start(Path(rows[0].path) / CONFIG)

    async def action_stages(self) -> None:
        """The start form with this run, or the seeds of a folded row, as those whose stages are taken over."""
        rows = self._acting()
        if rows and not self.dashboard.refuses_writing():
            await self.dashboard.open_start(None, sources=[Path(row.path) for row in rows])

    # ------------------------------------------------------------------ notes

    async def action_note(self) -> None:
        """Write a note."""
        rows = self._acting()
        if rows and not self.dashboard.refuses_writing():
            await self._ask_for_note(rows, _one_line(rows[0].note))

    async def _ask_for_note(self, rows: Sequence[RunSummary], value: str, hint: str = "") -> None:
        """Ask for a note; where somebody else wrote one meanwhile, ask once more and show it."""

        def answered(note: str | None) -> None:
            if note is None or note == _one_line(rows[0].note):
                return  # else lines of a note, and other seeds' notes, would be lost
            known = self.dashboard.snapshot.by_id
            now = [known.get(row.id, row) for row in rows]
            others = [new.note for old, new in zip(rows, now, strict=True) if new.note != old.note]
            if others:
                # A long note is cut at the end of the dialog: what the keys do stands before it.
                said = f"enter replaces, esc leaves what somebody else wrote meanwhile:\n{others[0]}"
                self.app.call_later(self._ask_for_note, now, note, self.dashboard.literal(said))
                return
            self.do_write([Path(row.path) for row in rows], lambda folder: set_note(folder, note))

        names = ", ".join(self.called(row) for row in rows[:4])
        await ask(self.app, Prompt(f"Note on {names}", value, hint, check_note), answered)

    async def action_tags(self) -> None:
        """Add and remove tags."""
        rows = self._acting()
        if not rows or self.dashboard.refuses_writing():
            return

        def answered(text: str | None) -> None:
            add, remove = _tags_typed(text or "")
            if add or remove:
                self.do_write([Path(row.path) for row in rows], lambda folder: edit_tags(folder, add, remove))

        now = " ".join(rows[0].tags) or "none"
        title = f"Tags of {self.called(rows[0])}: {now}"
        prompt = Prompt(
            title,
            hint="base adds a tag, -old takes one away",
            check=lambda text: check_tags(_tags_typed(text)[0]),
        )
        await ask(self.app, prompt, answered)

    def action_star(self) -> None:
        """Star, or no longer."""
        rows = self._acting()
        if rows and not self.dashboard.refuses_writing():
            star = not rows[0].star
            self.do_write([Path(row.path) for row in rows], lambda folder: set_star(folder, star))

    @work(thread=True, group="commands")
    def do_write(self, folders: Sequence[Path], write: Callable[[Path], object]) -> None:
        """Write beside these runs, in a thread: another writer may hold the lock."""
        for folder in folders:
            with self._told(folder.name):
                write(folder)
        self.dashboard.feed.hurry()

    # ------------------------------------------------------------------ copy

    def action_copy(self) -> None:
        """Copy something of the run to the clipboard."""
        rows = list(self._acting())
        if not rows:
            return

        def chosen(what: str | None) -> None:
            if what is not None:
                self.dashboard.copy(self._copied(what, rows))

        options = [
            ("markdown", "row as Markdown"),
            ("latex", "row as LaTeX"),
            ("id", f"id  {rows[0].id}"),
            ("command", f"command  {repeating(rows[0])}"),
            ("path", f"folder  {rows[0].path}"),
        ]
        self.app.push_screen(Choose("Copy", options), chosen)

    def _copied(self, what: str, rows: Sequence[RunSummary]) -> str:
        if what in ("markdown", "latex"):
            from wbtui.report.listing import listing_table
            from wbtui.report.markup import to_latex, to_markdown

            table = listing_table(rows, (row.id for row in self.dashboard.snapshot.rows))
            return to_markdown(table) if what == "markdown" else to_latex(table)
        values = {"id": rows[0].id, "command": repeating(rows[0]), "path": rows[0].path}
        return values[what]


def repeating(row: RunSummary) -> str:
    """The command that repeats a run, beside it."""
    import shlex

    config = f"{row.path}/config.toml"
    return shlex.join(["wbtui", "run", "--config", config]) + runs_words(Path(row.path).parent)


def _tags_typed(text: str) -> tuple[list[str], list[str]]:
    """The tags to add and those to remove: `base -old`."""
    words = words_apart(text)
    add = [word.removeprefix("+") for word in words if not word.startswith("-")]
    return add, [word[1:] for word in words if word.startswith("-")]


def _one_line(note: str) -> str:
    """A note as it is edited."""
    return note.replace("\n", " ")


def _who() -> str:
    try:
        return f"{getpass.getuser()} in the dashboard"
    except (KeyError, OSError):
        return "the dashboard"

"""The queue: what is at work, what waits, in which order, how many at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from wbtui.errors import RunFailedError, UsageError
from wbtui.launch import queue_files
from wbtui.launch.probe import check_slots
from wbtui.launch.queue_files import Entry, QueueSettings
from wbtui.launch.slots import ANY, parse_slots
from wbtui.launch.worker import device_of, ensure_worker, look, peek, worker_lives
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.reader import Run
from wbtui.store.runs_folder import runs_words
from wbtui.store.text import plain
from wbtui.tui.actions import ACTIONS, actions_of, bindings
from wbtui.tui.ink import fitted
from wbtui.tui.presence import is_open
from wbtui.tui.screens.closing import ClosesOnce
from wbtui.tui.screens.dialogs import Prompt, ask, hints
from wbtui.tui.widgets.options import Options

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp

_LOOK_SECONDS = 2.0
_WIDTH = 110
_AROUND = 8  # cells that border, padding and scroll bar take
_GAP = 2
_HINTS = (
    ("later, sooner", "queue.later", "queue.sooner"),
    ("take out", "queue.remove"),
    ("pause, go on", "queue.pause"),
    ("slots", "queue.slots"),
    ("help", "app.help_keys"),
    ("close", "queue.back"),
)
"""What the keys of some actions do."""


@dataclass(frozen=True)
class QueueState:
    """The queue at one moment."""

    working: tuple[Entry, ...] = ()
    silent: frozenset[Path] = frozenset()
    """Those among them of another host that are not heard of any more: nobody can tell whether they are at work."""
    waiting: tuple[Entry, ...] = ()
    devices: tuple[str, ...] = ()
    """Of the waiting ones."""
    settings: QueueSettings = field(default_factory=QueueSettings)
    worker: bool = False

    @property
    def idle(self) -> bool:
        """Whether runs wait and nobody is there to start them."""
        return bool(self.waiting) and not (self.worker or self.settings.paused)


def read_queue(runs: Path, *, readonly: bool = False, known: dict[Path, Run] | None = None) -> QueueState:
    """The queue as it is now; runs that have ended leave it, unless it is only looked at; for `known` see `look`."""
    known = {} if known is None else known
    if readonly or not (runs / queue_files.PLACE).is_dir():
        working, waiting = peek(runs, known)
    else:
        with queue_files.editing(runs):
            working, waiting = look(runs, known)
    silent = frozenset(entry.folder for entry in working if _is_silent(known[entry.folder]))
    devices = tuple(device_of(entry.folder) for entry in waiting)
    settings = queue_files.read_settings(runs)
    return QueueState(tuple(working), silent, tuple(waiting), devices, settings, worker_lives(runs))


def _is_silent(run: Run) -> bool:
    try:
        return run.state().name == "unknown"
    except StoreReadError:
        return False


def in_columns(rows: Sequence[tuple[str, str, str, str]], width: int, ellipsis: str) -> list[str]:
    """Rows whose cells stand below each other: place at the right, short id, name, where; long names are cut."""
    sizes = [max((cell_len(row[place]) for row in rows), default=0) for place in range(4)]
    name = max(min(sizes[2], width - sizes[0] - sizes[1] - sizes[3] - 3 * _GAP), 8)
    return [
        (" " * _GAP).join(
            (
                fitted(place, sizes[0], right=True),
                fitted(short, sizes[1]),
                fitted(called, name, ellipsis=ellipsis),
                where,
            )
        )
        for place, short, called, where in rows
    ]


def _slots(text: str) -> dict[str, int]:
    """`parse_slots`; what it refuses is said without the option of the command."""
    try:
        return parse_slots(text)
    except UsageError as error:
        raise _of_dialog(error) from None


def _slots_there(text: str) -> None:
    """Refuse slots on devices that are not there; torch is asked, which takes seconds."""
    try:
        check_slots(parse_slots(text))
    except UsageError as error:
        raise _of_dialog(error) from None


def _of_dialog(error: UsageError) -> UsageError:
    return UsageError(str(error).removeprefix("--slots").lstrip(": "))


class QueueScreen(ModalScreen[None], ClosesOnce[None]):
    """Shows the queue and changes it; everything that touches the disk happens in a thread."""

    DEFAULT_CSS = f"""
    QueueScreen {{ align: center middle; background: $background 60%; }}
    QueueScreen > Vertical {{
        width: {_WIDTH}; max-width: 98%; height: auto; max-height: 90%;
        background: $surface; border: round $primary; padding: 0 1;
    }}
    QueueScreen .title {{ text-style: bold; }}
    QueueScreen .hint {{ color: $text-muted; height: auto; link-style: none; link-color: $text-muted; }}
    QueueScreen #said {{ color: $text-warning; height: auto; display: none; }}
    QueueScreen OptionList {{ height: auto; max-height: 24; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("queue"),
        Binding("q", "back"),
        *(  # a dialog does not hear the keys of the application
            Binding(action.keys, f"app.{action.method}", id=action.id)
            for action in actions_of("app")
            if action.id == "app.help_keys"
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._state = QueueState()
        self._listed: list[Path] = []
        """The runs of the lines that stand there."""
        self._leaving: set[Path] = set()
        """Runs that are being taken out."""
        self._known: dict[Path, Run] = {}
        """Runs as they were read so far, with the lock: a look and what a key does may come in two threads."""
        self._reading = Lock()

    @property
    def dashboard(self) -> "WbtuiApp":
        """The application."""
        return cast("WbtuiApp", self.app)

    def compose(self) -> ComposeResult:
        """Worker and slots, the runs, the keys."""
        with Vertical():
            yield Static("Queue", markup=False, classes="title")
            yield Static("reading ...", markup=False, id="about")
            yield Options(compact=True)
            yield Static("", markup=False, id="said")
            yield Static(hints(self._keys(), gap=2), classes="hint")

    def _keys(self) -> list[Sequence[str]]:
        """What keys do, and the keys, as they are bound."""
        bound = {action.id: self.dashboard.keys.keys_of(action)[0] for action in ACTIONS}
        return [(words, *(bound[name] for name in names)) for words, *names in _HINTS]

    def on_mount(self) -> None:
        """Look now, and again every two seconds."""
        self._look()
        self.set_interval(_LOOK_SECONDS, self._look)

    @work(thread=True, exclusive=True, group="queue")
    def _look(self) -> None:
        self._do(lambda: None)

    def _edit(self, change: Callable[[], object]) -> None:
        self.tell("")
        self._change(change)

    @work(thread=True, group="queue-edit")
    def _change(self, change: Callable[[], object]) -> None:
        self._do(change)

    def _do(self, change: Callable[[], object]) -> None:
        try:
            change()
            with self._reading:
                state = read_queue(self.dashboard.runs, readonly=self.dashboard.readonly, known=self._known)
        except (UsageError, RunFailedError, StoreWriteError, OSError) as error:
            self.app.call_from_thread(self.tell, str(error), "error")
        else:
            self.app.call_from_thread(self.show_queue, state)

    def tell(self, text: str, severity: SeverityLevel = "information") -> None:
        """Say what came of a key, inside the dialog: a message would cover it, or wait until it is closed."""
        if not is_open(self):
            self.dashboard.say(text, severity)
            return
        said = self.query_one("#said", Static)
        said.update(Text(self.dashboard.literal(text)))
        said.display = bool(text)

    def show_queue(self, state: QueueState) -> None:
        """Show what was read."""
        if not is_open(self):
            return
        before, self._state = self._state, state
        slots = ", ".join(
            f"{count} on {'any device' if device == ANY else plain(device)}"
            for device, count in state.settings.slots.items()
        )
        starts = f"{self.dashboard.keys_of('queue.pause')} starts one"
        idle = f"no worker: {'nothing starts' if self.dashboard.readonly else starts}" if state.idle else ""
        worker = "paused" if state.settings.paused else "worker at work" if state.worker else idle
        self.query_one("#about", Static).update(
            f"{len(state.waiting)} waiting, {len(state.working)} at work   at once: {slots}   {worker}"
        )
        if state != before or not self.query_one(OptionList).option_count:
            self._relist(state)

    def _relist(self, state: QueueState) -> None:
        """Write the runs anew; the cursor stays on its run, or, where that is gone, at its place."""
        options = self.query_one(OptionList)
        place = len(state.working) if options.highlighted is None else options.highlighted
        at = self._listed[place] if place < len(self._listed) else None
        self._listed = [entry.folder for entry in (*state.working, *state.waiting)]
        options.clear_options()
        options.add_options(self._options(state))
        if at in self._listed:
            place = self._listed.index(at)
        if self._listed:
            options.highlighted = min(place, len(self._listed) - 1)

    def _options(self, state: QueueState) -> Sequence[Option]:
        frees = f"; if it is dead, {self.dashboard.keys_of('queue.remove')} frees it"
        rows = [
            ("unknown", entry, f"slot {plain(entry.ticket.slot)}{frees}")
            if entry.folder in state.silent
            else ("at work", entry, f"slot {plain(entry.ticket.slot)}")
            for entry in state.working
        ]
        rows += [
            (str(number), entry, plain(device))
            for number, (entry, device) in enumerate(zip(state.waiting, state.devices, strict=True), 1)
        ]
        rows = [
            (place, entry, "taking out ..." if entry.folder in self._leaving else where)
            for place, entry, where in rows
        ]
        cells = [
            (place, plain(self.dashboard.short(entry.folder.name)), plain(entry.folder.name), where)
            for place, entry, where in rows
        ]
        lines = in_columns(cells, self._room, "~" if self.dashboard.ascii_only else "…")
        return [Option(Text(line)) for line in lines] or [Option(Text("nothing waits"), disabled=True)]

    @property
    def _room(self) -> int:
        """Cells of a row; what border, padding and scroll bar take is not its."""
        return min(_WIDTH, self.app.size.width * 98 // 100) - _AROUND

    def on_resize(self, event: events.Resize) -> None:
        """Align the rows in the room there is."""
        if self.query_one(OptionList).option_count:
            self._relist(self._state)

    # ------------------------------------------------------------------ keys

    def _chosen(self, *, silent: bool = False) -> Entry | None:
        """The waiting run under the cursor; of one at work it is said that it does not wait.

        Args:
            silent: Whether one that nobody hears of any more is meant too.
        """
        place = self.query_one(OptionList).highlighted
        entries = (*self._state.working, *self._state.waiting)
        if place is None or place >= len(entries) or self.dashboard.refuses_writing(self.tell):
            return None
        chosen = entries[place]
        if place < len(self._state.working) and not (silent and chosen.folder in self._state.silent):
            short = self.dashboard.short(chosen.folder.name)
            stops = self.dashboard.keys_of("runs.stop")
            self.tell(f"{short} is at work, it does not wait: close the queue, {stops} on the runs stops it")
            return None
        return chosen

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)

    def action_up(self) -> None:
        """The run above."""
        self.query_one(OptionList).action_cursor_up()

    def action_down(self) -> None:
        """The run below."""
        self.query_one(OptionList).action_cursor_down()

    def action_later(self) -> None:
        """Put a waiting run one place back."""
        self._move(1)

    def action_sooner(self) -> None:
        """Put a waiting run one place forward."""
        self._move(-1)

    def _move(self, by: int) -> None:
        """Give a waiting run another place: at once on the screen, on the disk from where it stands there by then."""
        entry = self._chosen()
        if entry is None:
            return
        runs, state = self.dashboard.runs, self._state
        waiting = list(zip(state.waiting, state.devices, strict=True))
        place = state.waiting.index(entry)
        if not 0 <= place + by < len(waiting):
            return
        waiting.insert(place + by, waiting.pop(place))
        entries, devices = zip(*waiting, strict=True)
        self._state = replace(state, waiting=entries, devices=devices)
        self._relist(self._state)

        def change() -> None:
            with queue_files.editing(runs):
                _, waiting = look(runs)
                folders = [one.folder for one in waiting]
                if entry.folder in folders:
                    place = folders.index(entry.folder)
                    queue_files.reorder(waiting, waiting[place], place + 1 + by)

        self._edit(change)

    def action_remove(self) -> None:
        """Take a waiting run out, to the bin where it was never started, or one that is silent; it shows at once."""
        chosen = self._chosen(silent=True)
        if chosen is None or chosen.folder in self._leaving:
            return
        folder = chosen.folder
        self._leaving.add(folder)
        self._relist(self._state)
        self._take_out(folder, self.dashboard.short(folder.name))

    @work(thread=True, group="queue-edit")
    def _take_out(self, folder: Path, short: str) -> None:
        try:
            self._do(lambda: self._tell(short, queue_files.take_out(folder)))
        finally:
            self.app.call_from_thread(self._left, folder)
        self.dashboard.feed.hurry()

    def _tell(self, short: str, binned: bool | None) -> None:
        ways = {
            None: "is at work",
            True: f"in the bin; `wbtui restore {short}{runs_words(self.dashboard.runs)}` brings it back",
            False: "out of the queue",
        }
        self.app.call_from_thread(self.tell, f"{short}: {ways[binned]}")

    def _left(self, folder: Path) -> None:
        self._leaving.discard(folder)
        if is_open(self):
            self._relist(self._state)

    def action_pause(self) -> None:
        """Start no more runs, or go on, where the worker is gone too."""

        def change() -> None:
            state = self._state
            self._set(replace(state.settings, paused=not (state.settings.paused or state.idle)))

        if not self.dashboard.refuses_writing(self.tell):
            self._edit(change)

    async def action_slots(self) -> None:
        """How many runs at once."""
        if self.dashboard.refuses_writing(self.tell):
            return
        now = ",".join(f"{device}={count}" for device, count in self._state.settings.slots.items())

        def answered(text: str | None) -> None:
            if text:
                self._edit(lambda: self._set(replace(self._state.settings, slots=parse_slots(text))))

        example = "cuda:0=2,cpu=1; a number alone: on any device"
        await ask(self.app, Prompt("Runs at once", now, example, _slots, _slots_there), answered)

    def _set(self, settings: QueueSettings) -> None:
        runs = self.dashboard.runs
        with queue_files.editing(runs):
            queue_files.write_settings(runs, settings)
            anything = any(look(runs))
        if anything and not settings.paused:
            ensure_worker(runs)

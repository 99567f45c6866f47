"""The start form: which data, which method, which seeds, what else; refused beside the field, or started."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static

from wbtui.errors import RunFailedError, UsageError
from wbtui.presets import load_preset, load_variant, preset_paths, variant_paths
from wbtui.report.values import counted, words_apart
from wbtui.store.errors import StoreWriteError
from wbtui.store.ids import short_ids
from wbtui.store.text import plain
from wbtui.tui.form import FIELDS, FormAnswer, FormValues, answer, blamed, setting_keys, value_used
from wbtui.tui.ink import abridged, fitted
from wbtui.tui.presence import is_open
from wbtui.tui.screens.closing import ClosesOnce
from wbtui.tui.screens.dialogs import hints
from wbtui.tui.theme import CAUTION
from wbtui.tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from wbtui.presets import Resolved
    from wbtui.tui.app import WbtuiApp

_HINTS = {
    "preset": "up and down go through them",
    "variant": "one, or several: ce,wd,wb; empty: the preset's own",
    "seed": "one, or several: 0,1,2 or 0-4",
    "device": "auto, cpu, mps, cuda or cuda:N",
    "settings": "any setting: stages.0.epochs=60 stages.0.weight_decay=0.001,0.005",
    "name": "a name of your own",
    "tags": "apart by space or comma",
    "note": "anything",
}
_FOOT = (
    ("start", "enter"),
    ("queue", "ctrl+q"),
    ("next field", "tab"),
    ("choices", "up", "down"),
    ("completes", "right"),
    ("back", "escape"),
)
_DELAY = 0.15  # seconds after a key before the form is worked out
_DIFFERENCES = 12
_NAMED = 3  # runs in the line of those that are gone on from


class _KeySuggester(Suggester):
    """Completes the last KEY of a line of settings."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(case_sensitive=True)
        self._keys = keys

    async def get_suggestion(self, value: str) -> str | None:
        head, space, last = value.rpartition(" ")
        found = next((key for key in self._keys if last and "=" not in last and key.startswith(last)), None)
        return f"{head}{space}{found}=" if found else None


class StartScreen(ModalScreen[None], ClosesOnce[None]):
    """The form.

    Args:
        config_file: A run's config.toml to begin from; None: a preset.
        preset: The one to begin from; where there is none of that name, that of digits.
        sources: Finished runs whose stages are taken over; none: all stages are trained.
    """

    DEFAULT_CSS = """
    StartScreen { align: center middle; background: $background 60%; }
    StartScreen > Vertical {
        width: 110; max-width: 98%; height: auto; max-height: 98%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    StartScreen Horizontal { height: 1; }
    StartScreen .label { width: 10; color: $text-muted; }
    StartScreen Input { width: 1fr; }
    StartScreen .wrong { color: $text-error; height: auto; padding-left: 10; display: none; }
    StartScreen .title { text-style: bold; }
    StartScreen VerticalScroll { height: auto; scrollbar-size-vertical: 1; }
    StartScreen .hint { color: $text-muted; height: auto; link-style: none; link-color: $text-muted; }
    StartScreen #meaning { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("ctrl+q", "begin(True)", "Queue", priority=True),
        Binding("down", "other(1)", "Next", priority=True),
        Binding("up", "other(-1)", "Before", priority=True),
        Binding("pageup", "page(-1)", "Page up", priority=True),
        Binding("pagedown", "page(1)", "Page down", priority=True),
        # With priority the focus has moved before the key after it is handed to a field, however fast they come.
        Binding("tab", "app.focus_next", "Next field", priority=True),
        Binding("shift+tab", "app.focus_previous", "Field before", priority=True),
    ]

    def __init__(self, config_file: Path | None, preset: str, sources: tuple[Path, ...] = ()) -> None:
        super().__init__()
        self._config_file, self._sources = config_file, sources
        self._preset = preset if preset in preset_paths() else "digits_lt"
        self._starting = False
        self._keys = setting_keys()

    @property
    def dashboard(self) -> "WbtuiApp":
        """The application."""
        return cast("WbtuiApp", self.app)

    def compose(self) -> ComposeResult:
        """A line a field, then what it all means."""
        with Vertical():
            yield Static("Start runs", markup=False, classes="title")
            if self._begins_with:
                yield Static(self._begins_with, markup=False, classes="hint")
            with VerticalScroll(can_focus=False):  # a click beside a field leaves the keys where they are
                for name in FIELDS:
                    with Horizontal():
                        yield Static(name, markup=False, classes="label")
                        suggester = _KeySuggester(list(self._keys)) if name == "settings" else None
                        yield LineInput(
                            self._first(name), _HINTS[name], id=name, compact=True, suggester=suggester
                        )
                    yield Static("", markup=False, classes="wrong", id=f"wrong-{name}")
                yield Static("", id="meaning")
            yield Static(hints(_FOOT), classes="hint")

    @property
    def _begins_with(self) -> str:
        """The runs that give the form what its fields leave empty, in a line; empty: none do."""
        if self._sources:
            names = [self.dashboard.short(source.name) for source in self._sources]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            return plain(f"after {', '.join(names[:_NAMED])}{more}: further stages alone are trained")
        return f"with {plain(str(self._config_file))}" if self._config_file is not None else ""

    def _first(self, name: str) -> str:
        if self._sources:
            return "wb" if name == "variant" else ""
        if self._config_file is not None:
            return ""
        return {"preset": self._preset, "variant": "wd", "seed": "0", "device": "auto"}.get(name, "")

    def on_mount(self) -> None:
        """Work it out once. Who opens it gives the first field the keys, before any of them is taken."""
        self._work_out()

    def on_resize(self, event: events.Resize) -> None:
        """Leave title, keys and border their rows."""
        room = max(min(event.size.width * 98 // 100, 110) - 4, 1)
        beside = [hints(_FOOT), *([Content(self._begins_with)] if self._begins_with else [])]
        taken = 3 + sum(one.get_height({}, room) for one in beside)
        self.query_one(VerticalScroll).styles.max_height = max(event.size.height * 98 // 100 - taken, 1)

    # ------------------------------------------------------------------ what it means

    @property
    def values(self) -> FormValues:
        """The form as it is typed."""
        typed = {
            item.name: self.query_one(f"#{item.name}", Input).value
            for item in fields(FormValues)
            if item.name in FIELDS
        }
        return FormValues(**typed, config_file=self._config_file, sources=self._sources)

    @on(Input.Changed)
    def _changed(self) -> None:
        self._work_out()

    @work(exclusive=True, group="form")
    async def _work_out(self) -> None:
        await asyncio.sleep(_DELAY)
        there, runs = self.dashboard.snapshot.rows, self.dashboard.runs
        self.show_answer(await asyncio.to_thread(answer, self.values, there, runs))

    def show_answer(self, found: FormAnswer) -> None:
        """Say what is wrong beside its field, else what will be started."""
        for name in FIELDS:
            below = self.query_one(f"#wrong-{name}", Static)
            below.update(abridged(found.wrong.get(name, "")))
            below.display = name in found.wrong
        self.query_one("#meaning", Static).update(self._meaning(found))

    def _meaning(self, found: FormAnswer) -> Text:
        text = Text()
        doc = self._doc_of_setting(found)
        if doc:
            text.append(f"{doc}\n", style="italic")
        if not found.resolved:
            return text.append_text(self._summaries())
        config = found.resolved[0].config
        count, epochs = len(found.resolved), sorted(set(found.epochs))
        span = counted(epochs[0], "epoch") if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]} epochs"
        text.append(f"{counted(count, 'run')}, {span}{' each' if count > 1 else ''}\n", style="bold")
        for notice in found.notices:
            text.append(f"{plain(notice)}\n", style=CAUTION)
        text.append_text(self._summaries())
        if found.difference:
            again = bool(self._begins_with) and not self.values.preset.strip()
            preset = f" {plain(config.preset)}" if again and config.preset else ""
            text.append(f"differs from the preset{preset} in\n", style="dim")
        for key, before, after, methods in found.difference[:_DIFFERENCES]:
            text.append(f"  {key:36} {fitted(before, 20).rstrip()} → ")
            text.append(fitted(after, 24).rstrip(), style="bold")
            text.append(f"  {plain(methods)}\n" if methods else "\n", style="dim")
        if len(found.difference) > _DIFFERENCES:
            text.append(f"  and {len(found.difference) - _DIFFERENCES} more\n", style="dim")
        text.append("\n" + plain(found.command), style="bold")
        return text

    def _summaries(self) -> Text:
        """What preset and method are, in a line each."""
        text, values = Text(), self.values
        for kind, name, load in (
            ("preset", values.preset, load_preset),
            ("variant", values.variant, load_variant),
        ):
            with contextlib.suppress(UsageError):
                if name and "," not in name:
                    summary = plain(load(name.strip()).summary)
                    text.append(f"{kind} {name}: ", style="dim")
                    text.append(f"{summary}\n")
        return text

    def _doc_of_setting(self, found: FormAnswer) -> str:
        focused = self.focused
        if not isinstance(focused, Input) or focused.id != "settings":
            return ""
        key = focused.value[: focused.cursor_position].rpartition(" ")[2].partition("=")[0]
        return f"{key}: {self._keys[key]} {value_used(key, found.planned)}" if key in self._keys else ""

    # ------------------------------------------------------------------ keys

    def action_page(self, pages: int) -> None:
        """Scroll: on a low screen the command that does the same stands below the last line in sight."""
        scrolls = self.query_one(VerticalScroll)
        scrolls.scroll_relative(y=pages * max(scrolls.size.height - 1, 1), animate=False)

    def action_cancel(self) -> None:
        """Close the form; while it starts something it stays, to say what came of that."""
        if not self._starting:
            self.workers.cancel_node(self)  # else they would go after the fields that they ask
            self.dismiss()

    def action_other(self, by: int) -> None:
        """The next choice of this field, in a list of its last part; a field without choices: the next field."""
        focused = self.focused
        choices = _choices(focused.id or "") if isinstance(focused, Input) else []
        if not choices or not isinstance(focused, Input):
            self.focus_next() if by > 0 else self.focus_previous()
            return
        head, comma, last = (
            focused.value.rpartition(",") if focused.id == "variant" else ("", "", focused.value)
        )
        if last in choices:
            place = choices.index(last) + by
        else:  # what was begun to be typed
            place = next((number for number, one in enumerate(choices) if one.startswith(last)), 0)
        focused.value = head + comma + choices[place % len(choices)]
        focused.cursor_position = len(focused.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_begin(False)

    @work(exclusive=True, group="begin")
    async def action_begin(self, queue: bool) -> None:
        """Start it, or put it into the queue; several runs always go to the queue."""
        # Each field takes its keys at its own pace: wait for those that came before.
        for field in self.query(Input):
            taken = asyncio.Event()
            if field.call_later(taken.set):
                await taken.wait()
        if self._starting:
            return
        values = self.values  # as it stands now, whatever the delayed one said
        found = await asyncio.to_thread(answer, values, runs=self.dashboard.runs)
        self.show_answer(found)
        if found.wrong:
            self.query_one(f"#{next(iter(found.wrong))}", Input).focus()
            return
        self._starting = True
        self.query_one("#meaning", Static).update(Text("starting ...", style="bold"))
        self._begin(found.resolved, values, queue or len(found.resolved) > 1, found.command)

    @work(thread=True, group="commands")
    def _begin(self, resolved: Sequence["Resolved"], values: FormValues, queue: bool, command: str) -> None:
        try:
            folders = begin(self.dashboard.runs, resolved, values, command, queue=queue)
        except (UsageError, RunFailedError, StoreWriteError, OSError) as error:
            self.app.call_from_thread(self._failed, str(error))
        else:
            self.app.call_from_thread(self._begun, folders, queue)

    def _failed(self, message: str) -> None:
        if not is_open(self):
            self.dashboard.say(message, "error")
            return
        self._starting = False
        self.show_answer(FormAnswer(wrong=blamed(plain(message, lines=True), "preset")))

    def _begun(self, folders: Sequence[Path], queue: bool) -> None:
        first = folders[0].name
        short = short_ids([*self.dashboard.snapshot.by_id, first])[first]  # as the table is about to call it
        names = short if len(folders) == 1 else f"{len(folders)} runs"
        self.dashboard.say(f"{names}: {'in the queue' if queue else 'started'}")
        self.dashboard.begun(first)
        self.dismiss()


def _choices(name: str) -> list[str]:
    if name == "preset":
        return sorted(preset_paths())
    if name == "variant":
        return sorted(variant_paths())
    return ["auto", "cpu", "cuda", "mps"] if name == "device" else []


def begin(
    runs: Path, resolved: Sequence["Resolved"], values: FormValues, command: str, *, queue: bool
) -> list[Path]:
    """Check, make the folders, and start or queue them.

    Raises:
        UsageError: device or images are not there, a tag cannot be.
        RunFailedError: a waiter or the queue's worker could not start.
        StoreWriteError: the runs folder cannot be written.
    """
    import shlex

    from wbtui.launch.checks import check_runs
    from wbtui.launch.start import make_runs, start_run
    from wbtui.launch.worker import queue_up

    check_runs([one.config for one in resolved], may_download=lambda found: False)
    words = shlex.split(command)
    folders = make_runs(runs, resolved, words, words_apart(values.tags), values.note.strip())
    if queue:
        queue_up(runs, folders)
    else:
        for folder, one in zip(folders, resolved, strict=True):
            start_run(folder, one.config)
    return folders

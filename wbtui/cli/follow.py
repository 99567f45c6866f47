"""How are runs followed to their end, and what does Ctrl-C do meanwhile?"""

import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Literal

from rich.console import Console

from wbtui.cli.closing import close
from wbtui.cli.display import Display, JsonDisplay, PlainDisplay, QuietDisplay
from wbtui.cli.main import DONE, FAILED, INTERRUPTED
from wbtui.cli.progress import Labels, Standing, labels_of_each, standing
from wbtui.launch.queue_files import withdraw
from wbtui.launch.stop import Ladder, Rung
from wbtui.report.values import counted
from wbtui.store.reader import Run, open_run
from wbtui.store.records import request_stop

Look = Literal["auto", "json", "quiet"]

_LOOK_SECONDS = 0.5
_SLICE = 0.1
_HINT = "Ctrl-C asks for a graceful stop; closing this terminal leaves the run at work"
_WATCH_HINT = "Ctrl-C leaves; the run goes on"


def follow_to_end(
    folders: Sequence[Path], quiet: bool = False, as_json: bool = False, watch: bool = False
) -> int:
    """Follow runs to their end and print how they ended; the exit code, see `follow`."""
    if not quiet and not as_json:
        print(*(folder.name for folder in folders), sep="\n", flush=True)
    standings, code = follow(folders, "json" if as_json else "quiet" if quiet else "auto", watch)
    close(standings, quiet=quiet or as_json)
    return code


def follow(folders: Sequence[Path], look: Look = "auto", watch: bool = False) -> tuple[list[Standing], int]:
    """Show runs until each has ended.

    Args:
        folders: the run folders.
        look: lines or a live display as stdout allows, the events as JSON, or nothing.
        watch: Ctrl-C leaves the runs alone and returns.

    Returns:
        Where they stood at last, and an exit code: 0 all finished, 1 some run failed, 130 stopped or left.
    """
    runs = [open_run(folder) for folder in folders]
    labels = labels_of_each(runs)
    display = _display(look, several=len(runs) > 1, hint=_WATCH_HINT if watch else _HINT)
    try:
        with counted_interrupts() as interrupts:
            standings = _until_over(runs, labels, display, interrupts, watch)
    finally:
        display.close()
    return standings, _exit_code(standings)


def _display(look: Look, several: bool, hint: str) -> Display:
    console = Console(highlight=False)
    if look == "json":
        return JsonDisplay()
    if look == "quiet":
        return QuietDisplay()
    if console.is_terminal and not console.is_dumb_terminal:
        from wbtui.cli.live import LiveDisplay

        return LiveDisplay(console, hint)
    return PlainDisplay(several)


class _Interrupts:
    """Counts Ctrl-C instead of breaking off whatever is being drawn."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1


@contextlib.contextmanager
def counted_interrupts() -> Iterator[_Interrupts]:
    """Count Ctrl-C for a while instead of being broken off by it; within another while, go on with its count."""
    before = signal.getsignal(signal.SIGINT)
    if isinstance(before, _Interrupts):
        yield before
        return
    counter = _Interrupts()
    signal.signal(signal.SIGINT, counter)
    try:
        yield counter
    finally:
        signal.signal(signal.SIGINT, before)


def _until_over(
    runs: Sequence[Run],
    labels: Sequence[Labels],
    display: Display,
    interrupts: _Interrupts,
    watch: bool,
) -> list[Standing]:
    stopping = _Stopping(display)
    while True:
        standings = [standing(run, label) for run, label in zip(runs, labels, strict=True)]
        display.show(standings)
        if all(one.over or one.state.name == "unknown" for one in standings):
            return standings
        if interrupts.count and watch:
            return standings
        stopping.heed(interrupts.count, standings)
        deadline, seen = time.monotonic() + _LOOK_SECONDS, interrupts.count
        while time.monotonic() < deadline and interrupts.count == seen:
            time.sleep(_SLICE)


class _Stopping:
    """Turns the first Ctrl-C into a polite request and each further one into the next rung of the ladder."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._heeded = 0
        self._ladders: list[Ladder] = []

    def heed(self, count: int, standings: Sequence[Standing]) -> None:
        """Act on Ctrl-C pressed `count` times so far."""
        living = [one.run.path for one in standings if one.state.living]
        waiting = [one.run.path for one in standings if one.waits]
        while self._heeded < count:
            self._heeded += 1
            if self._heeded == 1:
                asked = [
                    *living,
                    *(folder for folder in waiting if not withdraw(folder)),
                ]  # started a moment ago
                for folder in asked:
                    request_stop(folder, by="Ctrl-C")
                if out := len(living) + len(waiting) - len(asked):
                    self._display.say(f"{counted(out, 'run')} taken out of the queue")
                if asked:
                    self._display.say("stopping after this batch, with a checkpoint; Ctrl-C again terminates")
            elif self._heeded == 2:
                self._ladders = [Ladder(folder, Rung.TERMINATE, by="Ctrl-C") for folder in living]
                self._display.say("SIGTERM sent; SIGKILL in 10 s, or with Ctrl-C now")
            else:
                for ladder in self._ladders:
                    ladder.climb()
                self._display.say("SIGKILL sent")
        for ladder in self._ladders:
            ladder.tick()


def _exit_code(standings: Sequence[Standing]) -> int:
    states = {"queued" if one.waits else one.state.name for one in standings}
    if states & {"failed", "crashed", "unknown"}:
        return FAILED
    return DONE if states <= {"finished"} else INTERRUPTED


def is_terminal() -> bool:
    """Whether a person can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()

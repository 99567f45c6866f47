"""How did an attempt end? The trainer's exit, its `end` event, the log and the kernel's counters tell."""

import signal
import time
from pathlib import Path

from wbtui.store import format as run_format
from wbtui.store.errors import StoreReadError
from wbtui.store.events import EventReader
from wbtui.store.format import Outcome, Result
from wbtui.store.history import End, History
from wbtui.store.text import plain

ERROR_LINES = 60
_TAIL_BYTES = 64 << 10
_CHUNK = 256 << 10
_ASKED = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
_BY_EXIT_CODE: dict[int, Outcome] = {1: "failed", 2: "failed", 130: "stopped"}


class Ending:
    """What an attempt leaves behind, counted from its beginning."""

    def __init__(self, folder: Path, attempt: int, started: float) -> None:
        self.folder, self.attempt, self.started = folder, attempt, started
        self._reader, self._history = EventReader(folder), History()
        self._log_start = _size(folder / run_format.LOG)
        self._read_on()
        self._earlier_end = self._history.end

    def _read_on(self) -> None:
        more = True
        while more:
            try:
                batch = self._reader.poll(_CHUNK)
            except StoreReadError:
                return
            self._history.extend(batch.events)
            more = batch.more

    def end(self) -> End | None:
        """The trainer's own word on this attempt, if it came to that."""
        self._read_on()
        return self._history.end if self._history.end is not self._earlier_end else None

    @property
    def epoch(self) -> int:
        """The last epoch that stands."""
        return self._history.last_epoch

    def log(self) -> str:
        """The last lines that this attempt left in output.log."""
        try:
            with (self.folder / run_format.LOG).open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(self._log_start, size - _TAIL_BYTES))
                tail = file.read(_TAIL_BYTES)
        except OSError:
            return ""
        lines = tail.decode("utf-8", "replace").rstrip().splitlines()
        return plain("\n".join(lines[-ERROR_LINES:]), lines=True)

    def stop_was_asked(self) -> bool:
        """Whether control/stop is there."""
        return (self.folder / run_format.STOP).exists()


def judge(ending: Ending, code: int, out_of_memory: str) -> Result:
    """The result of an attempt whose trainer has exited.

    Args:
        ending: what it left behind.
        code: its return code as subprocess tells it; negative: the signal that ended it.
        out_of_memory: what the kernel says about its out-of-memory killer; empty: nothing.
    """
    end, log = ending.end(), ending.log()
    outcome, reason = (
        (end.outcome, plain(end.reason)) if end else _without_end(ending, code, log, out_of_memory)
    )
    return Result(
        attempt=ending.attempt,
        outcome=outcome,
        reason=reason,
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        started=ending.started,
        ended=time.time(),
        epoch=ending.epoch,
        final=end.final if end else None,
        best=end.best if end else None,
        best_epoch=end.best_epoch if end else None,
        error=((end.error if end else "") or log) if outcome in ("failed", "crashed") else "",
    )


def _without_end(ending: Ending, code: int, log: str, out_of_memory: str) -> tuple[Outcome, str]:
    if code < 0:
        name = signal_name(-code)
        if -code in _ASKED and ending.stop_was_asked():
            return "stopped", f"ended by {name} after a stop was asked for"
        if -code == signal.SIGKILL and out_of_memory:
            return "crashed", out_of_memory
        return "crashed", f"killed by signal {-code} ({name})"
    last = next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "")
    if code in _BY_EXIT_CODE:
        return _BY_EXIT_CODE[code], last or f"exit code {code}"
    return "crashed", f"exit code {code} without a word on how it ended" + (f": {last}" if last else "")


def signal_name(number: int) -> str:
    """SIGKILL for 9; real-time signals by their number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

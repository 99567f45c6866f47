"""How do process.json, heartbeat.json, result.json and control/stop become typed values, and back?"""

import contextlib
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from wbtui.store import atomic, bounded, jsonio
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import (
    ATTEMPTS,
    BEST_CHECKPOINT,
    CHECKPOINT,
    CONTROL,
    FORMAT_VERSION,
    HEARTBEAT,
    OUTCOMES,
    PHASES,
    PREDICTIONS,
    PROCESS,
    PROVENANCE,
    RESULT,
    STOP,
    Heartbeat,
    Outcome,
    Phase,
    ProcessInfo,
    Result,
)
from wbtui.store.text import plain

Record = TypeVar("Record")

_OF_AN_ATTEMPT = frozenset({CHECKPOINT, BEST_CHECKPOINT, HEARTBEAT, PROVENANCE, PROCESS, RESULT})
"""Files that only who works on a run replaces."""


class _Fields:
    """Takes typed fields out of a JSON object; a field of another type raises ValueError."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = value

    def integer(self, name: str, least: int = 0) -> int:
        value = self._value.get(name)
        if type(value) is not int or not least <= value < 2**31:
            raise ValueError(f"{name}: expected an integer from {least}, found {value!r:.60}")
        return value

    def optional(self, name: str, least: int = 0) -> int | None:
        return None if self._value.get(name) is None else self.integer(name, least)

    def seconds(self, name: str) -> float:
        value = jsonio.number(self._value.get(name, 0.0))
        if value is None or not math.isfinite(value):
            raise ValueError(f"{name}: expected a number, found {self._value.get(name)!r:.60}")
        return value

    def optional_seconds(self, name: str) -> float | None:
        return None if self._value.get(name) is None else self.seconds(name)

    def text(self, name: str, limit: int = 100_000) -> str:
        value = self._value.get(name, "")
        if not isinstance(value, str):
            raise ValueError(f"{name}: expected text, found {value!r:.60}")
        return value[:limit]

    def word(self, name: str, known: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in known:
            raise ValueError(f"{name}: expected one of {', '.join(known)}, found {value!r:.60}")
        return value

    def figures(self, name: str) -> dict[str, float] | None:
        value = self._value.get(name)
        return None if value is None else jsonio.numbers(value)


def _process(fields: _Fields) -> ProcessInfo:
    return ProcessInfo(
        attempt=fields.integer("attempt", 1),
        host=fields.text("host", 300),
        device=fields.text("device", 300),
        pid=fields.optional("pid", 1),
        created=fields.optional_seconds("created"),
        waiter_pid=fields.optional("waiter_pid", 1),
        waiter_created=fields.optional_seconds("waiter_created"),
        process_group=fields.optional("process_group", 1),
        boot_time=fields.optional_seconds("boot_time"),
        boot_id=fields.text("boot_id", 100),
        pid_namespace=fields.text("pid_namespace", 100),
        written=fields.seconds("written"),
    )


def _heartbeat(fields: _Fields) -> Heartbeat:
    return Heartbeat(
        attempt=fields.integer("attempt", 1),
        pid=fields.integer("pid", 1),
        phase=cast(Phase, fields.word("phase", PHASES)),
        epoch=fields.integer("epoch"),
        batch=fields.optional("batch"),
        images_per_second=fields.seconds("images_per_second"),
        median_step_seconds=fields.seconds("median_step_seconds"),
        time=fields.seconds("time"),
        still_seconds=fields.seconds("still_seconds"),
        monotonic=fields.seconds("monotonic"),
        batches=fields.optional("batches"),
    )


def _result(fields: _Fields) -> Result:
    return Result(
        attempt=fields.integer("attempt", 1),
        outcome=cast(Outcome, fields.word("outcome", OUTCOMES)),
        reason=fields.text("reason", 20_000),
        exit_code=fields.optional("exit_code", -255),
        signal=fields.optional("signal", 1),
        started=fields.seconds("started"),
        ended=fields.seconds("ended"),
        epoch=fields.integer("epoch"),
        final=fields.figures("final"),
        best=fields.figures("best"),
        best_epoch=fields.optional("best_epoch", 1),
        error=fields.text("error"),
    )


def _read(folder: Path, name: str, build: Callable[[_Fields], Record]) -> Record | None:
    try:
        value = bounded.read_json(folder, name)
    except FileNotFoundError:
        return None
    try:
        return build(_Fields(value))
    except ValueError as error:
        raise StoreReadError(f"{bounded.shown(folder, name)}: {plain(str(error))}") from error


def read_process(folder: Path) -> ProcessInfo | None:
    """process.json, or None where there is none.

    Raises:
        StoreReadError: it is there, but broken.
    """
    return _read(folder, PROCESS, _process)


def read_heartbeat(folder: Path) -> Heartbeat | None:
    """heartbeat.json, or None where there is none.

    Raises:
        StoreReadError: it is there, but broken.
    """
    return _read(folder, HEARTBEAT, _heartbeat)


def read_result(folder: Path, name: str = RESULT) -> Result | None:
    """result.json, or None where there is none.

    Args:
        folder: The run folder.
        name: Another place below it, e.g. attempts/1/result.json.

    Raises:
        StoreReadError: it is there, but broken.
    """
    return _read(folder, name, _result)


def _write(path: Path, record: object, *, durable: bool = True) -> None:
    atomic.write_json(path, {"version": FORMAT_VERSION, **vars(record)}, durable=durable)


def write_process(folder: Path, process: ProcessInfo) -> None:
    """Replace process.json; raises StoreWriteError."""
    _write(folder / PROCESS, process)


def write_result(folder: Path, result: Result) -> None:
    """Replace result.json, the last file of an attempt; raises StoreWriteError."""
    _write(folder / RESULT, result)


class HeartbeatWriter:
    """Writes heartbeat.json; not brought to the disk (fsync), the next one comes in seconds.

    Args:
        folder: The run folder.
        attempt: Number of this attempt.
    """

    def __init__(self, folder: Path, attempt: int = 1) -> None:
        self._path = folder / HEARTBEAT
        self._attempt = attempt
        self._progress: tuple[str, int, int | None] | None = None
        self._moved = 0.0

    def beat(
        self,
        phase: Phase,
        epoch: int,
        batch: int | None = None,
        *,
        batches: int | None = None,
        images_per_second: float = 0.0,
        median_step_seconds: float = 0.0,
    ) -> Heartbeat:
        """Write what is being done now; when phase, epoch or batch last moved is noticed here.

        Args:
            phase: One of format.PHASES.
            epoch: The epoch in work, 1...; 0 before the first.
            batch: Batches done in this phase; None where there are none.
            batches: Batches in this phase, where known.
            images_per_second: Of recent steps.
            median_step_seconds: Of recent steps.

        Raises:
            StoreWriteError: the heartbeat before this one stays.
        """
        now = time.monotonic()
        if self._progress != (phase, epoch, batch):
            self._progress, self._moved = (phase, epoch, batch), now
        heartbeat = Heartbeat(
            attempt=self._attempt,
            pid=os.getpid(),
            phase=phase,
            epoch=epoch,
            batch=batch,
            images_per_second=images_per_second,
            median_step_seconds=median_step_seconds,
            time=time.time(),
            still_seconds=now - self._moved,
            monotonic=now,
            batches=batches,
        )
        _write(self._path, heartbeat, durable=False)
        return heartbeat


def request_stop(folder: Path, by: str = "") -> None:
    """Make control/stop: the trainer finishes its batch, writes a checkpoint and ends.

    Raises:
        StoreWriteError: it could not be made.
    """
    atomic.make_folder(folder / CONTROL)
    atomic.write_json(folder / STOP, {"version": FORMAT_VERSION, "time": time.time(), "by": by})


def stop_requested(folder: Path) -> bool:
    """Whether control/stop is there; cheap enough to ask between batches."""
    return os.path.lexists(folder / STOP)


def clear_stop(folder: Path) -> None:
    """Take a request to stop back; nothing is deleted through a link."""
    if (folder / CONTROL).is_symlink():
        return
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        (folder / STOP).unlink()


def begin_attempt(folder: Path) -> int:
    """Move result.json and process.json of the attempt before to attempts/N/, take its request to stop back.

    Before the first attempt a request to stop is meant for this one: who asked for it was faster than the waiter.
    What a killed trainer left half written goes: a checkpoint may take hundreds of megabytes.

    Returns:
        The number of the attempt that begins: 1 in a folder that nothing has worked on.

    Raises:
        StoreWriteError: a file could not be moved.
    """
    last = last_attempt(folder)
    try:
        if last and any(os.path.lexists(folder / name) for name in (RESULT, PROCESS)):
            atomic.make_folder(folder / ATTEMPTS)
            atomic.make_folder(folder / ATTEMPTS / str(last))
            for name in (RESULT, PROCESS):
                if os.path.lexists(folder / name):
                    (folder / name).replace(folder / ATTEMPTS / str(last) / name)
        if last:
            clear_stop(folder)
    except OSError as error:
        raise StoreWriteError(folder / ATTEMPTS, error) from error
    atomic.discard_unfinished(folder, _OF_AN_ATTEMPT)
    atomic.discard_unfinished(folder / PREDICTIONS)
    return last + 1


def last_attempt(folder: Path) -> int:
    """Number of the last attempt that process.json, result.json or attempts/ knows of; 0 if none."""
    numbers = [0]
    for read in (read_process, read_result):
        try:
            record = read(folder)
        except StoreReadError:
            continue
        if record is not None:
            numbers.append(record.attempt)
    with contextlib.suppress(OSError):
        names = [path.name for path in (folder / ATTEMPTS).iterdir()]
        numbers += [int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 7]
    return max(numbers)

"""Which runs wait, in which order, and how many may run at once? What the queue is, on disk.

A run in the queue is a run folder with a queue.json; it goes when the run has ended. What holds for the whole queue
lies in the hidden folder runs/.queue. All of it is changed under one lock, and no more than a whole file at a time,
so that whoever is killed leaves a queue that can be read.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from wbtui.errors import UsageError
from wbtui.launch.slots import ANY, is_slot
from wbtui.store import atomic, bounded
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import FORMAT_VERSION, QUEUE, Result
from wbtui.store.housekeeping import remove_run
from wbtui.store.ids import check_runs_folder, run_ids
from wbtui.store.lock import LOCK_PATIENCE, RUN_LOCK, locked
from wbtui.store.reader import open_run
from wbtui.store.records import last_attempt, stop_requested, write_result
from wbtui.store.text import plain

PLACE = ".queue"
"""Folder beside the runs."""

_SETTINGS = "settings.json"
_EDIT_LOCK = "edit.lock"
_PATIENCE = 30.0
_MOST_SLOTS = 1024


@dataclass(frozen=True)
class Ticket:
    """What queue.json says of a run."""

    order: int
    """The smallest goes first."""

    retries: int = 0
    """How often a crashed run is started again, from its checkpoint."""

    attempts_before: int = 0
    """Attempts at the run before it was queued."""

    slot: str = ""
    """The slot it was given when it was started last."""

    added: float = 0.0
    """Unix seconds."""


@dataclass(frozen=True)
class Entry:
    """A run in the queue."""

    folder: Path
    ticket: Ticket

    @property
    def may_start(self) -> bool:
        """Whether it has starts left: one, and one more for each retry. Attempts are counted, so none is lost.

        Whoever asked an attempt to stop wants no other one, however it ended.
        """
        begun = last_attempt(self.folder) - self.ticket.attempts_before
        return begun < 1 + self.ticket.retries and not (begun > 0 and stop_requested(self.folder))


@dataclass(frozen=True)
class QueueSettings:
    """What holds for the whole queue."""

    paused: bool = False
    slots: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({ANY: 1}))
    """How many runs at once, by device; `auto` takes any run."""

    @property
    def parallel(self) -> int:
        """How many runs at once on all devices."""
        return sum(self.slots.values())


@contextlib.contextmanager
def editing(runs: Path) -> Iterator[None]:
    """Hold the queue still; everybody who changes it or starts a run from it does so inside.

    Raises:
        UsageError: somebody else holds it for more than 30 s, or as `check_runs_folder`.
        StoreWriteError: the runs folder cannot be written.
    """
    check_runs_folder(runs)
    try:
        runs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreWriteError(runs, error) from error
    with locked(runs / PLACE / _EDIT_LOCK, _PATIENCE) as held:
        if not held:
            raise UsageError(
                f"{plain(str(runs))}: another process changes the queue for {_PATIENCE:.0f} s; try again"
            )
        yield


def read_settings(runs: Path) -> QueueSettings:
    """The settings of the queue; the default ones where there are none or they are broken."""
    try:
        value = bounded.read_json(runs / PLACE, _SETTINGS)
    except (FileNotFoundError, StoreReadError):
        return QueueSettings()
    slots = value.get("slots")
    known = {
        name: count
        for name, count in (slots.items() if isinstance(slots, dict) else ())
        if is_slot(name) and type(count) is int and 0 < count <= _MOST_SLOTS
    }
    return QueueSettings(paused=value.get("paused") is True, slots=known or QueueSettings().slots)


def write_settings(runs: Path, settings: QueueSettings) -> None:
    """Replace the settings; inside `editing`."""
    (runs / PLACE).mkdir(parents=True, exist_ok=True)
    value = {"version": FORMAT_VERSION, "paused": settings.paused, "slots": dict(settings.slots)}
    atomic.write_json(runs / PLACE / _SETTINGS, value)


def entries(runs: Path) -> list[Entry]:
    """The runs with a queue.json, in their order, those at work and those just ended included."""
    found = []
    for name in run_ids(runs):
        ticket = read_ticket(runs / name) if os.path.lexists(runs / name / QUEUE) else None
        if ticket is not None:
            found.append(Entry(runs / name, ticket))
    return sorted(found, key=lambda entry: (entry.ticket.order, entry.folder.name))


def read_ticket(folder: Path) -> Ticket | None:
    """queue.json of a run; None where there is none, the last place where it is broken."""
    try:
        value = bounded.read_json(folder, QUEUE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except StoreReadError:
        value = {}

    def count(name: str, default: int = 0) -> int:
        number = value.get(name, default)
        return number if type(number) is int and 0 <= number < 2**53 else default

    slot, added = value.get("slot"), value.get("added")
    return Ticket(
        order=count("order", 2**53 - 1),
        retries=count("retries"),
        attempts_before=count("attempts_before"),
        slot=slot if isinstance(slot, str) else "",
        added=float(added) if isinstance(added, int | float) else 0.0,
    )


def waits_again(folder: Path) -> bool:
    """Whether a run that has crashed will be started again."""
    ticket = read_ticket(folder)
    return ticket is not None and Entry(folder, ticket).may_start


def write_ticket(folder: Path, ticket: Ticket) -> None:
    """Replace queue.json of a run; inside `editing`."""
    atomic.write_json(folder / QUEUE, {"version": FORMAT_VERSION, **vars(ticket)})


def enqueue(runs: Path, folders: Sequence[Path], retries: int = 0) -> None:
    """Put runs that nobody works on at the end of the queue."""
    with editing(runs):
        last = max((entry.ticket.order for entry in entries(runs)), default=-1)
        for order, folder in enumerate(folders, last + 1):
            ticket = Ticket(order, retries, attempts_before=last_attempt(folder), added=time.time())
            write_ticket(folder, ticket)


def withdraw(folder: Path) -> bool:
    """Take a run that waits out of the queue, or one that nobody can tell whether it is at work; it can be resumed.

    One that waited counts as stopped, one that has crashed and waits to be tried again as crashed, and one of which
    nothing is known as unknown.

    Returns:
        Whether it is out; one that was started meanwhile, or whose lock somebody holds, is left alone.
    """
    # A waiter that a worker sent off just before it was killed holds the run's lock, and is in no file yet.
    with editing(folder.parent), locked(folder / RUN_LOCK, LOCK_PATIENCE) as free:
        state = open_run(folder).state().name
        waits = state == "queued" or (state in ("crashed", "unknown") and os.path.lexists(folder / QUEUE))
        if not (free and waits):
            return False
        if state == "queued":
            now = time.time()
            reason = "taken out of the queue before it started"
            write_result(folder, Result(last_attempt(folder) + 1, "stopped", reason, started=now, ended=now))
        forget(folder)
        return True


def take_out(folder: Path) -> bool | None:
    """Take a run that waits out of the queue for good, as a person asks for.

    One that was never started goes to the bin, from which it can be brought back; one with an attempt behind it
    stays where it is, stopped, crashed or unknown, with all that it has.

    Returns:
        Whether it is in the bin; None: it was started meanwhile and is left alone.

    Raises:
        UsageError: the bin has a run of this name.
        StoreWriteError: it cannot be moved.
    """
    begun = last_attempt(folder) > 0
    if not withdraw(folder):
        return None
    if not begun:
        remove_run(folder.parent, folder.name)
    return not begun


def forget(folder: Path) -> None:
    """Remove queue.json of a run that has ended. Inside `editing`."""
    (folder / QUEUE).unlink(missing_ok=True)


def reorder(waiting: Sequence[Entry], moved: Entry, position: int) -> None:
    """Put a waiting run at a position, from 1, among those that wait. Inside `editing`."""
    others = [entry for entry in waiting if entry.folder != moved.folder]
    others.insert(max(0, position - 1), moved)
    orders = sorted(entry.ticket.order for entry in waiting)
    for entry, order in zip(others, orders, strict=True):
        if entry.ticket.order != order:
            write_ticket(entry.folder, replace(entry.ticket, order=order))

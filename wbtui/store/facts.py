"""What can be seen of a run's processes right now, on this machine?"""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

from wbtui.store import records
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import CONFIG, QUEUE, Heartbeat, ProcessInfo, Result
from wbtui.store.history import End
from wbtui.store.lock import RUN_LOCK, is_held

T = TypeVar("T")

Liveness = Literal["none", "alive", "zombie", "gone", "other", "rebooted", "hidden"]
"""none: no pid is recorded; other: the pid now belongs to another program; rebooted: the machine restarted since;
hidden: a process with this pid is there, but not who it is."""

Place = Literal["here", "container", "host"]
"""Where a run's processes are: where they can be looked at, in another container of this host, or on another host."""

_CREATION_TOLERANCE = 2.0  # seconds; Linux derives both times from a boot time that jitters by one


@dataclass(frozen=True)
class Facts:
    """Everything that a run's state is derived from."""

    process: ProcessInfo | None = None
    result: Result | None = None
    heartbeat: Heartbeat | None = None
    problems: tuple[str, ...] = ()
    """Which of process.json, result.json, heartbeat.json are there but broken, and how."""
    heartbeat_age: float | None = None
    """Seconds; negative where the clock was set back or hosts disagree."""
    trainer: Liveness = "none"
    waiter: Liveness = "none"
    place: Place = "here"
    """Where process.json says that its processes are."""
    unlocked: bool = False
    """Whether nobody holds the run's lock; asked only where its processes are in another container."""
    events_attempt: int = 0
    """Attempt of the last start or resume event; 0 before any."""
    end: End | None = None
    """That attempt's `end` event."""
    queued: bool = False
    """Whether queue.json is there."""
    stop_requested: bool = False
    """Whether control/stop is there."""
    process_age: float = 0.0
    """Seconds since process.json was written."""
    folder_age: float = 0.0
    """Seconds since config.toml was written; where there is none, since the folder changed."""
    folder_gone: bool = False
    """Whether the whole folder was moved away or deleted."""


@cache
def host() -> str:
    """Name of this machine."""
    return socket.gethostname()


@cache
def boot_id() -> str:
    """The kernel's id of this boot; empty where it has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


@cache
def pid_namespace() -> str:
    """The kernel's name of the process table that is seen here: a container has its own; empty where it has none."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def place_of(process: ProcessInfo) -> Place:
    """Where the processes of a record are; those of an earlier boot are nowhere, which can be said from here."""
    if process.host != host():
        return "host"
    same_boot = process.boot_id != "" and process.boot_id == boot_id()
    known = process.pid_namespace and pid_namespace()
    return "container" if same_boot and known and process.pid_namespace != pid_namespace() else "here"


def boot_time() -> float:
    """Unix seconds of this machine's boot, as its clock now has it."""
    import psutil

    return float(psutil.boot_time())


def creation_time(pid: int) -> float | None:
    """Unix seconds at which a living process was made, as psutil tells it; None: no such process."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def process_info(
    attempt: int,
    *,
    pid: int | None,
    waiter_pid: int | None = None,
    process_group: int | None = None,
    device: str = "",
) -> ProcessInfo:
    """The process.json of living processes on this machine.

    Args:
        attempt: Number of the attempt.
        pid: The trainer; None before it is started.
        waiter_pid: The waiter; None without one.
        process_group: The trainer's.
        device: As resolved, e.g. cuda:1.
    """
    return ProcessInfo(
        attempt=attempt,
        host=host(),
        device=device,
        pid=pid,
        created=creation_time(pid) if pid else None,
        waiter_pid=waiter_pid,
        waiter_created=creation_time(waiter_pid) if waiter_pid else None,
        process_group=process_group,
        boot_time=boot_time(),
        boot_id=boot_id(),
        pid_namespace=pid_namespace(),
        written=time.time(),
    )


def trainer_liveness(process: ProcessInfo) -> Liveness:
    """Whether the recorded trainer is that very process and lives; ask again before every signal."""
    return _liveness(process, process.pid, process.created)


def waiter_liveness(process: ProcessInfo) -> Liveness:
    """Whether the recorded waiter is that very process and lives; ask again before every signal."""
    return _liveness(process, process.waiter_pid, process.waiter_created)


def _liveness(process: ProcessInfo, pid: int | None, created: float | None) -> Liveness:
    if pid is None:
        return "none"
    if process.boot_id and boot_id() and process.boot_id != boot_id():
        return "rebooted"
    import psutil

    try:
        found = psutil.Process(pid)
        now_created, status = float(found.create_time()), found.status()
    except psutil.NoSuchProcess:
        return "gone"
    except psutil.Error:
        return "hidden"
    if created is None:
        return "hidden"
    if not same_creation(process, created, now_created, boot_time()):
        return "other"
    return "zombie" if status in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD) else "alive"


def same_creation(process: ProcessInfo, created: float, now_created: float, now_boot_time: float) -> bool:
    """Whether two readings are the creation time of one process, though the clock may have been set since.

    Linux counts creation from boot, and a clock that is set moves boot time and creation time alike;
    elsewhere the creation time itself stays.

    Args:
        process: The record that `created` stands in.
        created: The recorded creation time.
        now_created: The one read now.
        now_boot_time: Boot time read now.
    """
    if abs(created - now_created) < _CREATION_TOLERANCE:
        return True
    if not process.boot_id or process.boot_time is None:
        return False
    since_boot, now_since_boot = created - process.boot_time, now_created - now_boot_time
    return abs(since_boot - now_since_boot) < _CREATION_TOLERANCE


def heartbeat_age(heartbeat: Heartbeat, now: float, monotonic: float | None) -> float:
    """Seconds since a heartbeat.

    Args:
        heartbeat: The heartbeat.
        now: Unix seconds.
        monotonic: time.monotonic() here, if the heartbeat was written under this boot: then no clock that is
            set matters; else None.
    """
    if monotonic is not None and 0 < heartbeat.monotonic <= monotonic:
        return monotonic - heartbeat.monotonic
    return now - heartbeat.time


def gather_facts(folder: Path, attempt: int = 0, end: End | None = None) -> Facts:
    """Look at a run's small files and at the process table.

    Args:
        folder: The run folder.
        attempt: Attempt of its last start or resume event; 0 before any.
        end: That attempt's `end` event.
    """
    problems: list[str] = []
    process = _unless_broken(records.read_process, folder, problems)
    place = place_of(process) if process else "here"
    trainer = trainer_liveness(process) if process and place == "here" else "none"
    waiter = waiter_liveness(process) if process and place == "here" else "none"
    free = place == "container" and unlocked(folder)
    # After its processes: a waiter that is gone has written it, one that lives may go right after it was not there.
    result = _unless_broken(records.read_result, folder, problems)
    heartbeat = _unless_broken(records.read_heartbeat, folder, problems)
    now, age = time.time(), None
    if heartbeat is not None:
        same_boot = process is not None and place != "host" and process.boot_id == boot_id() != ""
        age = heartbeat_age(heartbeat, now, time.monotonic() if same_boot else None)
    return Facts(
        process=process,
        result=result,
        heartbeat=heartbeat,
        problems=tuple(problems),
        heartbeat_age=age,
        trainer=trainer,
        waiter=waiter,
        place=place,
        unlocked=free,
        events_attempt=attempt,
        end=end,
        queued=os.path.lexists(folder / QUEUE),
        stop_requested=records.stop_requested(folder),
        process_age=now - process.written if process else 0.0,
        folder_age=now - (_modified(folder / CONFIG) or _modified(folder) or now),
        folder_gone=not os.path.lexists(folder),
    )


def unlocked(folder: Path) -> bool:
    """Whether nobody holds the lock of a run; false where that cannot be told."""
    try:
        return not is_held(folder / RUN_LOCK)
    except StoreWriteError:  # a file system without locks does not tell
        return False


def _unless_broken(read: Callable[[Path], T | None], folder: Path, problems: list[str]) -> T | None:
    """What a small file says; one that is broken says nothing, and that is added to the problems."""
    try:
        return read(folder)
    except StoreReadError as error:
        problems.append(str(error))
        return None


def _modified(path: Path) -> float | None:
    try:
        return path.lstat().st_mtime
    except OSError:
        return None

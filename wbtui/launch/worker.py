"""Who starts the runs that wait? One detached process a runs folder, which ends when nothing waits any more.

`python -m wbtui.launch.worker RUNS` may be killed at any moment: what it knows stands in the run folders, runs at work
go on without it, and the next worker counts their attempts: none is started twice and none is forgotten.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from wbtui.errors import RunFailedError, UsageError
from wbtui.launch import queue_files, slots
from wbtui.launch.detach import Ready, detached
from wbtui.launch.environment import child_environment
from wbtui.launch.queue_files import PLACE, Entry
from wbtui.launch.refused import AlreadyAtWorkError
from wbtui.launch.resume import config_of
from wbtui.launch.slots import ANY
from wbtui.launch.start import start_run
from wbtui.store import facts
from wbtui.store.errors import StoreReadError, StoreWriteError, complain
from wbtui.store.format import Result, RunState
from wbtui.store.lock import LOCK_PATIENCE, is_held, locked
from wbtui.store.log import open_output
from wbtui.store.reader import Run, open_run
from wbtui.store.records import last_attempt, write_process, write_result

LOOK_SECONDS = 1.0
ALREADY_RUNNING = 75
_LOCK = "worker.lock"
_LOG = "worker.log"


def main(arguments: list[str]) -> int:
    """Work off the queue of the runs folder on the command line."""
    parser = argparse.ArgumentParser(prog="python -m wbtui.launch.worker", description=__doc__)
    parser.add_argument("runs", type=Path, help="the folder of all runs")
    parser.add_argument("--detach", action="store_true", help="return once the worker works, and let it stay")
    options = parser.parse_args(arguments)
    if options.detach:
        return detached(lambda ready: work(options.runs, ready))
    return work(options.runs)


def work(runs: Path, ready: Ready = lambda: None) -> int:
    """Start what waits as slots become free, until nothing is left to start or to watch."""
    with contextlib.ExitStack() as lock:
        if not lock.enter_context(locked(runs / PLACE / _LOCK, LOCK_PATIENCE)):
            return ALREADY_RUNNING
        write_process(runs / PLACE, facts.process_info(1, pid=None, waiter_pid=os.getpid()))
        ready()
        known: dict[Path, Run] = {}
        while runs.is_dir():  # one that is gone may come back: `editing` would make another in its place
            try:
                with queue_files.editing(runs):
                    if not step(runs, known):
                        lock.close()  # inside `editing`: who adds a run next finds no worker and starts one
                        return 0
            except (UsageError, StoreWriteError, OSError) as error:
                _complain(f"worker: {error}")
            time.sleep(LOOK_SECONDS)
        _complain(f"worker: {runs}: this folder of runs is not there any more")
        return 1


def step(runs: Path, known: dict[Path, Run] | None = None) -> bool:
    """Look once, and start what can start; whether there is more to come. Inside `editing`; for `known` see `look`."""
    settings = queue_files.read_settings(runs)
    working, waiting = look(runs, known)
    if settings.paused:
        return bool(working)
    free = slots.free_slots(
        settings.slots, ((entry.ticket.slot, device_of(entry.folder)) for entry in working)
    )
    parallel = min(settings.parallel, len(working) + len(waiting))
    could_start = False
    for entry in waiting:
        device = device_of(entry.folder)
        could_start |= any(slots.fits(slot, device) for slot in settings.slots)
        slot = next((slot for slot in free if slots.fits(slot, device)), None)
        if slot is not None:
            try:
                _start(entry, slot, parallel)
            except (StoreWriteError, OSError) as error:
                _complain(f"worker: {error}")  # a colleague's folder, say; tried again at the next look
            else:
                free.remove(slot)
        elif not free and could_start:
            break
    return bool(working) or could_start


@lru_cache
def _complain(message: str) -> None:
    """Say it once, not at every look for as long as it lasts."""
    complain(message)


def look(runs: Path, known: dict[Path, Run] | None = None) -> tuple[list[Entry], list[Entry]]:
    """The runs of the queue at work, and those that wait, in order; those that have ended leave it.

    Inside `editing`. One that cannot be read now keeps its place and is in neither: whether it has ended is not known.

    Args:
        runs: The folder of all runs.
        known: For whoever looks every second, for days: runs as they were read before, by folder. Their events are
            read on, not again; it is brought up to date.
    """
    working, waiting, ended = _sorted_out(runs, {} if known is None else known)
    for entry in ended:
        with contextlib.suppress(OSError):  # it may stand there; it is passed over at every look
            queue_files.forget(entry.folder)
    return working, waiting


def peek(runs: Path, known: dict[Path, Run] | None = None) -> tuple[list[Entry], list[Entry]]:
    """As `look`, for whoever only shows the queue: nothing is changed, held still or in need of a right to write."""
    working, waiting, _ = _sorted_out(runs, {} if known is None else known)
    return working, waiting


def _sorted_out(runs: Path, known: dict[Path, Run]) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """The runs at work, those that wait, and those that have ended."""
    working, waiting, ended = [], [], []
    entries = queue_files.entries(runs)
    for folder in known.keys() - {entry.folder for entry in entries}:
        del known[folder]
    for entry in entries:
        state = _state(entry, known)
        if state is None:
            continue
        if state.living or state.name == "unknown":
            working.append(entry)
        elif state.name in ("queued", "crashed") and entry.may_start:
            waiting.append(entry)
        else:
            ended.append(entry)
    return working, waiting, ended


def _state(entry: Entry, known: dict[Path, Run]) -> RunState | None:
    """The state of a queued run; None: it cannot be read."""
    try:
        return known.setdefault(entry.folder, open_run(entry.folder)).state()
    except StoreReadError:
        return None


def device_of(folder: Path) -> str:
    """The device that a run is configured for."""
    try:
        device = open_run(folder).config.get("device")
    except StoreReadError:
        return ANY
    return device if isinstance(device, str) else ANY


def _start(entry: Entry, slot: str, parallel: int) -> None:
    """Start a waiting run in a slot; one that cannot start has failed and does not hold up the others."""
    folder = entry.folder
    queue_files.write_ticket(folder, replace(entry.ticket, slot=slot))
    try:
        config = config_of(folder)
        start_run(folder, config, parallel, slots.slot_environment(slot, config.device))
    except AlreadyAtWorkError:
        return  # a waiter that an earlier worker sent off just before it was killed
    except (UsageError, RunFailedError) as error:
        now = time.time()
        attempt = last_attempt(folder) + 1
        write_result(folder, Result(attempt, "failed", f"could not start: {error}", started=now, ended=now))
        queue_files.forget(folder)


def worker_lives(runs: Path) -> bool:
    """Whether a worker works off this queue now."""
    return is_held(runs / PLACE / _LOCK)


def queue_up(runs: Path, folders: Sequence[Path], retries: int = 0) -> bool:
    """Put runs at the end of the queue and have it worked off, unless it is paused.

    Args:
        runs: the folder of all runs.
        folders: of the runs, in their order.
        retries: how often a crashed run is started again.

    Returns:
        Whether somebody works the queue off; False: it is paused.

    Raises:
        UsageError: somebody else holds the queue.
        RunFailedError: the worker could not start.
        StoreWriteError: the runs folder cannot be written.
    """
    queue_files.enqueue(runs, folders, retries)
    if queue_files.read_settings(runs).paused:
        return False
    ensure_worker(runs)
    return True


def ensure_worker(runs: Path) -> None:
    """Start a worker unless one works already.

    Raises:
        RunFailedError: it could not start.
        StoreWriteError: its log cannot be written.
    """
    if worker_lives(runs):
        return
    (runs / PLACE).mkdir(parents=True, exist_ok=True)
    with open_output(runs / PLACE / _LOG) as log:
        worker = subprocess.run(
            [sys.executable, "-P", "-m", "wbtui.launch.worker", "--detach", str(runs.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=child_environment(),
            check=False,
        )
    if worker.returncode not in (0, ALREADY_RUNNING):
        raise RunFailedError(f"the queue's worker could not start; see {runs / PLACE / _LOG}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

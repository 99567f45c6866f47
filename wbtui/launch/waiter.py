"""Who waits for a trainer and records how it ended, whatever happens to the terminal that started it?

`python -m wbtui.launch.waiter RUN_FOLDER` starts the trainer in its own process group, writes process.json
and system.jsonl, waits, clears what is left of the group and writes result.json. It lives as long as the run
and holds the run's lock, so it stays small: no torch, no numpy, no pydantic.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import psutil

from wbtui.launch import identity, oom
from wbtui.launch.detach import Ready, detached
from wbtui.launch.ending import Ending, judge
from wbtui.launch.samples import Sampler, group_members
from wbtui.store import format as run_format
from wbtui.store.errors import StoreWriteError, complain
from wbtui.store.facts import process_info
from wbtui.store.format import Result
from wbtui.store.lock import LOCK_PATIENCE, RUN_LOCK, locked
from wbtui.store.log import open_output
from wbtui.store.records import begin_attempt, write_process, write_result

ALREADY_RUNNING = 75
"""Exit code when another waiter or trainer works on the folder."""

GROUP_PATIENCE = 5.0
"""Seconds that what is left of the process group has between SIGTERM and SIGKILL."""

EXIT_LOOK_SECONDS = 0.2
"""Between looks at the trainer where waiting for it without reaping it cannot be had."""

RESULT_TRIES = 60
RESULT_PAUSE = 5.0
"""result.json is tried again every so many seconds: a full disk is often made room on."""

_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(arguments: list[str]) -> int:
    """Run one attempt at the run folder that the command line names; the exit code says how waiting went."""
    parser = argparse.ArgumentParser(prog="python -m wbtui.launch.waiter", description=__doc__)
    parser.add_argument("folder", type=Path, help="the run folder")
    parser.add_argument("--device", default="", help="the device to take samples of")
    parser.add_argument("--detach", action="store_true", help="return once the trainer is started, and stay")
    options = parser.parse_args(arguments)
    if options.detach:
        return detached(lambda ready: attempt(options.folder, options.device, ready))
    return attempt(options.folder, options.device)


def attempt(folder: Path, device: str, ready: Ready = lambda: None) -> int:
    """One attempt at a run, unless somebody works on it; `ready` is called once process.json is complete."""
    try:
        with locked(folder / RUN_LOCK, LOCK_PATIENCE) as held:
            if not held or identity.trainer_lives(folder):
                return ALREADY_RUNNING
            return wait(folder, begin_attempt(folder), device, ready)
    except (StoreWriteError, OSError) as error:
        complain(f"waiter: {error}")
        return 1


def wait(folder: Path, number: int, device: str, ready: Ready) -> int:
    """Start the trainer of an attempt and stay until it has ended and that is written down."""
    started = time.time()
    ending = Ending(folder, number, started)
    before = oom.kill_count()
    write_process(folder, process_info(number, pid=None, waiter_pid=os.getpid(), device=device))
    with _trainer(folder) as trainer:
        _pass_on_signals(trainer.pid)
        write_process(
            folder,
            process_info(
                number, pid=trainer.pid, waiter_pid=os.getpid(), process_group=trainer.pid, device=device
            ),
        )
        ready()
        sampler = Sampler(folder / run_format.SYSTEM, trainer.pid, device)
        sampler.start()
        await_exit(trainer.pid)
        sampler.close()
        clear_group(trainer.pid)
        _take_no_signals()
        code = trainer.wait()
    result = judge(ending, code, oom.kill_count().struck_since(before))
    return _write_result(folder, result)


@contextlib.contextmanager
def _trainer(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The trainer in a process group of its own, its words in output.log; ends with a waiter that fails."""
    with open_output(folder / run_format.LOG) as log:
        trainer = subprocess.Popen(
            [sys.executable, "-P", "-m", "wbtui.training", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
            env=os.environ | {"WBTUI_WAITER": "1", "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"},
        )
    try:
        yield trainer
    finally:
        if trainer.returncode is None:
            clear_group(trainer.pid)
            trainer.wait()


def _pass_on_signals(group: int) -> None:
    """Whoever ends the waiter means the run: SIGTERM, SIGINT and SIGHUP reach the trainer."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM if number == signal.SIGHUP else number)

    for number in _PASSED_ON:
        signal.signal(number, pass_on)


def _take_no_signals() -> None:
    """Once the trainer is reaped its group may become another program's; what is left is to write how it ended."""
    for number in _PASSED_ON:
        signal.signal(number, signal.SIG_IGN)


def await_exit(pid: int) -> None:
    """Wait until the trainer is dead but leave it a zombie: until it is reaped, nobody gets its group."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return
    trainer = psutil.Process(pid)  # macOS has no waitid before Python 3.13
    with contextlib.suppress(psutil.NoSuchProcess):  # a zombie counts as one in some versions
        while trainer.status() != psutil.STATUS_ZOMBIE:
            time.sleep(EXIT_LOOK_SECONDS)


def clear_group(group: int) -> None:
    """End every living process of a group whose leader has not been reaped: SIGTERM, a while, SIGKILL."""
    for number, patience in ((signal.SIGTERM, GROUP_PATIENCE), (signal.SIGKILL, GROUP_PATIENCE)):
        if not any(group_members(group)):
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
            os.killpg(group, signal.SIGCONT)
        deadline = time.monotonic() + patience
        while any(group_members(group)) and time.monotonic() < deadline:
            time.sleep(0.05)


def _write_result(folder: Path, result: Result) -> int:
    for _ in range(RESULT_TRIES):
        try:
            write_result(folder, result)
        except StoreWriteError as error:
            if not folder.is_dir():
                raise
            complain(f"{error}; trying again")
            time.sleep(RESULT_PAUSE)
        else:
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

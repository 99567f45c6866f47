"""Real runs in tests: started, waited for, and all gone when the test is over."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from wbtui.launch import identity
from wbtui.launch.start import make_run, start_run
from wbtui.presets import resolve
from wbtui.store.format import ProcessInfo, RunState
from wbtui.store.reader import open_run

PATIENCE = 120.0
"""Seconds until a test gives up waiting. No claim: long, for a machine that other work holds up."""


def processes_of(folder: Path) -> list[psutil.Process]:
    """Living processes that have the folder on their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(str(folder) in word for word in words):
            found.append(process)
    return [process for process in found if process.pid != os.getpid()]


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """A folder of runs; processes of its runs that outlive the test are ended and fail it."""
    folder = tmp_path / "runs"
    yield folder
    deadline = time.monotonic() + PATIENCE / 4
    while processes_of(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = processes_of(folder)
    told = [str(process) for process in left]
    for process in left:
        process.kill()
    assert not left, told


@pytest.fixture
def start(runs: Path) -> Callable[..., Path]:
    """Start a real run of so many epochs; its folder."""

    def start_digits(epochs: int, *settings: str) -> Path:
        resolved = resolve(
            "digits_lt", "wd", settings=[f"stages.0.epochs={epochs}", "threads=1", "device=cpu", *settings]
        )
        folder = make_run(runs, resolved)
        start_run(folder, resolved.config)
        return folder

    return start_digits


def wait_for(what: Callable[[], object]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def state_of(folder: Path) -> RunState:
    """What a run is doing."""
    return open_run(folder).state()


def wait_for_epoch(folder: Path, epoch: int = 1) -> ProcessInfo:
    """Wait until a run has measured an epoch; its processes."""
    wait_for(lambda: open_run(folder).history.last_epoch >= epoch or state_of(folder).terminal)
    info = identity.process_of(folder)
    assert info is not None
    assert info.pid is not None
    return info


def wait_until_over(folder: Path) -> RunState:
    """Wait until nobody works on a run any more."""
    wait_for(lambda: state_of(folder).terminal and not identity.waiter_lives(folder))
    return state_of(folder)

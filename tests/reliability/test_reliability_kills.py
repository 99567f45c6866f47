"""Trainer, waiter and queue worker killed at random moments: every run is told truly and ends identical."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from living_runs import wait_for, wait_until_over
from reliable import KILLS, Whole, assert_listed_truly, events_of, make, outcome_files

from wbtui.launch import identity, queue_files
from wbtui.launch.queue_files import PLACE, QueueSettings
from wbtui.launch.resume import config_of, resume_run
from wbtui.launch.start import start_run
from wbtui.launch.worker import ensure_worker, worker_lives
from wbtui.store.reader import open_run
from wbtui.store.records import last_attempt, read_process

AT_ONCE = 2
KILLS_A_RUN = 2


def kill(pid: int | None) -> None:
    """SIGKILL, unless it is gone already."""
    assert pid is not None
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def in_pairs(case: Callable[[int], None], count: int) -> None:
    """Every case, two at a time; the first that fails, fails the test."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(case, range(count)))


def until_over(folder: Path) -> None:
    """Nobody works on the run any more, the trainer that lost its waiter included."""
    wait_for(lambda: not (identity.trainer_lives(folder) or identity.waiter_lives(folder)))


def resumed_to_the_end(folder: Path, whole: Whole) -> None:
    """A run, resumed unless it is finished, ends with the bytes of one that nobody killed."""
    if assert_listed_truly(folder) != "finished":
        resume_run(folder)
        until_over(folder)
    assert assert_listed_truly(folder) == "finished"
    assert outcome_files(folder) == whole.files
    assert open_run(folder).history.last_epoch == config_of(folder).total_epochs


def test_trainers_killed_at_random_moments(runs: Path, whole: Whole) -> None:
    def case(number: int) -> None:
        chance = random.Random(f"trainer {number}")
        folder, config = make(runs)
        start_run(folder, config)
        for attempt in range(1, KILLS_A_RUN + 1):
            info = read_process(folder)
            assert info is not None
            assert info.attempt == attempt
            time.sleep(chance.uniform(0, whole.seconds))
            kill(info.pid)
            until_over(folder)
            result = open_run(folder).result
            assert result is not None
            if result.outcome == "finished":
                break
            assert (assert_listed_truly(folder), result.signal) == ("crashed", signal.SIGKILL)
            resume_run(folder)
        until_over(folder)
        resumed_to_the_end(folder, whole)

    in_pairs(case, -(-KILLS // KILLS_A_RUN))


def test_waiters_killed_at_random_moments(runs: Path, whole: Whole) -> None:
    """Every other time the trainer is killed with its waiter, as a power cut would."""

    def case(number: int) -> None:
        chance = random.Random(f"waiter {number}")
        folder, config = make(runs)
        start_run(folder, config)
        info = read_process(folder)
        assert info is not None
        time.sleep(chance.uniform(0, whole.seconds))
        kill(info.waiter_pid)
        if number % 2:
            kill(info.pid)
        elif identity.trainer_lives(folder):
            wait_for(lambda: not identity.waiter_lives(folder))
            with contextlib.suppress(psutil.NoSuchProcess):
                assert psutil.Process(info.pid).is_running()
        until_over(folder)
        resumed_to_the_end(folder, whole)

    in_pairs(case, KILLS)


def test_queue_workers_killed_at_random_moments(runs: Path, whole: Whole) -> None:
    folders = [make(runs)[0] for _ in range(2 + KILLS // 3)]
    with queue_files.editing(runs):
        queue_files.write_settings(runs, QueueSettings(slots={"cpu": AT_ONCE}))
    queue_files.enqueue(runs, folders)
    chance = random.Random("worker")
    killed = 0
    while killed < KILLS:
        ensure_worker(runs)
        info = read_process(runs / PLACE)
        assert info is not None
        time.sleep(chance.uniform(0, whole.seconds * len(folders) / AT_ONCE / KILLS))
        if worker_lives(runs):
            kill(info.waiter_pid)
            wait_for(lambda: not worker_lives(runs))
        killed += 1
    ensure_worker(runs)
    for folder in folders:
        wait_until_over(folder)
    wait_for(lambda: not worker_lives(runs))
    for folder in folders:
        assert assert_listed_truly(folder) == "finished"
        assert last_attempt(folder) == 1
        assert [event.type for event in events_of(folder)].count("start") == 1
        assert outcome_files(folder) == whole.files
        assert not (folder / "queue.json").exists()


def test_a_run_killed_before_its_first_word_is_told_truly(runs: Path) -> None:
    folder, config = make(runs)
    start_run(folder, config)
    info = read_process(folder)
    assert info is not None
    kill(info.waiter_pid)
    kill(info.pid)
    until_over(folder)
    assert events_of(folder) == []
    assert assert_listed_truly(folder) == "crashed"

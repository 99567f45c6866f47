"""Stalled or not: a trainer that is suspended, a loop that hangs while its thread beats, an epoch of ten minutes."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from finished_runs import make_run
from living_runs import state_of, wait_for, wait_for_epoch, wait_until_over
from reliable import SECONDS, wbtui

from wbtui.launch.stop import Ladder, Rung
from wbtui.store import facts, records
from wbtui.store.facts import heartbeat_age, process_info
from wbtui.store.reader import open_run
from wbtui.store.records import HeartbeatWriter, write_process
from wbtui.store.state import HEARTBEAT_LIMIT
from wbtui.training.monitor import BEAT_SECONDS

MINUTE = 60.0


class Clock:
    """The time of trainer and reader alike."""

    def __init__(self) -> None:
        self.now = 1e6

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + 1e9


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (records, facts):
        monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def folder(tmp_path: Path, clock: Clock) -> Path:
    """A run whose trainer is this process."""
    made = make_run(tmp_path, finished=False)
    write_process(made, process_info(1, pid=os.getpid()))
    return made


def test_a_beat_comes_often_enough_that_a_stop_of_it_is_told_within_35_seconds() -> None:
    assert BEAT_SECONDS + HEARTBEAT_LIMIT <= 35


@pytest.mark.parametrize(
    ("phase", "step"), [("training", 2.0), ("training", 50.0), ("evaluation", 0.0)], ids=str
)
def test_an_epoch_of_ten_minutes_is_running(
    folder: Path, clock: Clock, phase: records.Phase, step: float
) -> None:
    """Batches of 2 s, of 50 s, and an evaluation that shows no batch at all; a beat every 5 s."""
    beating, began = HeartbeatWriter(folder), clock.now
    states = set()
    while clock.now < began + 10 * MINUTE:
        batch = int((clock.now - began) / step) if step else None
        beating.beat(phase, 8, batch, median_step_seconds=step)
        states.add(state_of(folder).name)
        clock.now += BEAT_SECONDS
    assert states == {"running"}


def test_a_loop_that_hangs_while_its_thread_beats_is_stalled_after_two_minutes(
    folder: Path, clock: Clock
) -> None:
    beating, began = HeartbeatWriter(folder), clock.now
    told = {}
    while clock.now < began + 3 * MINUTE:
        beating.beat("training", 8, 17, median_step_seconds=0.5)
        told[clock.now - began] = state_of(folder)
        clock.now += BEAT_SECONDS
    assert {state.name for after, state in told.items() if after <= 2 * MINUTE} == {"running"}
    assert {state.name for after, state in told.items() if after > 2 * MINUTE} == {"stalled"}
    assert "batch 17 has stood still for 175 s" in told[175.0].evidence


@pytest.mark.full
@pytest.mark.skipif(SECONDS < 30, reason="takes 40 s: only in `make test-full`")
def test_a_suspended_trainer_is_stalled_within_35_seconds_and_runs_on_when_woken(
    start: Callable[..., Path], runs: Path
) -> None:
    folder = start(100_000)
    info = wait_for_epoch(folder)
    group = info.process_group or 0
    os.killpg(group, signal.SIGSTOP)
    wait_for(lambda: state_of(folder).name == "stalled")
    beat = open_run(folder).heartbeat
    assert beat is not None
    assert heartbeat_age(beat, time.time(), time.monotonic()) > HEARTBEAT_LIMIT
    assert "stalled" in wbtui("ls", runs=runs).stdout
    os.killpg(group, signal.SIGCONT)
    wait_for(lambda: state_of(folder).name == "running")
    Ladder(folder, Rung.KILL)
    wait_until_over(folder)

"""The queue's worker under real runs: one worker, at most so many runs at once, a crashed one again so often."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from living_runs import state_of, wait_for, wait_for_epoch, wait_until_over

from wbtui.launch import identity, queue_files, worker
from wbtui.launch.queue_files import PLACE, QueueSettings
from wbtui.launch.start import make_run
from wbtui.launch.worker import ensure_worker, worker_lives
from wbtui.presets import resolve
from wbtui.store import events, facts
from wbtui.store.events import parse_event
from wbtui.store.format import Result
from wbtui.store.reader import open_run
from wbtui.store.records import last_attempt, read_process, write_process, write_result
from wbtui.store.writer import RunWriter


@pytest.fixture
def queued(runs: Path) -> Iterator[Callable[..., list[Path]]]:
    """Queue so many digits runs; the worker is gone when the test is over."""

    def queue(count: int, epochs: int, *settings: str, slots: int = 1, retries: int = 0) -> list[Path]:
        values = [f"stages.0.epochs={epochs}", "threads=1", "device=cpu", *settings]
        folders = [
            make_run(runs, resolve("digits_lt", "wd", settings=values, options={"seed": seed}))
            for seed in range(count)
        ]
        with queue_files.editing(runs):
            queue_files.write_settings(runs, QueueSettings(slots={"cpu": slots}))
        queue_files.enqueue(runs, folders, retries)
        return folders

    yield queue
    wait_for(lambda: not worker_lives(runs))


def worker_pid(runs: Path) -> int:
    info = read_process(runs / PLACE)
    assert info is not None
    assert info.waiter_pid is not None
    return info.waiter_pid


def names(folders: list[Path]) -> list[str]:
    return [state_of(folder).name for folder in folders]


def test_a_worker_is_started_once_and_ends_when_nothing_waits(
    runs: Path, queued: Callable[..., list[Path]]
) -> None:
    first, second = queued(2, 2)
    ensure_worker(runs)
    pid = worker_pid(runs)
    ensure_worker(runs)
    assert worker_pid(runs) == pid
    wait_for(lambda: state_of(first).living)
    assert state_of(second).name == "queued"
    wait_until_over(second)
    assert names([first, second]) == ["finished", "finished"]
    wait_for(lambda: not worker_lives(runs))
    assert not (first / "queue.json").exists()
    results = [open_run(folder).result for folder in (first, second)]
    assert results[0] is not None
    assert results[1] is not None
    assert results[0].ended <= results[1].started


def test_a_worker_whose_folder_of_runs_goes_away_ends_and_makes_no_other_in_its_place(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.mkdir()

    def move_away(runs: Path, _known: object) -> bool:
        if (runs.parent / "elsewhere").exists():
            pytest.fail("it works on in a folder of its own making")
        runs.rename(runs.parent / "elsewhere")
        return True

    monkeypatch.setattr(worker, "step", move_away)
    assert worker.work(runs) == 1
    assert not runs.exists()


def test_a_worker_reads_the_events_of_a_run_at_work_once_however_long_it_looks(
    runs: Path, queued: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = queued(1, 9)
    write_process(folder, facts.process_info(1, pid=os.getpid()))
    parsed: list[bytes] = []
    monkeypatch.setattr(events, "parse_event", lambda line: parsed.append(line) or parse_event(line))
    with RunWriter.open(folder) as writer:
        writer.event("start")

        def train(_seconds: float) -> None:
            writer.epoch(writer.last_epoch + 1, 0, {})
            if writer.last_epoch == 5:
                write_result(folder, Result(1, "finished", "all epochs done", 0, started=1.0, ended=2.0))

        monkeypatch.setattr(worker, "time", SimpleNamespace(sleep=train, time=time.time))
        assert worker.work(runs) == 0
    assert len(parsed) == len(set(parsed)) == 6


def test_two_slots_hold_two_runs_with_a_failed_one_passed_over(
    runs: Path, queued: Callable[..., list[Path]]
) -> None:
    (failing,) = queued(1, 2, "stages.0.learning_rate=1e30", slots=2)
    lasting = queued(2, 100_000, slots=2)
    ensure_worker(runs)
    wait_until_over(failing)
    wait_for(lambda: all(state_of(folder).living for folder in lasting))
    assert state_of(failing).name == "failed"
    assert last_attempt(failing) == 1
    for folder in lasting:
        info = wait_for_epoch(folder)
        os.killpg(info.process_group or 0, signal.SIGTERM)
        assert wait_until_over(folder).name == "stopped"
    wait_for(lambda: not worker_lives(runs))
    assert names(lasting) == ["stopped", "stopped"]  # a stopped run is not started again


def test_a_crashed_run_is_tried_again_from_its_checkpoint_so_often_and_no_more(
    runs: Path, queued: Callable[..., list[Path]]
) -> None:
    (folder,) = queued(1, 100_000, "checkpoint.every_seconds=0", retries=1)
    ensure_worker(runs)
    for attempt in (1, 2):
        wait_for(lambda attempt=attempt: last_attempt(folder) == attempt and identity.trainer_lives(folder))
        reached = open_run(folder).history.last_epoch
        wait_for(lambda reached=reached: open_run(folder).history.last_epoch > reached + 1)
        info = identity.process_of(folder)
        assert info is not None
        os.kill(info.pid or 0, signal.SIGKILL)
        wait_for(lambda info=info: facts.trainer_liveness(info) != "alive")
    wait_for(lambda: not worker_lives(runs))
    assert state_of(folder).name == "crashed"
    assert last_attempt(folder) == 2
    assert not (folder / "queue.json").exists()
    resumed = [
        line for line in (folder / "events.jsonl").read_text().splitlines() if '"type":"resume"' in line
    ]
    assert len(resumed) == 1

"""Two `wbtui run`, a queue worker, four `wbtui tag` loops and a reader at once: nothing is lost, nobody fails."""

import multiprocessing
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from living_runs import PATIENCE, state_of, wait_for, wait_for_epoch, wait_until_over
from reliable import DIGITS, SECONDS, command, events_of, make, wbtui

from wbtui.launch import queue_files
from wbtui.launch.environment import child_environment
from wbtui.launch.worker import ensure_worker, worker_lives
from wbtui.store.ids import run_ids
from wbtui.store.index import RunIndex
from wbtui.store.notes import read_notes
from wbtui.store.reader import open_run
from wbtui.store.records import last_attempt

KEPT_TAGS = 5
"""Of each loop: it takes its older ones away again."""


def tag_loop(runs: Path, names: list[str], who: int, until: float) -> list[tuple[int, str]]:
    """`wbtui tag` again and again on all runs in turn; (exit code, what it said) of each."""
    done, number = [], 0
    while time.monotonic() < until:
        turn, which = divmod(number, len(names))
        words = ["tag", names[which], f"+{who}-{turn}", f"-{who}-{turn - KEPT_TAGS}"]
        said = wbtui(*words, runs=runs)
        done.append((said.returncode, said.stderr))
        number += 1
    return done


def read_everything(runs: Path, over: Event) -> None:
    """List the runs and read all that they have, as they grow."""
    seen: dict[str, int] = {}
    while not (seen and over.is_set()):
        for row in RunIndex(runs).listing().rows:
            assert row.problem is None, row
            run = open_run(runs / row.id)
            assert run.state().name != "unknown"
            history = run.history
            assert run.bad_lines == 0
            assert history.last_epoch >= seen.get(row.id, 0)
            seen[row.id] = history.last_epoch
            read_notes(run.path)
            for metric in history.metrics.values():
                if metric.axis in ("class", "layer"):
                    assert len(run.series(metric.name).values) >= seen[row.id]


@pytest.fixture
def followers(runs: Path) -> Iterator[list["subprocess.Popen[str]"]]:
    """Two `wbtui run` of runs without end."""
    forever = ("run", *DIGITS, "--set", "stages.0.epochs=100000")
    started = [
        subprocess.Popen(
            command(*forever, "--seed", str(seed), runs=runs),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=child_environment(),
        )
        for seed in range(2)
    ]
    yield started
    for follower in started:
        follower.kill()
        follower.communicate()


def test_everything_at_once_loses_nothing(runs: Path, followers: list["subprocess.Popen[str]"]) -> None:
    wait_for(lambda: runs.is_dir() and len(run_ids(runs)) == 2)
    living = [runs / name for name in run_ids(runs)]
    queued = [make(runs, epochs=3)[0] for _ in range(2)]
    queue_files.enqueue(runs, queued)
    ensure_worker(runs)
    for folder in living:
        wait_for_epoch(folder)
    context = multiprocessing.get_context("spawn")
    over = context.Event()
    reader = context.Process(target=read_everything, args=(runs, over))
    reader.start()
    names = [folder.name for folder in living]
    with ThreadPoolExecutor(4) as pool:
        until = time.monotonic() + SECONDS
        loops = list(pool.map(lambda who: tag_loop(runs, names, who, until), range(4)))
    over.set()
    reader.join()
    assert reader.exitcode == 0
    assert wbtui("stop", *names, runs=runs).returncode == 0
    for follower in followers:
        said, complaints = follower.communicate(timeout=PATIENCE)
        assert (follower.returncode, complaints) == (130, "")
        assert "epoch 1/100000" in said

    for folder in queued:
        wait_for(lambda folder=folder: last_attempt(folder) == 1)
        assert wait_until_over(folder).name == "finished"
        assert (open_run(folder).history.last_epoch, last_attempt(folder)) == (3, 1)
    wait_for(lambda: not worker_lives(runs))
    for folder in living:
        epochs = [event.fields["epoch"] for event in events_of(folder) if event.type == "epoch"]
        assert epochs == list(range(1, len(epochs) + 1))
        assert state_of(folder).name == "stopped"
    listing = RunIndex(runs).listing()
    assert listing.messages == ()
    assert [row.id for row in listing.rows] == run_ids(runs)
    for place, name in enumerate(names):
        expected = set()
        for who, done in enumerate(loops):
            assert set(done) == {(0, "")}
            turns = len(done[place :: len(names)])
            expected |= {f"{who}-{turn}" for turn in range(max(0, turns - KEPT_TAGS), turns)}
        assert set(read_notes(runs / name).tags) == expected
        assert not list((runs / name).glob("**/.*.tmp"))
        assert set(next(row.tags for row in listing.rows if row.id == name)) == expected

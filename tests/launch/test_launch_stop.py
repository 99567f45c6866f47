"""The ladder under processes that listen, that do not, and that are somebody else's."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from living_runs import wait_for, wait_for_epoch, wait_until_over

from wbtui.cli.climb import climb
from wbtui.launch import identity
from wbtui.launch.refused import RefusedError
from wbtui.launch.resume import resume_run
from wbtui.launch.start import make_run, start_run
from wbtui.launch.stop import PATIENCE, Ladder, Rung, check_stop
from wbtui.presets import resolve
from wbtui.store.facts import process_info
from wbtui.store.reader import open_run
from wbtui.store.records import HeartbeatWriter, request_stop, stop_requested, write_process

DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that ignores SIGTERM, recorded as the trainer of tmp_path."""
    process = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE, process_group=0)
    assert process.stdout is not None
    process.stdout.readline()
    write_process(tmp_path, process_info(1, pid=process.pid, process_group=process.pid))
    yield process
    process.kill()
    process.stdout.close()
    process.wait()


def test_the_ladder_climbs_when_patience_is_over_and_not_before(
    tmp_path: Path, deaf: "subprocess.Popen[bytes]"
) -> None:
    clock = Clock()
    ladder = Ladder(tmp_path, clock=clock)
    assert (tmp_path / "control" / "stop").is_file()
    clock.now = 19.9
    ladder.tick()
    assert ladder.rung is Rung.ASK
    clock.now = 20
    ladder.tick()
    assert (ladder.rung, ladder.seconds_left) == (Rung.TERMINATE, 10)
    assert not ladder.dead
    clock.now = 30
    ladder.tick()
    assert ladder.rung is Rung.KILL
    wait_for(lambda: ladder.dead)
    assert ladder.over
    assert deaf.wait() == -signal.SIGKILL


def test_a_run_that_is_stopped_before_its_waiter_is_there_ends_stopped(runs: Path) -> None:
    resolved = resolve("digits_lt", settings=["stages.0.epochs=2000", "threads=1", "device=cpu"])
    folder = make_run(runs, resolved)
    check_stop(folder, Rung.ASK)
    ladder = Ladder(folder)
    assert not ladder.over
    start_run(folder, resolved.config)
    wait_until_over(folder)
    assert ladder.over
    assert ladder.rung is Rung.ASK
    assert open_run(folder).state().name == "stopped"


def test_a_stop_of_a_start_that_never_came_does_not_stop_a_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(tmp_path, resolve("digits_lt"))
    request_stop(folder)
    long_ago = time.time() - 3600
    os.utime(folder / "config.toml", (long_ago, long_ago))
    started = []
    monkeypatch.setattr(
        "wbtui.launch.resume.start_run", lambda run, _: started.append((run, stop_requested(run)))
    )
    resume_run(folder)
    assert started == [(folder, False)]


def test_a_pid_that_now_belongs_to_another_process_is_never_signalled(
    tmp_path: Path, deaf: "subprocess.Popen[bytes]"
) -> None:
    recorded = process_info(1, pid=deaf.pid, process_group=deaf.pid)
    assert recorded.created is not None
    write_process(tmp_path, replace(recorded, created=recorded.created - 1000))
    ladder = Ladder(tmp_path, Rung.KILL)
    assert ladder.dead
    assert identity.trainer_group(tmp_path) is None
    assert deaf.poll() is None


def test_a_process_of_another_group_host_or_container_is_never_signalled(
    tmp_path: Path, deaf: "subprocess.Popen[bytes]"
) -> None:
    recorded = process_info(1, pid=deaf.pid, process_group=deaf.pid)
    for change in ({"process_group": os.getpgid(0)}, {"host": "elsewhere"}, {"pid_namespace": "pid:[1]"}):
        other = replace(recorded, **change)
        write_process(tmp_path, other)
        assert identity.trainer_group(tmp_path) is None
        Ladder(tmp_path, Rung.KILL)
    assert deaf.poll() is None


def test_another_users_run_is_asked_but_not_signalled(
    tmp_path: Path,
    deaf: "subprocess.Popen[bytes]",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def not_permitted(_group: int, _number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "config.toml").touch()
    HeartbeatWriter(tmp_path).beat("training", 1, 1)
    monkeypatch.setattr(os, "killpg", not_permitted)
    check_stop(tmp_path, Rung.ASK)
    with pytest.raises(RefusedError, match="another user's"):
        check_stop(tmp_path, Rung.TERMINATE)
    monkeypatch.setitem(PATIENCE, Rung.ASK, 0.0)
    assert climb([tmp_path], Rung.ASK) == 2
    assert "cannot be signalled; it has been asked to stop" in capsys.readouterr().err
    assert stop_requested(tmp_path)
    assert deaf.poll() is None


def test_a_suspended_run_is_woken_so_that_it_hears_sigterm(start: Callable[..., Path]) -> None:
    folder = start(100_000)
    info = wait_for_epoch(folder)
    os.killpg(info.process_group or 0, signal.SIGSTOP)
    check_stop(folder, Rung.TERMINATE)
    ladder = Ladder(folder, Rung.TERMINATE)
    wait_for(lambda: ladder.over)  # nobody ticks: it never comes to SIGKILL
    assert wait_until_over(folder).name == "stopped"
    assert (folder / "checkpoint.pt").is_file()
    result = open_run(folder).result
    assert result is not None
    assert result.exit_code == 130
    with pytest.raises(RefusedError, match="already"):
        check_stop(folder, Rung.ASK)


def test_a_killed_run_that_was_asked_to_stop_counts_as_stopped(start: Callable[..., Path]) -> None:
    folder = start(100_000)
    wait_for_epoch(folder)
    Ladder(folder, Rung.KILL)
    assert wait_until_over(folder).name == "stopped"
    result = open_run(folder).result
    assert result is not None
    assert result.signal == signal.SIGKILL

"""The waiter under real trainers: what it records when they end, and when somebody kills one or the other."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from living_runs import state_of, wait_for, wait_for_epoch, wait_until_over

from wbtui.errors import UsageError
from wbtui.launch import identity
from wbtui.launch.environment import child_environment
from wbtui.launch.resume import config_of, resume_run
from wbtui.launch.start import start_run
from wbtui.launch.waiter import ALREADY_RUNNING, attempt, await_exit, clear_group
from wbtui.store.format import Result
from wbtui.store.reader import open_run
from wbtui.store.records import write_result

Start = Callable[..., Path]
FOREVER = 100_000


def end(folder: Path) -> None:
    info = identity.process_of(folder)
    assert info is not None
    assert info.process_group is not None
    os.killpg(info.process_group, signal.SIGKILL)
    wait_until_over(folder)


def test_a_run_ends_with_its_figures_and_its_duration(start: Start) -> None:
    began = time.time()
    folder = start(2)
    assert wait_until_over(folder).name == "finished"
    result = open_run(folder).result
    assert result is not None
    assert (result.outcome, result.exit_code, result.signal, result.epoch) == ("finished", 0, None, 2)
    assert result.final is not None
    assert 0 <= result.final["test.accuracy.all"] <= 1
    assert began <= result.started < result.ended <= time.time()
    assert result.seconds == result.ended - result.started
    assert result.error == ""


def test_the_waiter_is_small_and_records_who_works(start: Start) -> None:
    folder = start(FOREVER)
    info = wait_for_epoch(folder)
    waiter = psutil.Process(info.waiter_pid)
    assert waiter.memory_info().rss < 40e6
    assert os.getpgid(info.pid or 0) == info.pid == info.process_group
    assert os.getsid(info.pid or 0) != os.getsid(0)
    wait_for(lambda: open_run(folder).system_samples())
    sample = open_run(folder).system_samples()[0]
    assert sample["processes"] == 1
    assert sample["memory_bytes"] > 50e6
    end(folder)


def test_the_waiter_loads_nothing_heavy() -> None:
    code = (
        "import sys, wbtui.launch.waiter; "
        "print([m for m in ('torch', 'numpy', 'pydantic', 'textual', 'rich', 'typer') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment(), check=True
    )
    assert said.stdout.strip() == "[]"


def test_a_killed_trainer_is_recorded_as_crashed_with_its_signal(start: Start) -> None:
    folder = start(FOREVER)
    info = wait_for_epoch(folder, 2)
    os.kill(info.pid or 0, signal.SIGKILL)
    assert wait_until_over(folder).name == "crashed"
    result = open_run(folder).result
    assert result is not None
    assert result.signal == signal.SIGKILL
    assert "SIGKILL" in result.reason
    assert result.epoch >= 2


def test_a_trainer_outlives_its_killed_waiter_and_its_state_is_still_known(start: Start) -> None:
    folder = start(40)
    info = wait_for_epoch(folder)
    os.kill(info.waiter_pid or 0, signal.SIGKILL)
    wait_for(lambda: not identity.waiter_lives(folder))
    assert state_of(folder).living
    with pytest.raises(UsageError, match="works on this run already"):
        start_run(folder, config_of(folder))
    assert wait_until_over(folder).name == "finished"
    assert open_run(folder).result is None
    assert open_run(folder).history.last_epoch == 40


def test_a_run_whose_waiter_and_trainer_were_killed_resumes_from_its_checkpoint(start: Start) -> None:
    folder = start(30, "checkpoint.every_seconds=0.1")
    info = wait_for_epoch(folder, 3)
    wait_for((folder / "checkpoint.pt").is_file)
    os.kill(info.waiter_pid or 0, signal.SIGKILL)
    os.kill(info.pid or 0, signal.SIGKILL)
    assert wait_until_over(folder).name == "crashed"
    resume_run(folder)
    assert wait_until_over(folder).name == "finished"
    run = open_run(folder)
    assert (folder / "attempts" / "1" / "process.json").is_file()
    assert run.result is not None
    assert (run.result.attempt, run.result.epoch) == (2, 30)
    resumed = [
        line for line in (folder / "events.jsonl").read_text().splitlines() if '"type":"resume"' in line
    ]
    assert len(resumed) == 1
    assert '"from_epoch":0' not in resumed[0]
    with pytest.raises(UsageError, match="finished"):
        resume_run(folder)


def test_a_run_whose_checkpoint_is_gone_keeps_its_epochs_and_is_not_begun_anew(start: Start) -> None:
    folder = start(FOREVER, "checkpoint.every_seconds=0")
    info = wait_for_epoch(folder, 3)
    os.killpg(info.process_group or 0, signal.SIGTERM)
    assert wait_until_over(folder).name == "stopped"
    measured = (folder / "series" / "test.accuracy@class.f32").read_bytes()
    (folder / "checkpoint.pt").unlink()  # pruned, or the folder is half copied
    with pytest.raises(UsageError, match=r"checkpoint\.pt is not there.*would be recorded anew"):
        resume_run(folder)
    assert state_of(folder).name == "stopped"
    assert (folder / "series" / "test.accuracy@class.f32").read_bytes() == measured


def test_a_second_waiter_is_turned_away(start: Start) -> None:
    folder = start(FOREVER)
    wait_for_epoch(folder)
    second = subprocess.run(
        [sys.executable, "-m", "wbtui.launch.waiter", str(folder)], env=child_environment(), check=False
    )
    assert second.returncode == ALREADY_RUNNING
    with pytest.raises(UsageError, match="attach"):
        resume_run(folder)
    end(folder)


def test_sigterm_to_the_waiter_stops_the_run_gracefully(start: Start) -> None:
    folder = start(FOREVER)
    info = wait_for_epoch(folder)
    os.kill(info.waiter_pid or 0, signal.SIGTERM)
    assert wait_until_over(folder).name == "stopped"
    assert open_run(folder).result is not None
    assert (folder / "checkpoint.pt").is_file()


def test_a_signal_after_the_trainer_is_reaped_reaches_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """result.json may wait for room on the disk for minutes, in which another program can get the group's number."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    signalled: list[int] = []

    def written(folder: Path, result: Result) -> None:
        monkeypatch.setattr(os, "killpg", lambda group, _: signalled.append(group))
        for number in numbers:
            signal.raise_signal(number)
        write_result(folder, result)

    (tmp_path / "config.toml").write_text("seed = -1\n")
    monkeypatch.setattr("wbtui.launch.waiter.write_result", written)
    try:
        assert attempt(tmp_path, "cpu") == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert signalled == []
    assert state_of(tmp_path).name == "failed"


def test_a_failed_run_keeps_its_reason(start: Start) -> None:
    folder = start(2, "stages.0.learning_rate=1e30")
    assert wait_until_over(folder).name == "failed"
    result = open_run(folder).result
    assert result is not None
    assert result.exit_code == 1
    assert result.reason
    assert result.error


@pytest.mark.parametrize("waitid", [True, False])
def test_an_exit_is_awaited_without_reaping_with_and_without_waitid(
    monkeypatch: pytest.MonkeyPatch, waitid: bool
) -> None:
    if not waitid:
        monkeypatch.delattr(os, "waitid")
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5); raise SystemExit(7)"])
    await_exit(child.pid)
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    assert child.wait() == 7


def test_what_is_left_of_a_group_is_cleared_even_if_it_ignores_sigterm() -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(3600)"
    leader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {deaf!r}])",
        ],
        stdout=subprocess.PIPE,
        process_group=0,
    )
    assert leader.stdout is not None
    leader.stdout.readline()
    os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
    clear_group(leader.pid)
    leader.stdout.read()  # ends only when the last holder of the pipe is dead
    leader.stdout.close()
    assert leader.wait() == 0

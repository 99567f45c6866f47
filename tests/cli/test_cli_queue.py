"""`wbtui queue` and `wbtui run` with lists, as a person types them."""

import json
import os
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
from living_runs import state_of, wait_for, wait_for_epoch, wait_until_over
from terminal import Terminal, wbtui

from wbtui.cli.follow import counted_interrupts, follow
from wbtui.cli.main import main
from wbtui.launch.queue_files import QueueSettings, editing, enqueue, take_out, withdraw, write_settings
from wbtui.launch.start import make_runs, start_run
from wbtui.launch.worker import queue_up, worker_lives
from wbtui.presets import resolve
from wbtui.store.ids import run_ids
from wbtui.store.reader import open_run

DIGITS = ("--preset", "digits_lt", "--device", "cpu", "--set", "threads=1")
SHORT = (*DIGITS, "--set", "stages.0.epochs=2")
FOREVER = (*DIGITS, "--set", "stages.0.epochs=100000")


def gone(runs: Path) -> None:
    wait_for(lambda: not worker_lives(runs))


def test_a_grid_is_announced_ordered_edited_and_started(runs: Path) -> None:
    assert wbtui("queue", "pause", runs=runs).returncode == 0
    added = wbtui(
        *("queue", "add", *SHORT, "--variant", "ce,wd", "--seed", "0,1"),
        *("--set", "stages.0.learning_rate=0.1,0.05", "--retry", "2"),
        runs=runs,
    )
    assert added.returncode == 0
    assert "8 runs, 16 epochs, 1 at once: time unknown" in added.stderr
    assert "the queue is paused" in added.stderr
    names = added.stdout.splitlines()
    assert len(names) == 8
    assert set(names) == set(run_ids(runs))
    rates = {open_run(runs / name).config["stages"][0]["learning_rate"] for name in names}
    assert rates == {0.1, 0.05}
    assert not worker_lives(runs)

    assert wbtui("queue", "move", names[7], "1", runs=runs).returncode == 0
    removed = wbtui("queue", "remove", *names[1:7], names[1][-8:], runs=runs)
    assert removed.returncode == 0
    for name in names[1:7]:
        command = f"`wbtui restore {name[-8:]} --runs {runs}`"
        assert f"{name}: in the bin; {command} brings it back" in removed.stdout
    listed = " ".join(wbtui("queue", runs=runs).stdout.split())  # a narrow table breaks its cells
    assert "digits_lt wd seed 1 learning_rate=0.05" in listed
    assert "digits_lt ce seed 0 learning_rate=0.1" in listed
    assert "threads" not in listed
    assert "2 waiting, 0 at work; slots auto=1; paused" in listed
    assert listed.index(f" {names[7][-8:-4]}") < listed.index(f" {names[0][-8:-4]}")
    assert run_ids(runs) == sorted([names[0], names[7]])
    refused = wbtui("queue", "remove", names[0][:10], runs=runs)
    assert (refused.returncode, refused.stdout) == (2, "")

    started = wbtui("queue", "start", "--slots", "cpu=2", runs=runs)
    assert "slots cpu=2" in started.stdout
    for name in (names[0], names[7]):
        assert wait_until_over(runs / name).name == "finished"
    gone(runs)
    assert wbtui("queue", runs=runs).stdout == "0 waiting, 0 at work; slots cpu=2\n"
    assert wbtui("queue", "pause", runs=runs).returncode == 0
    again = wbtui("queue", "add", *SHORT, "--seed", "0,1,2", "--name", "x", runs=runs)
    assert "3 runs, 6 epochs, 2 at once: about " in again.stderr


def test_a_mistake_anywhere_in_a_grid_makes_no_run(runs: Path) -> None:
    for settings in ("stages.0.epochs=2,0", "stages.0.loss.name=ce,ldam", "seed=1,,2"):
        done = wbtui("queue", "add", *DIGITS, "--set", settings, runs=runs)
        assert done.returncode == 2
        assert run_ids(runs) == []
    assert wbtui("queue", "start", "--slots", "gpu=1", runs=runs).returncode == 2


def test_slots_on_a_device_that_is_not_there_are_refused_and_nothing_changes(runs: Path) -> None:
    assert wbtui("queue", "pause", runs=runs).returncode == 0
    done = wbtui("queue", "start", "--slots", "cuda:999=2,cpu=1", runs=runs)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--slots cuda:999=2: torch" in done.stderr
    assert "CUDA device(s) here" in done.stderr
    assert "slots auto=1; paused" in wbtui("queue", runs=runs).stdout


def test_lists_of_one_run_command_go_through_the_queue_and_are_followed_together(runs: Path) -> None:
    done = wbtui("run", *SHORT, "--seed", "0-1", "--variant", "ce,wd", runs=runs)
    assert (done.returncode, done.stderr) == (0, "")
    (offered,) = [line for line in done.stdout.splitlines() if "wbtui compare" in line]
    compared = wbtui(*shlex.split(offered.partition("wbtui ")[2].partition("   (")[0]), runs=runs)
    assert (compared.returncode, compared.stderr) == (0, "")
    assert "ce (baseline), n = 2" in compared.stdout
    assert "report" in done.stdout
    names = done.stdout.splitlines()[:4]
    lines = [line for line in done.stdout.splitlines() if "epoch " in line and "/2 " in line]
    assert sorted({line.split()[0] for line in lines}) == sorted(name[-8:] for name in names)
    assert all(state_of(runs / name).name == "finished" for name in names)
    assert json.loads((runs / names[1] / "config.toml").read_text().split("seed = ")[1].split("\n")[0]) == 1
    gone(runs)


def test_ctrl_c_stops_the_run_at_work_and_takes_the_others_out_of_the_queue(runs: Path) -> None:
    terminal = Terminal(["run", *FOREVER, "--seed", "0,1,2"], runs)
    terminal.read_until("test  All")
    terminal.press("\x03")
    assert terminal.wait() == 130
    states = {name: wait_until_over(runs / name) for name in run_ids(runs)}
    assert {state.name for state in states.values()} == {"stopped"}
    assert sum("taken out of the queue" in state.evidence for state in states.values()) == 2
    gone(runs)
    never_started = next(name for name, state in states.items() if "taken out" in state.evidence)
    resumed = wbtui("resume", never_started, "--detach", runs=runs)
    assert resumed.returncode == 0
    wait_for_epoch(runs / never_started)
    assert state_of(runs / never_started).living
    assert wbtui("stop", "--now", never_started, runs=runs).returncode == 0


def test_ctrl_c_stops_a_run_that_leaves_the_queue_for_work_at_that_moment(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = resolve("digits_lt", settings=["stages.0.epochs=40", "threads=1", "device=cpu"])
    folders = make_runs(runs, [resolved])
    enqueue(runs, folders)

    def started_first(folder: Path) -> bool:
        start_run(folder, resolved.config)
        return withdraw(folder)

    monkeypatch.setattr("wbtui.cli.follow.withdraw", started_first)
    with counted_interrupts():
        signal.raise_signal(signal.SIGINT)
        _, code = follow(folders, "quiet")
    assert code == 130
    assert state_of(folders[0]).name == "stopped"


def test_ctrl_c_before_any_run_has_started_says_that_they_are_out_of_the_queue(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = make_runs(runs, [resolve("digits_lt", options={"seed": seed}) for seed in (0, 1)])
    enqueue(runs, folders)
    with counted_interrupts():
        signal.raise_signal(signal.SIGINT)
        _, code = follow(folders, "quiet")
    assert code == 130
    assert capsys.readouterr().err == "2 runs taken out of the queue\n"


def test_an_interrupt_while_runs_are_queued_leaves_none_that_is_not(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with editing(runs):
        write_settings(runs, QueueSettings(paused=True))

    def interrupted(*arguments: Any) -> bool:
        signal.raise_signal(signal.SIGINT)
        return queue_up(*arguments)

    monkeypatch.setattr("wbtui.launch.worker.queue_up", interrupted)
    assert main(["queue", "add", *SHORT, "--seed", "0,1", "--yes", "--runs", str(runs)]) == 0
    assert [state_of(runs / name).name for name in run_ids(runs)] == ["queued", "queued"]


def test_a_run_that_is_started_before_it_can_be_taken_out_is_told_by_the_exit_code(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = make_runs(runs, [resolve("digits_lt", options={"seed": seed}) for seed in (0, 1)])
    enqueue(runs, [first, second])

    def started(folder: Path) -> bool | None:
        return None if folder == first else take_out(folder)

    monkeypatch.setattr("wbtui.launch.queue_files.take_out", started)
    assert main(["queue", "remove", first.name, second.name, "--runs", str(runs)]) == 2
    said = capsys.readouterr()
    assert f"{first.name}: has been started meanwhile" in said.err
    assert f"{second.name}: in the bin" in said.out
    assert not second.exists()


def test_stop_ends_a_queued_run_at_work_and_the_next_one_starts(runs: Path) -> None:
    added = wbtui("queue", "add", *FOREVER, "--seed", "0,1", runs=runs)
    first, second = (runs / name for name in added.stdout.splitlines())
    wait_for_epoch(first)
    at_work = wbtui("queue", "remove", first.name, runs=runs)
    assert (at_work.returncode, f"`wbtui stop {first.name[-8:]} --runs" in at_work.stderr) == (2, True)
    waiting = wbtui("stop", second.name, runs=runs)
    assert (waiting.returncode, "wbtui queue remove" in waiting.stderr) == (2, True)
    assert wbtui("stop", "--now", first.name, runs=runs).returncode == 0
    info = wait_for_epoch_of_started(second)
    os.killpg(info, signal.SIGTERM)
    assert [wait_until_over(folder).name for folder in (first, second)] == ["stopped", "stopped"]
    gone(runs)


def wait_for_epoch_of_started(folder: Path) -> int:
    wait_for(lambda: state_of(folder).living)
    info = wait_for_epoch(folder)
    assert info.process_group is not None
    return info.process_group

"""Stopping runs from the dashboard: what is asked, what it says of the run, and what is left alone?"""

import subprocess
from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, said, screen_text, until

from wbtui.launch import queue_files
from wbtui.launch.refused import Advice
from wbtui.store import records
from wbtui.store.reader import open_run
from wbtui.tui.screens.dialogs import Confirm
from wbtui.tui.screens.runs import RunsScreen


def test_stop_asks_naming_the_run_and_then_asks_the_run(
    runs: Path, at_work: tuple[Path, subprocess.Popen[bytes]]
) -> None:
    folder, process = at_work

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            assert "running" in screen_text(app)
            await pilot.press("I")
            assert isinstance(app.screen, Confirm)
            text = screen_text(app)
            assert app.short(folder.name) in text
            assert "heartbeat" in text
            await pilot.press("enter")
            assert isinstance(app.screen, Confirm)
            assert "press y to stop it, n or esc to leave it" in screen_text(app)
            await pilot.press("n")
            assert not records.stop_requested(folder)
            await pilot.press("I", "y")
            await until(pilot, lambda: records.stop_requested(folder))
            await until(pilot, lambda: "stopping" in screen_text(app))
            assert process.poll() is None

    drive(look)


def test_what_a_question_says_of_a_run_stays_true_while_it_is_open(
    runs: Path, at_work: tuple[Path, subprocess.Popen[bytes]]
) -> None:
    folder, process = at_work

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("I")
            assert f"{app.short(folder.name)}: running, heartbeat" in screen_text(app)
            process.kill()
            process.wait()
            await until(pilot, lambda: f"{app.short(folder.name)}: crashed, " in screen_text(app))
            assert isinstance(app.screen, Confirm)

    drive(look)


@pytest.mark.parametrize("key", ["T", "K"])
def test_terminate_and_kill_end_the_process(
    runs: Path, at_work: tuple[Path, subprocess.Popen[bytes]], key: str
) -> None:
    _, process = at_work

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press(key, "y")
            await until(pilot, lambda: process.poll() is not None)
            await until(pilot, lambda: "crashed" in screen_text(app))

    drive(look)


def test_nothing_to_stop_is_said(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("K")
            await pilot.pause()
            assert "nothing to stop" in said(app)
            await pilot.press("r")
            await until(pilot, lambda: "finished, nothing is left to do; A repeats it" in said(app))

    drive(look)


@pytest.mark.usefixtures("_paused_queue")
@pytest.mark.parametrize(
    ("key", "way"), [("I", "Q on the runs, then x, takes it out"), ("r", "Q on the runs, then p, starts it")]
)
def test_of_a_run_that_waits_it_is_said_which_keys_do_what_was_asked(runs: Path, key: str, way: str) -> None:
    queue_files.enqueue(runs, [make_run(runs, epochs=0, outcome=None)])

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press(key)
            await until(pilot, lambda: f"waits in the queue; {way}" in said(app))
            assert isinstance(app.screen, RunsScreen)

    drive(look)


def test_what_a_refusal_advises_is_said_by_keys_alone(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs) as (app, _):
            assert isinstance(app.screen, RunsScreen)
            said_by_keys = [app.screen._by_keys(advice) for advice in Advice]
            assert not [words for words in said_by_keys if "wbtui" in words or "." in words]

    drive(look)


def test_quitting_leaves_runs_at_work(runs: Path, at_work: tuple[Path, subprocess.Popen[bytes]]) -> None:
    folder, process = at_work

    async def look() -> None:
        async with opened(runs) as (_, pilot):
            await pilot.press("q")

    drive(look)
    assert process.poll() is None
    assert open_run(folder).state().living

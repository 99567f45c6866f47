"""The queue: does it line its runs up, and can its keys be looked up and rebound?"""

import os
import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, post_at_once, screen_lines, screen_text, until
from rich.cells import cell_len
from textual.widgets import Static

from wbtui.launch import queue_files
from wbtui.launch import start as launch_start
from wbtui.presets import resolve
from wbtui.store.facts import process_info
from wbtui.store.history import History
from wbtui.store.reader import Run
from wbtui.store.records import HeartbeatWriter, write_process
from wbtui.tui import app as application
from wbtui.tui import feed
from wbtui.tui.keymap import resolve_keys
from wbtui.tui.screens import queue
from wbtui.tui.screens.dialogs import PageOfText
from wbtui.tui.screens.queue import QueueScreen, in_columns, read_queue


def queued_run(runs: Path, seed: int, variant: str = "wd") -> Path:
    return launch_start.make_run(runs, resolve("digits_lt", variant, options={"seed": seed}))


def at_work(folder: Path) -> None:
    write_process(folder, replace(process_info(1, pid=os.getpid()), host="elsewhere"))
    HeartbeatWriter(folder).beat("training", epoch=1)


@pytest.mark.usefixtures("_paused_queue")
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_what_is_said_of_each_run_stands_below_the_same_of_the_run_before(
    runs: Path, size: tuple[int, int]
) -> None:
    seeds = [("ce", 0), ("wd_fr_etf", 11), ("wb", 123456)]
    queue_files.enqueue(runs, [queued_run(runs, seed, variant) for variant, seed in seeds])

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            await pilot.press("Q")
            await until(pilot, lambda: "3 waiting" in screen_text(app))
            rows = [line for line in screen_lines(app) if "digits_lt" in line and " auto " in line]
            assert len(rows) == 3
            assert len({row.index(" auto ") for row in rows}) == 1
            assert len({row.index("digits_lt") for row in rows}) == 1

    drive(look)


def test_a_long_name_is_cut_and_what_stands_behind_it_stays() -> None:
    rows = [("at work", "7f3a", "short", "slot cpu"), ("10", "長尾認識", "a name " * 20, "auto")]
    first, second = in_columns(rows, 50, "…")
    assert cell_len(second) <= 50
    assert second.endswith("…  auto")
    assert cell_len(first[: first.index("slot")]) == cell_len(second[: second.index("auto")])


@pytest.mark.usefixtures("_paused_queue")
def test_help_opens_over_the_queue_and_names_its_keys_as_they_are_bound(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = resolve_keys({"queue.later": "[", "app.help_keys": "f2"}, "file")
    assert not bound.problems
    monkeypatch.setattr(application, "load_keymap", lambda path: bound)
    queue_files.enqueue(runs, [queued_run(runs, 0), queued_run(runs, 1)])

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("Q")
            await until(pilot, lambda: "2 waiting" in screen_text(app))
            assert "[ K later, sooner" in screen_text(app)
            assert "f2 help" in screen_text(app)
            await pilot.press("f2")
            await until(pilot, lambda: isinstance(app.screen, PageOfText))
            await pilot.pause()
            assert "[  Let a waiting run start later." in screen_text(app)
            assert "Close the dashboard" not in screen_text(app)  # q closes the queue here
            await pilot.press("escape")
            assert isinstance(app.screen, QueueScreen)
            await pilot.press("left_square_bracket")
            await until(
                pilot, lambda: [one.folder.name[-11:-9] for one in queue_files.entries(runs)] == ["s1", "s0"]
            )

    drive(look)


@pytest.mark.usefixtures("_paused_queue")
def test_keys_that_come_at_once_move_one_run_and_the_cursor_stays_on_it(runs: Path) -> None:
    made = [queued_run(runs, seed) for seed in range(4)]
    queue_files.enqueue(runs, made)

    def waiting() -> list[int]:
        return [made.index(entry.folder) for entry in queue_files.entries(runs)]

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("Q")
            await until(pilot, lambda: "4 waiting" in screen_text(app))
            post_at_once(app, "JJ")
            await until(pilot, lambda: waiting() == [1, 2, 0, 3])
            queue_files.take_out(made[1])  # by somebody else
            await until(pilot, lambda: "3 waiting" in screen_text(app))
            post_at_once(app, ["J", "up", "x"])
            await until(pilot, lambda: waiting() == [2, 0])

    drive(look)


def test_taking_out_of_the_queue_shows_at_once(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue_files.enqueue(runs, [queued_run(runs, 0), queued_run(runs, 1)])
    may = threading.Event()
    real = queue_files.take_out

    def slowly(folder: Path) -> bool | None:
        may.wait(30)
        return real(folder)

    monkeypatch.setattr(queue_files, "take_out", slowly)

    async def look() -> None:
        async with opened(runs, (140, 50)) as (app, pilot):
            await pilot.press("Q")
            await until(pilot, lambda: "2 waiting" in screen_text(app))
            await pilot.press("x")
            await pilot.pause()
            assert screen_text(app).count("taking out ...") == 1
            await pilot.press("x")  # no second time
            may.set()
            await until(pilot, lambda: "1 waiting" in screen_text(app))
            assert "taking out" not in screen_text(app)
            said = str(app.screen.query_one("#said", Static).content)
            assert re.search(rf"`wbtui restore \w{{4}} --runs {re.escape(str(runs))}` brings it back", said)

    drive(look)


def test_readonly_tells_a_run_at_work_from_one_that_waits(runs: Path) -> None:
    works, waits = (queued_run(runs, seed) for seed in (7, 8))
    queue_files.enqueue(runs, [works, waits])
    at_work(works)
    state = read_queue(runs, readonly=True)
    assert [entry.folder for entry in state.working] == [works]
    assert [entry.folder for entry in state.waiting] == [waits]


@pytest.mark.usefixtures("_paused_queue")
@pytest.mark.parametrize("key", ["x", "J", "K"])
def test_the_queue_says_why_a_run_at_work_is_neither_moved_nor_taken_out(runs: Path, key: str) -> None:
    made = [queued_run(runs, seed) for seed in (7, 8)]
    queue_files.enqueue(runs, made)
    at_work(made[0])

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await pilot.press("Q")
            await until(pilot, lambda: "1 waiting, 1 at work" in screen_text(app))
            await pilot.press("up", key)
            await until(pilot, lambda: "is at work, it does not wait" in screen_text(app))
            assert "I on the runs stops it" in screen_text(app)

    drive(look)


@pytest.mark.usefixtures("_paused_queue")
def test_a_run_of_another_host_that_is_silent_is_told_from_one_at_work_and_taken_out(runs: Path) -> None:
    folder = queued_run(runs, 7)
    queue_files.enqueue(runs, [folder])
    write_process(folder, replace(process_info(1, pid=os.getpid()), host="elsewhere", written=1.0))

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await pilot.press("Q")
            await until(pilot, lambda: "if it is dead, x frees it" in screen_text(app))
            assert re.search(r"unknown  \w{4}", screen_text(app))
            await pilot.press("J")
            await until(pilot, lambda: "does not wait" in screen_text(app))
            await pilot.press("x")
            await until(pilot, lambda: "out of the queue" in screen_text(app))
            assert not queue_files.entries(runs)

    drive(look)


def test_the_runs_say_why_those_that_wait_are_not_started(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_WORKER_SECONDS", 0.0)
    queue_files.enqueue(runs, [queued_run(runs, 0)])

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await until(pilot, lambda: "1 queued, no worker" in screen_text(app))
            queue_files.write_settings(runs, replace(queue_files.read_settings(runs), paused=True))
            await until(pilot, lambda: "1 queued, paused" in screen_text(app))

    drive(look)


def test_an_open_queue_reads_the_events_of_a_run_once(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run(runs, epochs=5, total=9, outcome=None)
    queue_files.enqueue(runs, [folder])
    at_work(folder)
    read: list[int] = []
    real = History.extend

    def extend(self: History, new: object) -> None:
        found = list(new)  # type: ignore[call-overload]
        read.append(len(found))
        real(self, found)

    known: dict[Path, Run] = {}
    monkeypatch.setattr(History, "extend", extend)
    for readonly in (True, False):
        queue.read_queue(runs, readonly=readonly, known=known)
    assert read[0] > 5
    assert not any(read[1:])


def test_the_queue_says_which_key_starts_the_worker_that_is_gone(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_files.enqueue(runs, [queued_run(runs, 0)])
    started: list[Path] = []
    monkeypatch.setattr(queue, "ensure_worker", started.append)

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await pilot.press("Q")
            await until(pilot, lambda: "no worker: p starts one" in screen_text(app))
            await pilot.press("p")
            await until(pilot, lambda: started == [runs])
            assert isinstance(app.screen, QueueScreen)
            assert not queue_files.read_settings(runs).paused

    drive(look)

"""The page of one run: what does each of its pages show?"""

import re
import subprocess
from pathlib import Path

import pytest
from dashboard_helpers import (
    METRICS,
    drive,
    make_run,
    opened,
    said,
    screen_lines,
    screen_text,
    settled,
    until,
)

from wbtui.store.format import EVENTS, LOG, SYSTEM
from wbtui.store.notes import set_note
from wbtui.store.writer import RunWriter
from wbtui.tui.screens.run import PAGES, RunScreen
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.widgets.panel_grid import PanelGrid
from wbtui.tui.widgets.text_pane import TextPane


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_every_page_of_a_run_shows_something(runs: Path, size: tuple[int, int]) -> None:
    folder = make_run(runs)
    (folder / LOG).write_text("a line\n")
    (folder / SYSTEM).write_text(
        '{"t": 5, "cpu_percent": 40, "gpu": {"watts": 200}}\n{"t": 10, "cpu_percent": 60}\n'
    )

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            await pilot.press("enter")
            screen = app.screen
            assert isinstance(screen, RunScreen)
            pane, grid = screen.query_one(TextPane), screen.query_one(PanelGrid)
            await until(pilot, lambda: "weight_decay" in pane.text)
            assert folder.name in screen_text(app)
            await pilot.press("right_square_bracket")
            await settled(app, pilot)
            assert "accuracy" in grid.in_sight
            await pilot.press("right_square_bracket")
            await settled(app, pilot)
            assert grid.in_sight[0] == "feature_norm@class"
            keys = [spec.key for spec in screen.specs]
            assert "confusion@matrix" in keys
            assert "bn_scale@layer" in keys
            await pilot.press("right_square_bracket")
            assert "a line" in screen_text(app)
            await pilot.press("right_square_bracket")
            await pilot.pause()
            assert any("Processor of this run" in spec.title for spec in screen.specs)
            assert any("GPU power" in spec.title for spec in screen.specs)
            await pilot.press("right_square_bracket")
            assert screen.page == PAGES[0]
            await pilot.press("escape")
            assert isinstance(app.screen, RunsScreen)

    drive(look)


def test_a_page_without_panels_says_why(runs: Path) -> None:
    folder = make_run(runs, epochs=0)
    (folder / EVENTS).unlink()
    with RunWriter.open(folder) as writer:  # as an import does it: accuracies, and nothing else
        writer.define(METRICS[0])
        writer.epoch(1, 0, {METRICS[0].name: 0.5}, {})

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter", "right_square_bracket", "right_square_bracket")
            await until(pilot, lambda: "nothing has been measured by class or layer" in screen_text(app))
            await pilot.press("right_square_bracket")
            await until(pilot, lambda: "output.log is empty or not there" in screen_text(app))
            await pilot.press("right_square_bracket")
            await until(pilot, lambda: "no samples: no waiter" in screen_text(app))
            assert "every few seconds" not in screen_text(app)
            await pilot.press("escape", "P", "space", "escape")
            await until(pilot, lambda: "no panel is chosen: P chooses" in screen_text(app))

    drive(look)


def test_a_failed_run_shows_its_traceback_on_enter(runs: Path) -> None:
    make_run(
        runs, outcome="failed", error="Traceback (most recent call last):\n  ValueError: [bold]no\x1b[31m"
    )

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter")
            await until(pilot, lambda: "ValueError: [bold]no<U+001B>[31m" in screen_text(app))

    drive(look)


def test_the_log_page_tells_what_happened_to_the_run(runs: Path) -> None:
    folder = make_run(runs)
    with RunWriter.open(folder) as writer:
        writer.event("stop", reason="stopped by control/stop")
        writer.event("end", outcome="stopped", reason="stopped by [b]control/stop[/]")
        writer.event("resume", attempt=2, from_epoch=5)
        writer.event("stage", stage=0, name="all", epochs=7, first_epoch=1)
        writer.event("stage", stage=1, name="classifier", epochs=3, first_epoch=8)
        writer.event("alert", epoch=6, kind="loss", message="loss is \x1b[2JNaN")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter", "left_square_bracket", "left_square_bracket")
            await until(pilot, lambda: "nothing was printed" in screen_text(app))
            lines = [line.strip() for line in app.screen.query_one(TextPane).text.splitlines()]
            told = [line.split("  ", 1)[1] for line in lines if line[:2] == "20"]
            assert told[-6:] == [
                "stop: stopped by control/stop",
                "end: stopped, stopped by [b]control/stop[/]",
                "resume: attempt 2, after epoch 5",
                "stage all goes on at epoch 6: 7 epochs from epoch 1",
                "stage classifier: 3 epochs from epoch 8",
                "⚠ epoch 6: loss is <U+001B>[2JNaN",
            ]
            with RunWriter.open(folder) as writer:
                writer.event("end", outcome="finished", reason="all epochs done")
            await until(pilot, lambda: "end: finished, all epochs done" in screen_text(app))

    drive(look)


def test_the_log_is_literal_searched_and_followed(runs: Path) -> None:
    folder = make_run(runs)
    log = folder / LOG
    log.write_text(
        "[red]not markup[/]\n\x1b[2Jnor this\n" + "\n".join(f"line {i}" for i in range(500)) + "\n"
    )

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter", "left_square_bracket", "left_square_bracket")
            pane = app.screen.query_one(TextPane)
            await until(pilot, lambda: "line 499" in screen_text(app))
            with log.open("a") as file:
                file.write("one more\n")
            await until(pilot, lambda: "one more" in screen_text(app))
            await pilot.press("home")
            assert "[red]not markup[/]" in screen_text(app)
            assert "<U+001B>[2Jnor this" in screen_text(app)
            with log.open("a") as file:
                file.write("and another\n")
            await until(pilot, lambda: "and another" in pane.text)
            assert "and another" not in screen_text(app)
            await pilot.press("slash", *"LINE 250", "enter")
            await pilot.pause()
            assert "line 250" in screen_text(app)
            await pilot.press("slash", *"zzz", "enter")
            await pilot.pause()
            assert "does not stand here" in said(app)
            await pilot.press("end")
            assert "and another" in screen_text(app)
            pane.scroll_relative(y=-9, animate=False)  # as the wheel does
            for last in ("not to be followed", "to be followed again"):
                await pilot.pause()
                with log.open("a") as file:
                    file.write(f"{last}\n")
                await until(pilot, lambda last=last: last in pane.text)
                assert (last in screen_text(app)) == (last == "to be followed again")
                pane.scroll_end(animate=False)

    drive(look)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_the_page_of_a_run_shows_the_whole_evidence_of_its_state(
    runs: Path, at_work: tuple[Path, subprocess.Popen[bytes]], size: tuple[int, int]
) -> None:
    _, process = at_work

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            await pilot.press("enter")
            await settled(app, pilot)
            top = screen_lines(app)[:2]
            assert " running" in top[0]
            assert "epoch 2/90" in top[0]
            assert re.search(rf"heartbeat \d+ s old, pid {process.pid} alive $", top[1])
            if size[0] == 120:
                assert "training batch 1/10" in top[0]

    drive(look)


def test_a_table_without_room_for_all_columns_names_those_that_are_left_out(runs: Path) -> None:
    make_run(runs, epochs=30, total=30)

    async def look() -> None:
        async with opened(runs, (60, 40)) as (app, pilot):
            await pilot.press("enter")
            pane = app.screen.query_one(TextPane)
            await until(pilot, lambda: "By epoch" in pane.text)
            table = pane.text[pane.text.index("By epoch") :].split("\n\n")[0].splitlines()
            assert max(map(len, table)) <= 59
            assert table[-1].strip() == "no room for: stage, BN scale"
            await pilot.resize_terminal(120, 40)
            await until(pilot, lambda: "no room for" not in pane.text)

    drive(look)


def test_the_overview_speaks_as_the_dashboard_does(runs: Path) -> None:
    make_run(runs, epochs=30, total=30)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter")
            pane = app.screen.query_one(TextPane)
            await until(pilot, lambda: "By epoch" in pane.text)
            assert "By epoch, 12 of 30 epochs (] draws all)\n" in pane.text
            headings = [
                line.split() for line in pane.text.splitlines() if line.split()[:1] in (["split"], ["epoch"])
            ]
            assert len(headings) == 2
            for heading in headings:
                first = heading.index("All")
                assert heading[first : first + 4] == ["All", "Head", "Med", "Tail"]

    drive(look)


def test_a_note_of_several_lines_and_of_wide_signs_is_shown_whole(runs: Path) -> None:
    lines = ["first line", "認識" * 60, "", "last line"]
    set_note(make_run(runs), "\n".join(lines))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter")
            pane = app.screen.query_one(TextPane)
            await until(pilot, lambda: "By epoch" in pane.text)
            shown = screen_lines(app)
            assert not any("\n" in line for line in shown)
            text = "".join(line.strip() for line in shown)
            assert "first line" + "認識" * 60 + "last line" in text

    drive(look)

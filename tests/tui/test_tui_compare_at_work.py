"""Comparing runs at work: do figures follow them, is it said of which epoch they are, and which are gone?"""

import shutil
from pathlib import Path

import finished_runs
import pytest
from bench_helpers import comparing
from dashboard_helpers import SIZES, drive, make_run, measure, opened, said, screen_lines, screen_text, until

from wbtui.store import records
from wbtui.store.format import Result
from wbtui.store.writer import RunWriter
from wbtui.tui.widgets.canvas_pane import CanvasPane
from wbtui.tui.widgets.comparison_table import ComparisonTable


def test_figures_of_runs_at_work_follow_them_until_they_are_final(runs: Path) -> None:
    make_run(runs, 0, variant="ce", epochs=5, accuracy=0.4)
    folder = make_run(runs, 1, variant="wd", epochs=2, total=9, outcome=None, accuracy=0.9)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            unfinished = "wd: no final figures, these are of epoch"
            assert f"{unfinished} 2" in screen_text(app)
            table = screen.query_one(ComparisonTable)
            assert "20.0" in table.text
            with RunWriter.open(folder) as writer:
                measure(writer, 3, total=9, accuracy=0.9)
            await until(pilot, lambda: f"{unfinished} 3" in screen_text(app))
            assert "30.0" in table.text
            with RunWriter.open(folder) as writer:
                measure(writer, 4, total=9, accuracy=0.9)
                writer.event("end", outcome="stopped", reason="told so", final={"test.accuracy.all": 0.77})
            figures = {"test.accuracy.all": 0.77}
            result = Result(1, "stopped", "told so", 0, started=1.0, ended=9.0, epoch=4, final=figures)
            records.write_result(folder, result)
            await until(pilot, lambda: "77.0" in table.text)
            assert unfinished not in screen_text(app)

    drive(look)


@pytest.mark.parametrize("size", SIZES)
def test_why_and_until_when_there_is_nothing_by_class_is_said(runs: Path, size: tuple[int, int]) -> None:
    done = finished_runs.make_run(runs, "ce")
    folder = make_run(runs, 1, variant="wd", epochs=2, total=9, outcome=None)

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            await pilot.press("right_square_bracket")
            await until(
                pilot, lambda: "nothing by class: wd has not finished: predictions" in screen_text(app)
            )
            heat = screen.query_one("#heat", CanvasPane).region
            assert "nothing by class: wd has not finished" in screen_lines(app)[heat.y + heat.height // 2]
            shutil.copytree(done / "predictions", folder / "predictions", dirs_exist_ok=True)
            with RunWriter.open(folder) as writer:
                writer.event("end", outcome="finished", reason="done", final={"test.accuracy.all": 0.77})
            result = Result(1, "finished", "done", 0, started=1.0, ended=9.0, epoch=9, final={})
            records.write_result(folder, result)
            await until(pilot, lambda: screen.board is not None and any(screen.board.by_class))
            await until(pilot, lambda: "nothing by class" not in screen_text(app))

    drive(look)


def test_a_column_taken_away_does_not_come_back_when_runs_go_on(runs: Path) -> None:
    for number, variant in enumerate(("ce", "wb", "wd")):
        make_run(runs, number, variant=variant, epochs=2, total=9, outcome=None)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 3)
            await pilot.press("l", "X")
            await until(pilot, lambda: screen.board is not None and len(screen.board.entries) == 2)
            dropped = {"ce", "wb", "wd"} - {entry.label for entry in screen.entries}
            with RunWriter.open(screen.entries[0].members[0].run.path) as writer:
                measure(writer, 3, total=9)
            await until(pilot, lambda: "of epoch 3" in screen_text(app))
            assert dropped.isdisjoint(entry.label for entry in screen.entries)

    drive(look)


def test_a_run_at_work_is_followed_beside_one_that_was_taken_away(runs: Path) -> None:
    gone = make_run(runs, 0, variant="ce")
    at_work = make_run(runs, 1, variant="wd", epochs=2, total=9, outcome=None)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            gone.rename(runs.parent / "elsewhere")
            await until(pilot, lambda: "1 run not there any more" in screen_text(app))
            with RunWriter.open(at_work) as writer:
                measure(writer, 3, total=9)
            await until(pilot, lambda: "of epoch 3" in screen_text(app))
            assert "1 run not there any more" in screen_text(app)
            assert len(screen.entries) == 2
            assert not said(app)
            (runs.parent / "elsewhere").rename(gone)
            with RunWriter.open(at_work) as writer:
                measure(writer, 4, total=9)
            await until(pilot, lambda: "of epoch 4" in screen_text(app))

    drive(look)


def test_runs_taken_away_meanwhile_are_said_and_keep_no_other_from_being_added(runs: Path) -> None:
    folders = [make_run(runs, number, variant=variant) for number, variant in enumerate(("ce", "wd", "wb"))]

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            assert "not there any more" not in screen_text(app)
            folders[1].rename(runs.parent / "elsewhere")
            await until(pilot, lambda: "1 run not there any more" in screen_text(app))
            assert "n=1, gone" in screen.query_one(ComparisonTable).text
            await pilot.press("a")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: screen.board is not None and len(screen.board.entries) == 3)
            assert not said(app)
            (runs.parent / "elsewhere").rename(folders[1])
            await until(pilot, lambda: "not there any more" not in screen_text(app))

    drive(look)

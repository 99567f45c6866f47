"""The strength that the Adjust page takes: what is it chosen on, and is a choice on test called an oracle?"""

from pathlib import Path

from bench_helpers import adjusting, rested
from dashboard_helpers import drive, opened, said, screen_text, until
from finished_runs import make_run

from wbtui.report.derived import load_derived
from wbtui.store.reader import open_run
from wbtui.tui.adjust_bench import Bench, MethodKey
from wbtui.tui.widgets.canvas_pane import CanvasPane


def test_without_validation_nothing_is_chosen_and_the_curve_is_an_oracle(runs: Path) -> None:
    make_run(runs, "wd", 0, "data.split_rule=full", validation=False)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("4")
            await rested(screen, pilot)
            assert screen.trial is not None
            assert (screen.trial.method, screen.trial.strength) == ("multiplicative", 1.6)
            assert screen.trial.basis == "published"
            text = screen_text(app)
            assert "NO validation" in text
            assert "ORACLE, test only" in screen.query_one("#curve", CanvasPane).text
            assert "val All" not in screen.query_one("#curve", CanvasPane).text
            await pilot.press("right", "v")
            await rested(screen, pilot)
            assert screen.trial.basis == "published"
            assert "nothing is chosen" in said(app)

    drive(look)


def test_the_best_on_test_is_called_an_oracle_also_where_it_is_saved(runs: Path) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("o")
            await rested(screen, pilot)
            assert screen.trial is not None
            assert screen.trial.basis == "oracle"
            assert "oracle: best on test" in screen_text(app)
            await pilot.press("s")
            await until(pilot, lambda: "saved as" in said(app))
            await rested(screen, pilot)
            assert screen.work.is_saved(screen.trial)
            await pilot.press("p")
            assert (screen.trial.strength, screen.trial.basis) == (1.0, "published")
            assert not screen.work.is_saved(screen.trial)

    drive(look)
    (found,) = load_derived(open_run(folder))
    assert found.basis == "oracle"
    assert found.name.endswith("-oracle")


def test_another_criterion_chooses_anew(runs: Path) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("t", "t")
            await rested(screen, pilot)
            assert screen.trial is not None
            assert (screen.trial.criterion, screen.trial.basis) == ("few", "validation")
            bench = Bench.of(open_run(folder))
            choice = bench.survey(MethodKey("additive"), "few").choice
            assert choice is not None
            assert screen.trial.strength == choice.strength

    drive(look)

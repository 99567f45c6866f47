"""Runs and methods that cannot be adjusted: is it said why, and do the others go on?"""

from pathlib import Path

import numpy as np
import pytest
from bench_helpers import adjusting, rested
from dashboard_helpers import drive, opened, said, screen_text, until
from finished_runs import CLASSES, classifier, make_run, predictions_of

from wbtui.store.predictions import PredictionsMeta, write_predictions
from wbtui.tui.screens.adjust import AdjustScreen
from wbtui.tui.widgets.one_line import OneLine


def test_a_run_without_predictions_is_refused_in_one_message(runs: Path) -> None:
    folder = make_run(runs)
    for file in (folder / "predictions").iterdir():
        file.unlink()

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("L")
            await until(pilot, lambda: "no predictions" in said(app))
            await until(pilot, lambda: not isinstance(app.screen, AdjustScreen))
            assert said(app).count("no predictions") == 1

    drive(look)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_logits_that_are_no_numbers_are_refused_and_the_other_runs_adjusted(runs: Path, value: float) -> None:
    broken, good = make_run(runs, "wd", 0), make_run(runs, "wd", 1)
    split = predictions_of("test", 0)
    split.logits[7, 3] = value
    write_predictions(broken, {"test": split}, classifier(), PredictionsMeta("last", 20, "none"))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("space", "j", "space")
            screen = await adjusting(app, pilot)
            assert [trial.run_id for trial in screen.trials] == [good.name]
            assert "expected finite numbers" in said(app)

    drive(look)


def test_a_method_without_its_facts_says_why_and_the_others_go_on(runs: Path) -> None:
    folder = make_run(runs)
    np.save(folder / "predictions" / "class_mean_feature_norms.npy", np.full(CLASSES, np.nan, np.float32))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("5")
            await rested(screen, pilot)
            assert "class-mean training features" in screen.query_one("#status", OneLine).text
            assert screen.trial is not None
            assert screen.outcomes[screen.trial] is None
            await pilot.press("s")
            await until(pilot, lambda: "class-mean" in said(app))
            await pilot.press("2")
            await rested(screen, pilot)
            assert screen.outcomes[screen.trial] is not None

    drive(look)
    assert not (folder / "derived").exists()


def test_a_run_at_work_is_not_adjusted(runs: Path) -> None:
    make_run(runs, finished=False)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("L")
            await pilot.pause()
            assert not isinstance(app.screen, AdjustScreen)
            assert "finished run" in said(app)

    drive(look)


def test_names_from_files_are_shown_literally(runs: Path) -> None:
    folder = make_run(runs, "wd", 0, "name=[red]x[/red]")
    meta = folder / "predictions" / "meta.json"
    meta.write_text(meta.read_text().replace('"8"', '"[b]\\u001b[31m8"'))

    async def look() -> None:
        async with opened(runs, (200, 60)) as (app, pilot):
            await adjusting(app, pilot)
            text = screen_text(app)
            assert "[red]x[/red]" in text
            assert "[b]<U+001B>[31m8" in text
            assert "\x1b" not in text

    drive(look)


def test_a_criterion_without_images_is_refused_and_the_others_go_on(runs: Path) -> None:
    make_run(runs, "wd", 0, "data.few_below=0")  # no class is in the tail

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            status = screen.query_one("#status", OneLine)
            for method in ("2", "4", "3"):
                await pilot.press("t", "t", method)
                await rested(screen, pilot)
                assert "choose another criterion" in status.text
                await pilot.press("t")
                await rested(screen, pilot)
                assert screen.trial is not None
                assert (screen.trial.criterion, screen.trial.basis) == ("all", "validation")
                assert "standard error" in status.text
                outcome = screen.outcomes[screen.trial]
                assert outcome is not None
                assert outcome.rest is not None

    drive(look)

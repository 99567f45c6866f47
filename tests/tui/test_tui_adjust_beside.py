"""Settings side by side on the Adjust page: how do seeds fold, and what is copied?"""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from bench_helpers import adjusted_accuracy, adjusting, rested
from dashboard_helpers import drive, opened, said, until
from finished_runs import make_run

from wbtui.tui.adjust_trials import Trial
from wbtui.tui.widgets.pick_list import PickList


def test_settings_of_several_runs_stand_side_by_side(runs: Path) -> None:
    for seed in range(3):
        make_run(runs, "wd", seed)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("space", "j", "space", "j", "space")
            screen = await adjusting(app, pilot)
            assert len({trial.run_id for trial in screen.trials}) == 3
            first = screen.trials[0]
            await pilot.press("a", "4")
            await rested(screen, pilot)
            assert [trial.method for trial in screen.trials] == ["additive", "multiplicative"] + 2 * [
                "additive"
            ]
            assert screen.trials[0] == first
            assert screen.trials[1].run_id == first.run_id
            table = screen.query_one(PickList).text.splitlines()
            assert len(table) == 5
            for line, trial in zip(table[1:], screen.trials, strict=True):
                outcome = screen.outcomes[trial]
                assert outcome is not None
                assert f"{100 * outcome.accuracy.all:.1f}" in line
                assert trial.method in line
            await pilot.press("down")
            assert screen.current == 2
            await pilot.press("X")
            assert len(screen.trials) == 3
            await pilot.press("X", "X", "X")
            assert len(screen.trials) == 1

    drive(look)


def test_seeds_of_one_setting_fold_into_mean_and_sample_standard_deviation(runs: Path) -> None:
    for seed in range(3):
        make_run(runs, "wd", seed)
    make_run(runs, "ce", 0)
    strengths = (0.5, 0.5, 0.5)
    by_hand = [adjusted_accuracy(strength, seed) for seed, strength in enumerate(strengths)]

    async def look() -> None:
        async with opened(runs, (160, 40)) as (app, pilot):
            await pilot.press("space", "j", "space", "j", "space", "j", "space")
            screen = await adjusting(app, pilot)
            (chosen,) = screen.folds()
            assert (chosen.setting, chosen.n) == ("wd", 3)
            assert {trial.basis for trial in chosen.trials} == {"validation"}
            while screen.trial is not None and "wd" not in screen.called(screen.trial.run_id):
                await pilot.press("down")
                await pilot.pause()
            await pilot.press("home", *["pageup"])
            await rested(screen, pilot)
            assert screen.folds()[0].n == 2, "one seed is set by hand now"
            await pilot.press("S")
            await rested(screen, pilot)
            (fold,) = screen.folds()
            assert {(trial.strength, trial.basis) for trial in fold.trials} == {(0.5, "given")}
            for group in ("all", "many", "medium", "few"):
                values = [one[group] for one in by_hand]
                found = fold.accuracy(group)
                assert (found.mean, found.n) == (pytest.approx(np.mean(values)), 3)
                assert found.std == pytest.approx(np.std(values, ddof=1))
            values = [one["all"] for one in by_hand]
            text = screen.query_one("#seeds", PickList).text
            assert "wd n=3" in text
            assert f"{100 * np.mean(values):.1f}±{100 * np.std(values, ddof=1):.1f}" in text
            table = screen._table()
            assert [row[0].text for row in table.rows][-1] == "wd, n = 3"
            assert len(table.rows) == 5
            await pilot.press("S")
            assert "the other seeds are adjusted alike already" in said(app)
            await pilot.press("m", "S")  # another method, its strength chosen: by each seed on its own
            await rested(screen, pilot)
            (fold,) = screen.folds()
            assert {trial.method for trial in fold.trials} == {fold.trials[0].method}
            expected = {
                screen.work.choice_of(trial)[1].strength
                for trial in fold.trials  # type: ignore[index]
            }
            assert {trial.strength for trial in fold.trials} == expected
            await pilot.press("f")
            await pilot.pause()
            assert not screen.query_one("#seeds").display

    drive(look)


def test_a_single_seed_does_not_fold_and_has_no_others(runs: Path) -> None:
    make_run(runs, "wd", 0)
    make_run(runs, "ce", 0)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("space", "j", "space")
            screen = await adjusting(app, pilot)
            assert screen.folds() == []
            assert not screen.query_one("#seeds").display
            before = list(screen.trials)
            await pilot.press("S")
            await pilot.pause()
            assert screen.trials == before
            assert "no other seed" in said(app)

    drive(look)


def test_the_settings_are_copied_as_a_table(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("c")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: "sent to the terminal's clipboard; w writes a file" in said(app))
            outcome = screen.outcomes[cast(Trial, screen.trial)]
            assert outcome is not None
            assert "| run" in app.clipboard
            assert f"{100 * outcome.accuracy.all:.1f}" in app.clipboard
            await pilot.press("3")
            await rested(screen, pilot)
            await pilot.press("c")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: "| pair" in app.clipboard)

    drive(look)


def test_more_runs_than_find_room_are_left_out_and_that_is_said(runs: Path) -> None:
    for seed in range(10):
        make_run(runs, "wd", seed)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("G")
            screen = await adjusting(app, pilot)
            assert len(screen.trials) == 8
            assert "8 runs are adjusted side by side at most: 2 more left out" in said(app)

    drive(look)

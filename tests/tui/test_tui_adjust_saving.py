"""What does saving on the Adjust page write, and where is that said?"""

from pathlib import Path

import pytest
from bench_helpers import adjusting, rested
from dashboard_helpers import SIZES, drive, opened, said, screen_text, until
from finished_runs import make_run
from textual.widgets._toast import Toast

from wbtui.adjustment import AllAccuracy, method_named
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.report.derived import load_derived
from wbtui.report.entries import entries
from wbtui.store.reader import open_run
from wbtui.tui.widgets.pick_list import PickList
from wbtui.tui.widgets.text_pane import TextPane


def test_what_is_saved_is_what_the_command_would_save(runs: Path) -> None:
    folder = make_run(runs)
    expected = adjust_run(
        load_material(open_run(folder)), Request(method_named("additive_multiplicative"), AllAccuracy())
    ).derived()

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("3")
            await rested(screen, pilot)
            await pilot.press("s")
            await until(pilot, lambda: "saved as" in said(app))
            assert "✓" in screen.query_one(PickList).text

    drive(look)
    (found,) = load_derived(open_run(folder))
    assert found.name == expected.name
    assert found.figures == pytest.approx(dict(expected.figures))
    assert (found.basis, found.criterion, found.fingerprint) == ("validation", "all", expected.fingerprint)
    assert not found.stale


def test_readonly_saves_nothing(runs: Path) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs, readonly=True) as (app, pilot):
            await adjusting(app, pilot)
            await pilot.press("s")
            await pilot.pause()
            assert "--readonly" in said(app)

    drive(look)
    assert not (folder / "derived").exists()


def test_a_run_that_was_taken_away_meanwhile_keeps_its_name_and_is_not_made_again(runs: Path) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await rested(screen, pilot)
            name = screen.called(folder.name)
            folder.rename(runs / f".{folder.name}")
            await until(pilot, lambda: f"{name} is not there any more" in screen_text(app).splitlines()[0])
            await pilot.press("right", "s")
            await until(pilot, lambda: "not there any more; nothing was saved" in said(app))

    drive(look)
    assert not folder.exists()


@pytest.mark.parametrize("size", SIZES)
def test_a_message_covers_no_figures(runs: Path, size: tuple[int, int]) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("3")
            await rested(screen, pilot)
            await pilot.press("s")
            await until(pilot, lambda: screen.query(Toast) and "saved as" in screen_text(app))
            assert ":pair-" in said(app)
            covered = screen.query_one(Toast).region
            assert covered.height
            below = ("#gained", "#lost", "#settings", "#status", "#keys")
            for name in ("#top", "#methods", "#strength", "#gamma", "#figures", *below):
                assert not covered.overlaps(screen.query_one(name).region), name

    drive(look)


def test_what_was_saved_stands_on_the_page_of_its_run_at_once(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter")
            pane = app.screen.query_one(TextPane)
            await until(pilot, lambda: "By epoch" in pane.text)
            await adjusting(app, pilot)
            await pilot.press("s")
            await until(pilot, lambda: "saved as" in said(app))
            await pilot.press("escape")
            await until(pilot, lambda: "chosen on validation by all" in pane.text)

    drive(look)


def test_seeds_that_are_adjusted_alike_are_saved_together_and_fold_in_a_comparison(runs: Path) -> None:
    folders = [make_run(runs, seed=seed) for seed in range(3)]

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("G")
            screen = await adjusting(app, pilot)
            assert [fold.n for fold in screen.folds()] == [3]
            await rested(screen, pilot)
            await pilot.press("s")
            await until(pilot, lambda: "folded" in said(app))

    drive(look)
    saved = [load_derived(open_run(folder)) for folder in folders]
    assert [len(one) for one in saved] == [1, 1, 1]
    assert {(one.method, one.basis) for (one,) in saved} == {("additive", "validation")}
    (adjusted,) = entries(
        runs, [f"{folder.name}:{one.name}" for folder, (one,) in zip(folders, saved, strict=True)]
    )
    assert adjusted.n == 3

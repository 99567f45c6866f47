"""Comparing runs on the screen: what is said first, which pages are in sight, and what a key does to them?"""

import json
from pathlib import Path

import numpy as np
import pytest
from bench_helpers import comparing, rested
from dashboard_helpers import SIZES, drive, opened, said, screen_lines, screen_text, until
from finished_runs import make_run
from rich.cells import cell_len
from scipy import stats

from wbtui.report.compare_tables import long_table
from wbtui.report.markup import escape_markdown, to_csv
from wbtui.tui.actions import actions_of
from wbtui.tui.screens.compare import PAGES, CompareScreen
from wbtui.tui.widgets.comparison_table import ComparisonTable
from wbtui.tui.widgets.text_pane import TextPane


def row(screen: CompareScreen, title: str) -> str:
    return next(
        line for line in screen.query_one(ComparisonTable).text.splitlines() if line.startswith(title)
    )


@pytest.mark.parametrize("size", SIZES)
def test_seeds_fold_and_differences_carry_arrow_and_verdict(runs: Path, size: tuple[int, int]) -> None:
    for seed in range(3):
        make_run(runs, "ce", seed, tail_bias=2.0)
        make_run(runs, "wd", seed + 4, tail_bias=0.5)

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            screen = await comparing(app, pilot, 6)
            assert sorted((entry.label, entry.n) for entry in screen.entries) == [("ce", 3), ("wd", 3)]
            base = screen.entries[screen.baseline].values("test.accuracy.few")
            other = screen.entries[1 - screen.baseline].values("test.accuracy.few")
            change = 100 * (other.mean() - base.mean())
            arrow = "↑" if change > 0 else "↓"
            found = stats.ttest_ind(other, base, equal_var=False).confidence_interval(0.95)
            verdict = "n.s." if found.low <= 0 <= found.high else "*"
            cell = row(screen, "Tail %")
            assert f"{arrow}{change:+.1f} {verdict}" in cell
            assert f"{100 * base.mean():.1f}±{100 * base.std(ddof=1):.1f}" in cell
            told = screen_text(app)
            assert "n=3 ◆ baseline" in told
            assert "Welch" in told
            assert {cell_len(line) for line in screen_lines(app)} == {size[0]}
            assert len(screen_lines(app)) == size[1]

    drive(look)


def test_what_may_not_be_compared_is_said_at_the_top(runs: Path) -> None:
    make_run(runs, "wd", 0)
    make_run(runs, "wd", 0, "data.imbalance_factor=10")
    other = next(
        folder for folder in runs.iterdir() if "imbalance_factor = 10" in (folder / "config.toml").read_text()
    )
    provenance = other / "provenance.json"
    provenance.write_text(provenance.read_text().replace("100,", "99,", 1).replace("100\n", "99\n", 1))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            assert "NOT COMPARABLE" in screen.query_one("#problems", TextPane).text
            above = "\n".join(screen_lines(app)[:4])
            assert "NOT COMPARABLE" in above

    drive(look)


def test_only_differing_settings_and_the_rules_stand_on_their_page(runs: Path) -> None:
    make_run(runs, "ce")
    make_run(runs, "wd_fr_etf")

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            assert screen.pages_in_sight == ("curves",)
            await pilot.press("right_square_bracket", "right_square_bracket")
            await rested(screen, pilot)
            assert screen.pages_in_sight == ("settings",)
            text = screen.query_one("#settings", TextPane).text
            assert "model.head" in text
            assert "stages.0.epochs" not in text
            assert "n.s. between single runs:" in text
            await pilot.press("right_square_bracket")
            assert screen.page == PAGES[0]

    drive(look)


def test_curves_of_all_columns_are_drawn_and_one_page_takes_the_room_of_all(runs: Path) -> None:
    for seed in range(2):
        make_run(runs, "ce", seed)
        make_run(runs, "wd", seed)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 4)
            await until(pilot, lambda: "wd n=2" in screen_text(app) and "ce n=2" in screen_text(app))
            assert {one.label for one in screen.shown()} == {"ce n=2", "wd n=2"}
            await pilot.press("f")
            await pilot.pause()
            assert screen.pages_in_sight == ("curves",)
            assert not screen.query_one(ComparisonTable).display
            await pilot.press("escape")
            assert isinstance(app.screen, CompareScreen)
            await pilot.press("i", "left")
            assert screen.plot_state.cursor is not None
            assert screen.current == 0
            await pilot.press("escape", "escape")
            assert not isinstance(app.screen, CompareScreen)

    drive(look)


def test_diverged_logits_cost_that_run_and_not_the_comparison(runs: Path) -> None:
    make_run(runs, "ce", 0)
    make_run(runs, "wd", 0)
    broken = make_run(runs, "wd", 1)
    logits = np.load(broken / "predictions" / "test_logits.npy")
    logits[3, 3] = np.nan
    np.save(broken / "predictions" / "test_logits.npy", logits)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 3)
            assert {entry.label for entry in screen.entries} == {"ce", "wd"}
            assert "wd: nothing by test images: test predictions: logits hold nan" in screen_text(app)

    drive(look)


def test_the_table_is_copied_as_markdown(runs: Path) -> None:
    make_run(runs, "ce")
    make_run(runs, "wd")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await comparing(app, pilot, 2)
            await pilot.press("c")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: "sent to the terminal's clipboard; w writes a file" in said(app))
            assert "(baseline), n = 1" in app.clipboard

    drive(look)


def test_every_action_has_a_method_help_and_a_key_of_its_own() -> None:
    keys: dict[str, str] = {}
    for action in actions_of("compare"):
        assert hasattr(CompareScreen, f"action_{action.method.partition('(')[0]}"), action.id
        assert action.help.endswith(".")
        for key in action.keys.split(","):
            assert keys.setdefault(key, action.id) == action.id


def test_problems_that_do_not_fit_stand_in_full_on_the_page_of_settings(runs: Path) -> None:
    for number, variant in enumerate(("ce", "wd", "wb", "cb")):
        folder = make_run(runs, variant)
        provenance = folder / "provenance.json"
        found = json.loads(provenance.read_text())
        found["data"]["train_counts"][3] += number
        provenance.write_text(json.dumps(found))

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            screen = await comparing(app, pilot, 4)
            assert screen.board is not None
            assert len(screen.board.comparison.problems) >= 3
            above = screen.query_one("#problems", TextPane).text
            assert "in full on the page of settings" in above
            assert len(above.splitlines()) == 3
            await pilot.press("right_square_bracket", "right_square_bracket")
            await rested(screen, pilot)
            text = " ".join(screen.query_one("#settings", TextPane).text.split())
            for problem in screen.board.comparison.problems:
                assert problem in text

    drive(look)


def test_what_is_copied_has_what_speaks_against_it_and_for_machines_every_figure(runs: Path) -> None:
    for seed in range(2):
        make_run(runs, "ce", seed)
        make_run(runs, "wd", seed, finished=seed == 1)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 4)
            board = screen.board
            assert board is not None
            assert board.comparison.problems
            await pilot.press("c")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: app.clipboard)
            assert all(escape_markdown(one) in app.clipboard for one in board.comparison.problems)
            await pilot.press("c")
            await pilot.pause()
            await pilot.press("down", "down", "enter")
            await until(pilot, lambda: app.clipboard.startswith("metric,setting,n,mean,std,difference"))
            assert app.clipboard == to_csv(long_table(board.comparison))

    drive(look)


def test_on_a_screen_that_was_enlarged_all_metrics_are_in_sight(runs: Path) -> None:
    make_run(runs, "ce")
    make_run(runs, "wd")

    async def look() -> None:
        async with opened(runs, (80, 18)) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            table = screen.query_one(ComparisonTable)
            await pilot.press("down", "down", "down")
            assert "All %" not in table.text.split("Tail")[0]
            await pilot.resize_terminal(120, 40)
            await until(pilot, lambda: table.size.height > 9)
            assert row(screen, "All %")

    drive(look)

"""Which columns stand in a comparison, in what order, and which of them is the baseline?"""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from bench_helpers import comparing, rested
from dashboard_helpers import SIZES, drive, opened, said, screen_lines, screen_text, until
from finished_runs import make_run
from saved_adjustments import save_adjusted

from wbtui.report.entries import Entry
from wbtui.tui.compare_work import Board, make_board
from wbtui.tui.screens.compare import CompareScreen
from wbtui.tui.widgets.comparison_table import ComparisonTable
from wbtui.tui.widgets.text_pane import TextPane


def test_the_baseline_is_switched_and_the_differences_turn_round(runs: Path) -> None:
    for variant, bias in (("ce", 2.0), ("wd", 0.5)):
        make_run(runs, variant, 0, tail_bias=bias)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            board = screen.board
            assert board is not None
            before = board.comparison.differences["test.accuracy.all", 1].value
            await pilot.press("right", "b")
            await rested(screen, pilot)
            board = screen.board
            assert board is not None
            assert board.baseline == 1
            assert board.comparison.differences["test.accuracy.all", 0].value == pytest.approx(-before)
            assert "bootstrap" in screen_text(app)

    drive(look)


def test_columns_are_put_in_another_order_and_taken_away_with_the_baseline_following(runs: Path) -> None:
    for decay in ("0.001", "0.002", "0.005", "0.01"):
        make_run(runs, "wd", 0, f"stages.0.weight_decay={decay}")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 4)
            labels = [entry.label for entry in screen.entries]
            base = screen.entries[0]
            await pilot.press("shift+right", "shift+right")
            await rested(screen, pilot)
            assert [entry.label for entry in screen.entries] == [labels[1], labels[2], labels[0], labels[3]]
            assert screen.entries[screen.baseline] is base
            assert screen.current == 2
            await pilot.press("left", "X")
            await rested(screen, pilot)
            assert [entry.label for entry in screen.entries] == [labels[1], labels[0], labels[3]]
            assert screen.entries[screen.baseline] is base
            await pilot.press("X", "X")
            await rested(screen, pilot)
            assert len(screen.entries) == 2
            assert "least" in said(app)

    drive(look)


def test_one_run_is_held_against_what_is_saved_under_it(runs: Path) -> None:
    folder = make_run(runs)
    save_adjusted(folder)
    save_adjusted(folder, choose="test")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 1)
            assert len(screen.entries) == 3
            assert [entry.members[0].derived is None for entry in screen.entries] == [True, False, False]
            assert "not a result" in screen.query_one("#problems", TextPane).text

    drive(look)


def test_a_saved_adjustment_and_a_run_are_added(runs: Path) -> None:
    folders = [
        make_run(runs, variant, 0, digits=f"{place:08x}") for place, variant in enumerate(("ce", "wd", "wb"))
    ]
    save_adjusted(folders[2])

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            count = len(screen.entries)
            await pilot.press("a")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: len(screen.entries) == count + 1)
            await rested(screen, pilot)
            await pilot.press("a")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: len(screen.entries) == count + 2)
            await rested(screen, pilot)
            assert sum(entry.members[0].derived is not None for entry in screen.entries) == 1
            await pilot.press("a")
            await pilot.pause()
            assert "nothing is left to add" in said(app)

    drive(look)


def test_a_single_run_without_anything_saved_is_no_comparison(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("C")
            await until(pilot, lambda: "needs two settings" in said(app))
            await until(pilot, lambda: not isinstance(app.screen, CompareScreen))

    drive(look)


def test_more_than_six_columns_are_left_out_and_that_is_said(runs: Path) -> None:
    for place in range(8):
        make_run(runs, "wd", 0, f"stages.0.weight_decay={0.001 * (place + 1):.3f}")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 8)
            assert len(screen.entries) == 6
            assert "2 more settings" in screen.query_one("#problems", TextPane).text
            table = screen.query_one(ComparisonTable)
            assert len(table.columns()) < 6
            for _ in range(5):
                await pilot.press("right")
                await pilot.pause()
                assert {screen.current, screen.baseline} <= set(table.columns())

    drive(look)


def test_all_selected_runs_are_compared_in_their_order_also_those_beyond_what_is_drawn(runs: Path) -> None:
    for seed in range(3):
        for variant in ("ce", "wd", "wb"):
            make_run(runs, variant, seed)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            order = [line.row.variant for line in app.screen.lines[::-1]]  # type: ignore[attr-defined]
            await pilot.press("end", *["space", "up"] * 9)
            assert len(app.screen.shown()) == 8  # type: ignore[attr-defined]
            await pilot.press("end")
            screen = await comparing(app, pilot, 0)
            assert [entry.label for entry in screen.entries] == list(dict.fromkeys(order))
            assert [entry.n for entry in screen.entries] == [3, 3, 3]

    drive(look)


def test_the_baseline_is_never_the_column_that_is_left_out(runs: Path) -> None:
    for place in range(8):
        make_run(runs, "wd", 0, f"stages.0.weight_decay={0.001 * (place + 1):.3f}")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press(*["space", "down"] * 6, "space", "b", "home")
            screen = await comparing(app, pilot, 0)
            assert len(screen.entries) == 6
            assert screen.entries[screen.baseline].members[0].run.id == app.views.baseline
            assert "1 more setting is left out" in screen.query_one("#problems", TextPane).text

    drive(look)


def test_a_saved_adjustment_stays_the_baseline_when_a_column_is_added(runs: Path) -> None:
    make_run(runs, "ce")
    save_adjusted(make_run(runs, "wd"))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 1)
            await pilot.press("right", "b")
            await rested(screen, pilot)
            base = screen.entries[screen.baseline].label
            assert base == "wd + additive"
            await pilot.press("a")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: len(screen.entries) == 3)
            await rested(screen, pilot)
            assert screen.entries[screen.baseline].label == base

    drive(look)


def test_a_run_that_does_not_count_is_not_offered_again(runs: Path) -> None:
    make_run(runs, "ce")
    for digits in ("00000001", "00000002"):
        make_run(runs, "wd", 0, digits=digits)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await comparing(app, pilot, 3)
            await pilot.press("a")
            await pilot.pause()
            assert "nothing is left to add" in said(app)

    drive(look)


def test_the_cursor_may_go_to_a_column_that_is_still_being_compared(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variant in ("ce", "wd", "wb", "cb", "vs"):
        make_run(runs, variant)
    may_go_on = threading.Event()

    def waiting(entries: Sequence[Entry], baseline: int) -> Board:
        may_go_on.wait(20)
        return make_board(entries, baseline)

    async def look() -> None:
        async with opened(runs, (80, 30)) as (app, pilot):
            screen = await comparing(app, pilot, 4)
            monkeypatch.setattr("wbtui.tui.screens.compare.make_board", waiting)
            await pilot.press("a")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: len(screen.entries) == 5)
            await pilot.press("right", "right", "right", "right")
            await pilot.pause(0.1)
            assert "Compare" in screen_text(app)
            may_go_on.set()
            await rested(screen, pilot)
            assert screen.current in screen.query_one(ComparisonTable).columns()
            assert screen.current == 4

    drive(look)


@pytest.mark.parametrize("size", SIZES)
def test_beside_another_preset_names_stay_apart_where_they_are_cut(runs: Path, size: tuple[int, int]) -> None:
    for variant in ("wd_fixed_bn", "wd_fr_etf", "wd"):
        config = make_run(runs, variant) / "config.toml"
        preset = "images_of_my_own" if variant == "wd" else "cifar10_lt_with_a_long_name"
        config.write_text(config.read_text().replace('preset = "digits_lt"', f'preset = "{preset}"'))

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            screen = await comparing(app, pilot, 3)
            await pilot.press("b")
            await rested(screen, pilot)
            table = screen.query_one(ComparisonTable)
            seen = []
            for _ in screen.entries:
                seen += table.text.splitlines()[0].split()
                await pilot.press("right")
            assert {"wd_fixed_bn,", "wd_fr_etf,", "wd,"} <= set(seen)
            assert f"against {seen[0]}" in screen_lines(app)[0]
            labels = {entry.label for entry in screen.entries}
            assert "cifar10_lt_with_a_long_name wd_fr_etf" in labels, "as commands and files call it"
            if size[0] >= 120:
                assert {"wd_fixed_bn", "wd_fr_etf"} <= {one.label.split(",")[0] for one in screen.shown()}

    drive(look)

"""Which of table, panel and page has the keys, and does the foot name them?"""

from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, screen_text, settled, until
from rich.style import Style

from wbtui.store.format import Outcome
from wbtui.tui.app import WbtuiApp
from wbtui.tui.screens.run import RunScreen
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.widgets.key_bar import KeyBar
from wbtui.tui.widgets.panel import Panel
from wbtui.tui.widgets.panel_grid import PanelGrid
from wbtui.tui.widgets.run_table import RunTable


def in_sight(app: WbtuiApp) -> tuple[str, ...]:
    return app.screen.query_one(PanelGrid).in_sight


def title_style(app: WbtuiApp, key: str) -> Style:
    panel = next(one for one in app.screen.query(Panel) if one.spec is not None and one.spec.key == key)
    (segment, *_) = panel.render_line(0)
    assert segment.style is not None
    return segment.style


def test_enter_opens_a_panel_after_going_to_it_and_a_run_otherwise(runs: Path) -> None:
    for number in range(3):
        make_run(runs, number, seed=number)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            assert len(in_sight(app)) > 1
            await pilot.press("tab", "enter")
            await pilot.pause()
            assert in_sight(app) == ("fdr",)
            assert not app.screen.query_one(RunTable).display
            await pilot.press("escape")
            await pilot.pause()
            assert len(in_sight(app)) > 1
            await until(pilot, lambda: title_style(app, "fdr").reverse, seconds=5)
            await pilot.press("enter", "enter", "escape")
            await until(pilot, lambda: not title_style(app, "fdr").reverse, seconds=5)
            assert isinstance(app.screen, RunsScreen)
            await pilot.press("enter")
            assert isinstance(app.screen, RunScreen)

    drive(look)


def test_a_key_of_the_table_takes_enter_back(runs: Path) -> None:
    for number in range(3):
        make_run(runs, number, seed=number)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("3", "down", "enter")
            assert isinstance(app.screen, RunScreen)
            assert app.screen.run_id == app.snapshot.rows[1].id
            await pilot.press("escape", "3", "enter")
            await settled(app, pilot)
            assert in_sight(app) == ("bn_scale",)
            await pilot.press("up", "enter")  # within the full screen the runs go by, and enter leaves it
            await pilot.pause()
            assert isinstance(app.screen, RunsScreen)
            assert len(in_sight(app)) > 1

    drive(look)


def test_a_click_on_a_panel_gives_it_enter_and_one_on_the_table_takes_it_back(runs: Path) -> None:
    for number in range(3):
        make_run(runs, number, seed=number)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            second = app.screen.query(Panel)[1]
            await pilot.click(second, offset=(4, 0))
            await pilot.press("enter")
            await pilot.pause()
            assert in_sight(app) == ("fdr",)
            await pilot.press("escape")
            await pilot.click(RunTable, offset=(12, 2))
            await pilot.press("enter")
            assert isinstance(app.screen, RunScreen)

    drive(look)


@pytest.mark.parametrize("key", ["enter", "f"])
def test_on_the_page_of_a_run_enter_is_full_screen_and_escape_leaves_it(runs: Path, key: str) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter", key)
            assert isinstance(app.screen, RunScreen)
            assert not app.screen.full, "a page of text has the screen already"
            await pilot.press("right_square_bracket", "tab", key)
            await settled(app, pilot)
            assert in_sight(app) == ("fdr",)
            await pilot.press("escape")
            await pilot.pause()
            assert len(in_sight(app)) > 1
            await pilot.press("tab", key, "i", "left_square_bracket", "escape")
            assert isinstance(app.screen, RunsScreen), "on a page of text nothing is left to step out of"

    drive(look)


def foot(app: WbtuiApp) -> str:
    return app.screen.query_one(KeyBar).text


@pytest.mark.parametrize(
    ("outcome", "error", "named"),
    [
        ("finished", "", {"L adjust"}),
        ("stopped", "", {"r resume"}),
        ("failed", "NaN", {"r resume"}),
        (None, "", {"I stop"}),
    ],
)
def test_the_foot_names_stop_resume_and_adjust_where_they_would_do_something(
    runs: Path, outcome: Outcome | None, error: str, named: set[str]
) -> None:
    make_run(runs, outcome=outcome, error=error)

    async def look() -> None:
        async with opened(runs, (140, 40)) as (app, pilot):
            for key in ("down", "enter"):  # the list of runs, then the run itself
                await pilot.press(key)
                await settled(app, pilot)
                assert {one for one in ("r resume", "I stop", "L adjust") if one in foot(app)} == named

    drive(look)


def test_the_foot_names_no_stop_for_a_run_that_waits(runs: Path) -> None:
    (make_run(runs, outcome=None) / "queue.json").write_text('{"position": 1}')

    async def look() -> None:
        async with opened(runs, (140, 40)) as (app, pilot):
            await pilot.press("down")
            await settled(app, pilot)
            assert "queued" in screen_text(app)
            assert "I stop" not in foot(app)

    drive(look)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_panel_that_has_the_keys_names_its_own(runs: Path, size: tuple[int, int]) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            usual = foot(app)
            assert "R start" in usual
            await pilot.press("1")
            await pilot.pause()
            assert "R start" not in foot(app)
            for one in (
                "y log",
                "+ - 0 smooth",
                "x axis",
                "z zoom",
                "i cursor",
                "enter full",
                "esc back",
            ):
                assert one in foot(app)
            assert len(foot(app)) <= size[0]
            await pilot.press("enter")
            await pilot.pause()
            assert "esc back" in foot(app)
            await pilot.press("escape", "escape")
            await pilot.pause()
            assert foot(app) == usual

    drive(look)

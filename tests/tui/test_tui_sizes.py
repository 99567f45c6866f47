"""Does every screen stand every size and ASCII alone?"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from bench_helpers import adjusting, comparing, rested
from dashboard_helpers import (
    SIZES,
    drive,
    make_run,
    opened,
    screen_lines,
    screen_text,
    settled,
    some_runs,
    until,
)
from finished_runs import make_run as finished_run
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from wbtui.tui.app import WbtuiApp
from wbtui.tui.screens.adjust import AdjustScreen
from wbtui.tui.screens.compare import CompareScreen
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.widgets.panel_grid import PanelGrid
from wbtui.tui.widgets.run_table import RunTable

Opener = Callable[[WbtuiApp, Pilot[None]], Awaitable[AdjustScreen | CompareScreen]]
WIDTHS = (20, 59, 60, 79, 80, 99, 120, 300)
HEIGHTS = (5, 15, 16, 24, 40, 100)
EVERY_SIZE = [(width, height) for width in WIDTHS for height in HEIGHTS]
PULLED = [EVERY_SIZE[step * 29 % len(EVERY_SIZE)] for step in range(len(EVERY_SIZE))]
"""Each once, not in order: large after small, wide after narrow."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [0, 1, 6, 50])
def test_every_line_fills_the_screen_and_the_table_tells_run_state_and_epoch(
    runs: Path, size: tuple[int, int], count: int
) -> None:
    some_runs(runs, count)

    async def look() -> None:
        async with opened(runs, size) as (app, _):
            lines = screen_lines(app)
            assert len(lines) == size[1]
            assert {cell_len(line) for line in lines} == {size[0]}
            if count == 0:
                assert "No runs here yet" in screen_text(app)
            else:
                newest = app.screen.query_one(RunTable).current
                assert newest is not None
                told = next(line for line in lines if app.short(newest.key) in line)
                assert "finished" in told
                assert "5/5" in told
                assert "50.0" in told
            assert app.screen.query_one(PanelGrid).display == (count > 0)

    drive(look)


@pytest.mark.usefixtures("_with_colour")
@pytest.mark.parametrize("size", SIZES)
def test_opens_with_colours_as_without(runs: Path, size: tuple[int, int]) -> None:
    some_runs(runs, 2)

    async def look() -> None:
        async with opened(runs, size) as (app, _):
            assert not app.no_color
            assert "Accuracy" in screen_text(app)

    drive(look)


def test_at_80x24_there_is_one_panel_and_tabs(runs: Path) -> None:
    some_runs(runs, 1)

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            grid = app.screen.query_one(PanelGrid)
            assert grid.in_sight == ("accuracy",)
            assert " 1 Accuracy 2 FDR" in screen_text(app)
            await pilot.press("2")
            assert grid.in_sight == ("fdr",)

    drive(look)


def test_no_size_makes_it_fail_and_a_tiny_one_is_told_politely(runs: Path) -> None:
    some_runs(runs, 3)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            for size in [
                (1, 1),
                (2, 30),
                (59, 16),
                (60, 15),
                (60, 16),
                (61, 90),
                (300, 5),
                (300, 90),
                (80, 24),
                (5, 5),
            ]:
                await pilot.resize_terminal(*size)
                await pilot.pause()
                assert len(screen_lines(app)) == size[1]
                if size[0] >= 20 and (size[0] < 60 or size[1] < 16):
                    assert "wbtui needs" in " ".join(screen_text(app).split())
                elif size[0] >= 60:
                    assert "finished" in screen_text(app)
            for size in [(70, 20), (120, 40)]:
                await pilot.resize_terminal(*size)
                await pilot.press("enter")
                await pilot.resize_terminal(40, 10)
                await pilot.pause()
                await pilot.resize_terminal(*size)
                await pilot.press("escape")
            assert isinstance(app.screen, RunsScreen)

    drive(look)


def test_ascii_shows_ascii_alone(runs: Path) -> None:
    some_runs(runs, 4)
    make_run(runs, 90, name="größe 漢字", variant="x")

    async def look() -> None:
        for size in SIZES:
            async with opened(runs, size, ascii_only=True) as (app, pilot):
                for key in ("p", "space", "b", "i", "plus", "x", "v", "G", "enter"):
                    await pilot.press(key)
                    await settled(app, pilot)
                    text = screen_text(app)
                    assert text.isascii(), (key, [c for c in text if not c.isascii()])

    drive(look)


def test_dialogs_are_ascii_too(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs, (100, 40), ascii_only=True) as (app, pilot):
            for key in ("slash", "question_mark", "R", "o", "c", "w", "P", "Q", "n", "d"):
                await pilot.press(key)
                await pilot.pause(0.1)
                assert screen_text(app).isascii(), key
                await pilot.press("escape")

    drive(look)


def test_a_message_leaves_the_status_line_in_sight_and_comes_nowhere_where_nothing_has_room(
    runs: Path,
) -> None:
    some_runs(runs, 3)

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            app.say("something happened", "warning")
            await until(pilot, lambda: "something happened" in screen_text(app))
            toast = app.screen.query_one(Toast)
            assert toast.region.bottom <= app.screen.query_one("#status").region.y
            await pilot.resize_terminal(59, 15)
            await until(pilot, lambda: "wbtui needs" in " ".join(screen_text(app).split()))
            app.say("again", "warning")
            await pilot.pause()
            assert "again" not in screen_text(app)
            assert "happened" not in screen_text(app)

    drive(look)


def test_where_nothing_has_room_no_key_counts_but_those_of_help_and_of_leaving(runs: Path) -> None:
    some_runs(runs, 3)

    async def look() -> None:
        async with opened(runs, (59, 15)) as (app, pilot):
            await pilot.press("enter", "b", "x", "G", "slash", "ctrl+p")
            await pilot.pause()
            assert len(app.screen_stack) == 1
            assert not app.views.baseline
            assert not app.views.group
            await pilot.press("question_mark")
            await pilot.pause()
            assert len(app.screen_stack) == 2
            await pilot.press("escape", "q")
            await pilot.pause()
            assert not app.is_running or app._exit

    drive(look)


@pytest.mark.parametrize(
    ("keys", "every"),
    [((), 1), (("enter",), 2), (("R",), 4), (("question_mark",), 4)],
    ids=["runs", "run", "start", "help"],
)
def test_every_size_is_drawn_in_full_while_the_terminal_is_pulled_about(
    runs: Path, keys: tuple[str, ...], every: int
) -> None:
    some_runs(runs, 6)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("p", *keys)
            await settled(app, pilot)
            app.clear_notifications()
            for width, height in PULLED[::every]:
                await pilot.resize_terminal(width, height)
                await until(pilot, lambda height=height: len(screen_lines(app)) == height)  # type: ignore[misc]
                await pilot.pause()
                assert all(cell_len(line) <= width for line in screen_lines(app))
                if every <= 2 and (width < 60 or height < 16):
                    assert "wbtui needs" in " ".join(screen_text(app).split())
                elif every <= 2:
                    assert "finished" in screen_text(app)

    drive(look)


async def open_adjust(app: WbtuiApp, pilot: Pilot[None]) -> AdjustScreen | CompareScreen:
    return await adjusting(app, pilot)


async def open_compare(app: WbtuiApp, pilot: Pilot[None]) -> AdjustScreen | CompareScreen:
    return await comparing(app, pilot, 2)


@pytest.mark.parametrize(
    ("open_bench", "keys", "word"),
    [
        (open_adjust, ("right", "3", "tab", "f", "right", "f", "2"), "gained"),
        (open_compare, ("right", "b", "right_square_bracket", "f", "f", "down", "up"), "baseline"),
    ],
    ids=["adjust", "compare"],
)
def test_no_size_breaks_a_bench(runs: Path, open_bench: Opener, keys: tuple[str, ...], word: str) -> None:
    finished_run(runs, "ce")
    finished_run(runs, "wd")

    async def look() -> None:
        async with opened(runs, (120, 40)) as (app, pilot):
            screen = await open_bench(app, pilot)
            for size in ((60, 16), (40, 10), (1, 1), (300, 8)):
                await pilot.resize_terminal(*size)
                await pilot.pause(0.05)
                await pilot.press(*keys)
                await rested(screen, pilot)
                if size == (40, 10):
                    app.clear_notifications()
                    await pilot.pause()
                    assert "please enlarge" in screen_text(app)
            await pilot.resize_terminal(120, 40)
            await pilot.pause(0.05)
            assert word in screen_text(app)

    drive(look)


@pytest.mark.parametrize(
    ("open_bench", "keys"), [(open_adjust, "356a"), (open_compare, "")], ids=["adjust", "compare"]
)
def test_a_bench_in_ascii_is_ascii_alone(runs: Path, open_bench: Opener, keys: str) -> None:
    finished_run(runs, "ce")
    finished_run(runs, "wd")

    async def look() -> None:
        async with opened(runs, (200, 60), ascii_only=True) as (app, pilot):
            screen = await open_bench(app, pilot)
            assert screen_text(app).isascii()
            for key in keys:
                await pilot.press(key)
                await rested(screen, pilot)
                assert screen_text(app).isascii()

    drive(look)

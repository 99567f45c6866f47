"""A stranger's runs on every screen: escapes, markup, wide characters, long notes: shown literally and in place."""

import asyncio
from pathlib import Path

import pytest
from dashboard_helpers import drive, said, screen_lines, until
from finished_runs import make_run
from hostile_runs import HARMFUL, make_hostile
from rich.cells import cell_len
from textual.pilot import Pilot

from wbtui.tui.app import WbtuiApp
from wbtui.tui.screens.adjust import AdjustScreen
from wbtui.tui.screens.compare import CompareScreen
from wbtui.tui.screens.run import PAGES, RunScreen

LINES_BROKEN = frozenset("\n\r\t")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    make_run(folder, "ce")
    make_hostile(folder, 0)
    make_hostile(folder, 1)
    make_hostile(folder, 2, failed=True)
    return folder


def check(app: WbtuiApp) -> None:
    lines = screen_lines(app)
    width, height = app.size
    assert len(lines) == height
    assert {cell_len(line) for line in lines} == {width}
    assert not set("".join(lines)) & (HARMFUL | LINES_BROKEN)


async def looked(app: WbtuiApp, pilot: Pilot[None], *keys: str, seconds: float = 0.1) -> None:
    await pilot.press(*keys)
    await asyncio.sleep(seconds)
    await pilot.pause()
    check(app)


@pytest.mark.parametrize(("size", "no_colour"), [((80, 24), True), ((120, 40), False)])
def test_every_screen_shows_it_literally_and_in_its_place(
    runs: Path, size: tuple[int, int], no_colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")

    async def look() -> None:
        app = WbtuiApp(runs)
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: app.snapshot.rows)
            assert len(said(app)) < 1_000, "a message is no place for a novel"
            await looked(app, pilot)
            for keys in ("G", "G", "n", "t", "c", "o", "P", "slash", "question_mark", "A", "Q", "d"):
                await looked(app, pilot, keys)
                if app.screen is not app.screen_stack[0]:
                    await looked(app, pilot, "escape")
            await looked(app, pilot, "home", "enter")
            assert isinstance(app.screen, RunScreen)
            for _ in PAGES:
                await looked(app, pilot, "right_square_bracket")
            await looked(app, pilot, "escape")
            await looked(app, pilot, "down", "space", "down", "space", "down", "space", "L")
            await until(pilot, lambda: isinstance(app.screen, AdjustScreen) and app.screen.trials)
            await looked(app, pilot, "a", "m", seconds=1.0)
            await looked(app, pilot, "escape", "C")
            await until(pilot, lambda: isinstance(app.screen, CompareScreen) and app.screen.board)
            await looked(app, pilot, "right")
            await looked(app, pilot, "right_square_bracket")
            await looked(app, pilot, "right_square_bracket")
            await looked(app, pilot, "a")

    drive(look)

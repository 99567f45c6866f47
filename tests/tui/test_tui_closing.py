"""Does each screen close itself alone, whatever comes twice or while another lies above it?"""

import gc
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, post_at_once, said, settled, until
from textual._styles_cache import StylesCache
from textual.command import CommandList, CommandPalette
from textual.screen import ModalScreen

from wbtui.tui.compare_work import Read, read_members
from wbtui.tui.screens.compare import CompareScreen
from wbtui.tui.screens.dialogs import PageOfText
from wbtui.tui.screens.run import RunScreen
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.screens.start import StartScreen


@pytest.mark.parametrize(
    "keys", [("slash",), ("c",), ("ctrl+p", *"copy"), ("ctrl+p", *"theme", "enter", *"nord")]
)
def test_enter_twice_in_one_go_closes_a_dialog_and_nothing_below_it(
    runs: Path, keys: tuple[str, ...]
) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            app.open_run_page(folder.name)  # a screen below that could be closed by mistake
            await settled(app, pilot)
            await pilot.press(*keys)
            if keys[0] == "ctrl+p":
                await until(pilot, lambda: app.screen.query_one(CommandList).option_count)
            post_at_once(app, ["enter"] * 3)
            await pilot.pause(0.1)
            below = [type(screen) for screen in app.screen_stack if not isinstance(screen, ModalScreen)]
            assert below == [RunsScreen, RunScreen]

    drive(look)


def test_of_screens_that_were_left_nothing_that_was_drawn_is_kept(runs: Path) -> None:
    make_run(runs)
    kept: list[int] = []

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            for _ in range(4):
                await pilot.press("enter")
                await until(pilot, lambda: isinstance(app.screen, RunScreen))
                await settled(app, pilot)
                await pilot.press("escape")
                await until(pilot, lambda: isinstance(app.screen, RunsScreen))
                await pilot.pause()
                gc.collect()
                kept.append(sum(type(one) is StylesCache for one in gc.get_objects()))

    drive(look)
    assert kept[-1] == kept[1]


@pytest.mark.parametrize("page", ["pagedown", "pageup"])
def test_a_page_turned_before_the_palette_has_been_drawn_is_no_harm(runs: Path, page: str) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            post_at_once(app, ["ctrl+p", page, page])
            await until(pilot, lambda: app.screen.query("CommandList"))
            await until(pilot, lambda: app.screen.query_one(CommandList).option_count > 5)
            found = app.screen.query_one(CommandList)
            found.clear_options().add_option("one that is not drawn yet")
            found.highlighted = 0
            post_at_once(app, [page])
            await pilot.pause()
            assert isinstance(app.screen, CommandPalette)

    drive(look)


def test_what_cannot_be_compared_leaves_the_help_above_it_open(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(runs)
    may_read = threading.Event()

    def slow(folders: Sequence[Path], *, derived: bool) -> Read:
        may_read.wait(20)
        return read_members(folders, derived=derived)

    monkeypatch.setattr("wbtui.tui.screens.compare.read_members", slow)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("C", "question_mark")
            screen = next(one for one in app.screen_stack if isinstance(one, CompareScreen))
            may_read.set()
            await until(pilot, lambda: not screen.busy)
            assert isinstance(app.screen, PageOfText)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen))
            await until(pilot, lambda: "two" in said(app))
            await pilot.press("escape")
            assert app.screen_stack == [app.screen]

    drive(look)


def test_a_form_that_has_started_its_run_closes_when_the_palette_above_it_does(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(runs)
    asked, may_begin = threading.Event(), threading.Event()

    def begin(*_: object, **__: object) -> list[Path]:
        asked.set()
        may_begin.wait(20)
        return [folder]

    monkeypatch.setattr("wbtui.tui.screens.start.begin", begin)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("R", "enter")
            await until(pilot, asked.is_set)
            await pilot.press("ctrl+p")
            assert isinstance(app.screen, CommandPalette)
            may_begin.set()
            await until(pilot, lambda: all(worker.is_finished for worker in app.workers))
            await pilot.pause()
            assert isinstance(app.screen, CommandPalette)
            assert isinstance(app.screen_stack[-2], StartScreen)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen))

    drive(look)

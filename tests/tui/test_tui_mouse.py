"""Does a click do what the key beside it does, and does the wheel scroll what it is over?"""

from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, screen_lines, screen_text, until
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from wbtui.tui.app import WbtuiApp
from wbtui.tui.screens.compare import CompareScreen
from wbtui.tui.screens.dialogs import Choose, Confirm, PageOfText, Prompt, ask
from wbtui.tui.screens.queue import QueueScreen
from wbtui.tui.screens.run import RunScreen
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.widgets.comparison_table import ComparisonTable


async def click(app: WbtuiApp, pilot: Pilot[None], words: str) -> None:
    """Click on the last line that says so."""
    y, line = [(y, line) for y, line in enumerate(screen_lines(app)) if words in line][-1]
    assert await pilot.click(offset=(line.index(words), y))
    await pilot.pause()


def test_tabs_of_pages_and_panels_and_the_keys_of_the_last_line_take_clicks(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await click(app, pilot, "open")
            assert isinstance(app.screen, RunScreen)
            await click(app, pilot, "Panels")
            assert app.screen.page == "panels"
            for title, number in (("3 ", 3), ("4 ", 4), ("1 ", 1)):
                await click(app, pilot, title + app.screen.specs[number - 1].title)
                assert app.screen.active_panel == number - 1
            await pilot.press("9")
            await click(app, pilot, " … 5 ")
            assert app.screen.active_panel == 3
            await click(app, pilot, "full")
            assert app.screen.full
            await click(app, pilot, "back")
            assert not app.screen.full

    drive(look)


def test_of_a_mouses_buttons_the_left_one_alone_acts(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            x, y = screen_lines(app)[-1].index("enter open"), 23
            for button, screen in ((2, RunsScreen), (3, RunsScreen), (1, RunScreen)):
                for event in (
                    events.MouseDown,
                    events.MouseUp,
                ):  # as a terminal tells; a pilot's clicks go round that
                    app.post_message(event(None, x, y, 0, 0, button, False, False, False))
                await pilot.pause()
                assert type(app.screen) is screen

    drive(look)


def test_each_key_of_a_panels_hint_is_pressed_by_itself(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("1")
            await click(app, pilot, "+ - 0 smooth")
            once = app.screen.plot_state.smoothing
            await click(app, pilot, "- 0 smooth")
            assert app.screen.plot_state.smoothing < once
            await click(app, pilot, "smooth")
            assert app.screen.plot_state.smoothing == once
            await click(app, pilot, "0 smooth")
            assert app.screen.plot_state.smoothing == 0

    drive(look)


@pytest.mark.usefixtures("_paused_queue")
def test_the_keys_that_dialogs_name_take_clicks(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("Q")
            await until(pilot, lambda: "paused" in screen_text(app))
            await click(app, pilot, "help  esc close")
            assert isinstance(app.screen, PageOfText)
            await click(app, pilot, "esc close")
            assert isinstance(app.screen, QueueScreen)
            await click(app, pilot, "close")
            await pilot.press("O")
            await click(app, pilot, "show or hide")
            await click(app, pilot, "J K move")
            await click(app, pilot, "done")
            assert isinstance(app.screen, RunsScreen)
            assert app.views.hidden_columns == (app.views.columns[1],)

    drive(look)


def test_a_click_beside_a_field_of_the_form_leaves_the_keys_where_they_are(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await pilot.press("R")
            await click(app, pilot, "variant ")
            await click(app, pilot, "next field")
            await pilot.press("ctrl+u", *"ce")
            assert app.screen.query_one("#variant", Input).value == "ce"
            await click(app, pilot, "back")
            assert isinstance(app.screen, RunsScreen)

    drive(look)


@pytest.mark.parametrize(("words", "answer"), [("enter ok", "n"), ("cancel", None)])
def test_a_line_that_is_asked_for_is_given_or_not_by_a_click(
    runs: Path, words: str, answer: str | None
) -> None:
    answers: list[str | None] = []

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await ask(app, Prompt("Note", hint="line\n" * 30), answers.append)
            await pilot.press("n")
            await click(app, pilot, words)
            await until(pilot, lambda: answers == [answer])

    drive(look)


@pytest.mark.parametrize(("words", "answer"), [("choose", "29"), ("29", "29"), ("cancel", None)])
def test_one_of_more_than_the_screen_has_room_for_is_chosen_or_not_by_a_click(
    runs: Path, words: str, answer: str | None
) -> None:
    answers: list[str | None] = []

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await app.push_screen(Choose("Which?", [(str(n), str(n)) for n in range(30)]), answers.append)
            await pilot.press("end")
            await pilot.pause()
            await click(app, pilot, words)
            await until(pilot, lambda: answers == [answer])

    drive(look)


@pytest.mark.parametrize(("words", "answer"), [("yes", True), ("n no", False), ("y to stop", True)])
def test_a_question_is_answered_by_a_click(runs: Path, words: str, answer: bool) -> None:
    make_run(runs)
    answers: list[bool | None] = []

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await app.push_screen(Confirm("Stop?", lambda: "why [b]", yes="stop"), answers.append)
            if words not in screen_text(app):
                await pilot.press("enter")
                await pilot.pause()
            await click(app, pilot, words)
            await until(pilot, lambda: answers == [answer])

    drive(look)


def test_the_wheel_scrolls_the_table_of_a_comparison_and_a_tab_turns_the_page(runs: Path) -> None:
    for number in range(2):
        make_run(runs, number, variant=("ce", "wd")[number])

    async def look() -> None:
        async with opened(runs, (80, 16)) as (app, pilot):
            await pilot.press("space", "down", "C")
            await until(pilot, lambda: isinstance(app.screen, CompareScreen) and app.screen.board is not None)
            table = app.screen.query_one(ComparisonTable)
            await until(pilot, lambda: table.size.height > 2)
            before = table.text
            await pilot._post_mouse_events([events.MouseScrollDown], table, button=0)
            assert table.text != before
            await pilot._post_mouse_events([events.MouseScrollUp], table, button=0)
            assert table.text == before
            await click(app, pilot, "Settings")
            assert app.screen.page == "settings"

    drive(look)

"""Messages and dialogs: what is asked is read first, and no message is lost over it."""

import asyncio
from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, said, screen_lines, screen_text, until
from textual import events
from textual.geometry import Offset
from textual.widgets._toast import Toast

from wbtui.tui.app import WbtuiApp
from wbtui.tui.screens.runs import RunsScreen

_TEXT = "a message of several words\n" * 6


def dialog_text(app: WbtuiApp) -> str:
    """What stands where the dialog is."""
    box = next(child for child in app.screen.children if child.display).region
    return "\n".join(line[box.x : box.right] for line in screen_lines(app)[box.y : box.bottom])


@pytest.mark.parametrize("key", ["I", "slash", "o", "question_mark", "R", "Q", "P", "n", "ctrl+p"])
def test_no_message_covers_a_dialog_and_none_is_lost(runs: Path, key: str) -> None:
    make_run(runs, outcome=None)

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            app.say(_TEXT, "warning")
            await until(pilot, lambda: "several words" in screen_text(app))
            await pilot.press(key)
            await until(pilot, lambda: not isinstance(app.screen, RunsScreen))
            await pilot.pause()
            app.say("said meanwhile")
            app.say("said meanwhile")
            await pilot.pause()
            assert "several words" not in dialog_text(app)
            assert "meanwhile" not in screen_text(app)
            assert not app.screen.query(Toast)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen))
            await until(pilot, lambda: "meanwhile" in screen_text(app))
            assert "several words" in screen_text(app)
            assert said(app).count("meanwhile") == 1

    drive(look)


def test_a_message_waits_for_the_last_of_two_dialogs(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await pilot.press("Q", "s")
            await pilot.pause()
            app.say("said meanwhile")
            await pilot.press("escape")
            await pilot.pause()
            assert not said(app)
            await pilot.press("escape")
            await until(pilot, lambda: "meanwhile" in screen_text(app))

    drive(look)


def test_the_queue_says_in_itself_what_came_of_a_key(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs, (80, 24), readonly=True) as (app, pilot):
            await pilot.press("Q", "p")
            await until(pilot, lambda: "nothing is started" in screen_text(app))
            assert not said(app)

    drive(look)


_MANY = (
    "/data/two/views.json: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1); set "
    "aside as views.json.broken-20261128-090107, the view begins anew",
    "index.json could not be used (not JSON: Expecting value: line 1 column 1 (char 0)): rebuilt from the folders",
    "⚠ 5b0d wd digits_lt seed 0: failed\nresult.json: /data/pictures/folds/train/cat/1.png: 24 x 21 pixels, 0.jpg has "
    "24 x 20; expected images of one size, or the side to resize them to (data.image_size)",
    "⚠ ae1e wd digits_lt seed 0: failed\nresult.json: /data/pictures/folds/train/cat/bad.png: not an image that can be "
    "read (cannot identify image file '/data/pictures/folds/train/cat/bad.png')",
)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40)])
def test_the_newest_of_more_messages_than_fit_is_whole(runs: Path, size: tuple[int, int]) -> None:
    """It ends above the two lines at the bottom, however its words wrap."""

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            for text in _MANY:
                app.say(text, "error")
            await until(pilot, lambda: len(app.screen.query(Toast)) == len(_MANY))
            await pilot.pause()
            assert list(app.screen.query(Toast))[-1].region.bottom == size[1] - 2

    drive(look)


def test_a_message_that_is_clicked_again_and_again_breaks_nothing(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            for moment in range(8):
                app.say("a message")
                await until(pilot, lambda: app.screen.query(Toast))
                place = app.screen.query(Toast).first().region.offset + Offset(2, 1)
                while app.screen.query(Toast):
                    for kind in (events.MouseDown, events.MouseUp):
                        app.post_message(kind(None, *place, 0, 0, 1, False, False, False, *place))
                    await asyncio.sleep(moment / 1000)

    drive(look)


def test_ctrl_c_says_which_key_leaves(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("ctrl+c")
            assert said(app) == "q closes the dashboard; runs go on"

    drive(look)

"""Keys that come in one piece, as over a line that lags: do those behind one that asks for text reach its line?"""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import finished_runs
import pytest
from dashboard_helpers import SIZES, drive, make_run, opened, post_at_once, some_runs, until
from textual.app import ComposeResult
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import WorkerFailed

from wbtui.store.notes import read_notes
from wbtui.tui.app import WbtuiApp
from wbtui.tui.screens.dialogs import PageOfText
from wbtui.tui.screens.run import RunScreen
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.screens.start import StartScreen
from wbtui.tui.widgets.text_pane import TextPane


def _filtered(app: WbtuiApp, folder: Path) -> bool:
    return isinstance(app.screen, RunsScreen) and app.screen.filter.text == "variant:ce"


def _noted(app: WbtuiApp, folder: Path) -> bool:
    return read_notes(folder).note == "word by word"


def _tagged(app: WbtuiApp, folder: Path) -> bool:
    return read_notes(folder).tags == ("odd", "pick")


@pytest.mark.parametrize(
    ("keys", "done"),
    [
        (("slash", *"variant:ce", "enter"), _filtered),
        (("n", *"word by word", "enter"), _noted),
        (("t", *"odd pick", "enter"), _tagged),
    ],
)
def test_of_the_runs(runs: Path, keys: tuple[str, ...], done: Callable[[WbtuiApp, Path], bool]) -> None:
    folder = make_run(runs, variant="ce")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            post_at_once(app, keys)
            await until(pilot, lambda: done(app, folder))
            await until(pilot, lambda: isinstance(app.screen, RunsScreen))

    drive(look)


def test_of_one_run(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(runs, variant="ce")
    searched: list[str] = []
    monkeypatch.setattr(TextPane, "search", lambda self, wanted: searched.append(wanted) or 1)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, RunScreen))
            post_at_once(app, ("slash", *"state", "enter"))
            await until(pilot, lambda: searched)
            assert searched == ["state"]
            assert isinstance(app.screen, RunScreen)

    drive(look)


@pytest.mark.parametrize("key", ["R", "A"])
def test_of_the_start_form(runs: Path, key: str) -> None:
    make_run(runs, variant="ce")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            post_at_once(app, (key, "end", *"dbC", "tab", "end", *"pQ"))
            await until(pilot, lambda: isinstance(app.screen, StartScreen) and app.screen.query("#variant"))
            fields = [app.screen.query_one(f"#{name}", Input) for name in ("preset", "variant")]
            await until(pilot, lambda: fields[1].value.endswith("pQ"))
            assert fields[0].value.endswith("dbC")
            assert isinstance(app.screen, StartScreen)

    drive(look)


def test_of_the_start_form_while_it_is_made(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = StartScreen.compose

    def compose(form: StartScreen) -> ComposeResult:
        post_at_once(form.app, ["tab"])
        return real(form)

    monkeypatch.setattr(StartScreen, "compose", compose)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("R", "x")
            values = [app.screen.query_one(f"#{name}", Input).value for name in ("preset", "variant")]
            assert values == ["digits_lt", "x"]

    drive(look)


def test_keys_before_act_before_and_keys_behind_a_closed_screen_go_to_the_one_below(runs: Path) -> None:
    first, second = some_runs(runs, 2)[::-1]  # as the table has them

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            post_at_once(app, ("down", "n", *"lower", "enter", "Q", "escape", "up", "n", *"upper", "enter"))
            await until(
                pilot, lambda: [read_notes(one).note for one in (first, second)] == ["upper", "lower"]
            )

    drive(look)


@pytest.mark.parametrize("keys", ["qQQ", "qjkjkdjkjkQ", "qQqQ", "qRxyz", "qLCQ"])
def test_what_opens_while_the_dashboard_is_left_breaks_nothing(runs: Path, keys: str) -> None:
    some_runs(runs, 3)

    async def look() -> None:
        async with opened(runs) as (app, _):
            post_at_once(app, keys)
            async with asyncio.timeout(20):
                while app.is_running:
                    await asyncio.sleep(0.02)
        assert app.return_code in (None, 0)

    drive(look)


class _Looking(Screen[None]):
    def look(self) -> None:
        self.query_one("#nothing")


def test_what_a_screen_misses_breaks_the_dashboard_only_while_it_is_open(runs: Path) -> None:
    async def look(*, left: bool) -> None:
        async with opened(runs) as (app, pilot):
            screen = _Looking()
            await app.push_screen(screen)
            if left:
                await app.pop_screen()
            app.run_worker(screen.look, thread=True)
            app.call_later(screen.look)
            await asyncio.sleep(0.3)
            if left:
                await pilot.press("question_mark")
                assert isinstance(app.screen, PageOfText), "it goes on taking keys"

    drive(lambda: look(left=True))
    with pytest.raises((NoMatches, WorkerFailed)):
        drive(lambda: look(left=False))


def test_an_open_screen_that_asks_a_left_one_breaks_the_dashboard(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs) as (app, _):
            screen = _Looking()
            await app.push_screen(screen)
            await app.pop_screen()
            app.screen.call_later(screen.look)  # which would take no more messages, and nobody would know
            await asyncio.sleep(0.3)

    with pytest.raises(NoMatches):
        drive(look)


KEYS = [
    *"hjklQRAIbnptudDcCwLGoOPsSvVyxzZi+-0123456789[]/?*gaXmMTfre= ",
    *("enter", "escape") * 6,
    *(
        "tab",
        "shift+tab",
        "up",
        "down",
        "left",
        "right",
        "pageup",
        "pagedown",
        "home",
        "end",
        "space",
        "ctrl+p",
        "f1",
    ),
]


@pytest.mark.parametrize("seed", range(4))
def test_keys_in_bursts_break_nothing(runs: Path, seed: int) -> None:
    drawn = random.Random(seed)
    for variant, number in (("ce", 0), ("wd", 0), ("wd", 1)):
        finished_runs.make_run(runs, variant, number)
    make_run(runs, 1, outcome="failed")

    async def look() -> None:
        async with opened(runs, drawn.choice(SIZES), readonly=True) as (app, pilot):
            for _ in range(20):
                post_at_once(app, drawn.choices(KEYS, k=drawn.choice((2, 5, 15))))
                await pilot.pause(drawn.choice((0.0, 0.02, 0.1)))
            await until(pilot, lambda: app.is_running)
        assert app.return_code in (None, 0)

    drive(look)

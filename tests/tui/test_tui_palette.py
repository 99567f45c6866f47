"""The palette: names first, then descriptions; letters strewn over a sentence find nothing."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, post_at_once, screen_text, until
from rich.style import Style
from textual import events
from textual.command import CommandPalette, Hit
from textual.widgets import OptionList

from wbtui.tui.palette import ActionsProvider
from wbtui.tui.screens.runs import RunsScreen


@pytest.mark.parametrize(
    ("query", "first", "also"),
    [
        ("sigterm", "Terminate", ()),
        ("panels", "Panels", ("Cursor (", "Choose panels")),  # "A cursor that all panels share"
        ("DEBIASED ema", "Smoother", ()),
        ("zzqq", "", ()),
    ],
)
def test_descriptions_are_found_after_names(
    runs: Path, query: str, first: str, also: tuple[str, ...]
) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, _):
            provider = ActionsProvider(app.screen)
            hits = [hit async for hit in provider.search(query) if isinstance(hit, Hit)]
            names = [str(hit.match_display) for hit in sorted(hits, key=lambda hit: -hit.score)]
            assert names[:1] == [name for name in names if first and name.startswith(first)][:1]
            for word in also:
                assert any(name.startswith(word) for name in names)

    drive(look)


def test_what_was_found_by_its_description_is_done(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("ctrl+p")
            await pilot.press(*"measured", "space", *"against")
            await until(pilot, lambda: "Baseline" in screen_text(app))
            await pilot.press("enter")
            await until(pilot, lambda: not isinstance(app.screen, CommandPalette))
            await until(pilot, lambda: app.views.baseline)

    drive(look)


@pytest.mark.parametrize("keys", [("enter",), ("enter",) * 2, ("enter",) * 3])
def test_a_command_is_done_once_however_many_enter_come_at_once(
    runs: Path, monkeypatch: pytest.MonkeyPatch, keys: Sequence[str]
) -> None:
    make_run(runs)
    done: list[str] = []
    monkeypatch.setattr(RunsScreen, "action_star", lambda _: done.append("starred"))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("ctrl+p", *"star", "space", *"this")
            await until(pilot, lambda: "Star this run" in screen_text(app))
            post_at_once(app, keys)
            await until(pilot, lambda: done and not isinstance(app.screen, CommandPalette))
            await pilot.pause(0.2)
            assert done == ["starred"]

    drive(look)


@pytest.mark.parametrize("key", ["ctrl+p", "Q"])
def test_a_click_on_a_line_that_has_gone_does_nothing(runs: Path, key: str) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press(key)
            await until(pilot, lambda: app.screen.query(OptionList))
            await until(pilot, lambda: app.screen.query(OptionList).first().option_count)
            lines, gone = app.screen.query(OptionList).first(), Style(meta={"option": 99})
            lines.post_message(events.Click(lines, 1, 0, 0, 0, 1, False, False, False, 1, 0, gone))
            await pilot.pause()
            assert app.screen.query(OptionList), "nothing was chosen, and nothing broke"

    drive(look)

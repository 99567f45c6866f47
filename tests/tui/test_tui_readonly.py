"""With --readonly, which may show runs to strangers in a browser: is no file written, from no screen?"""

from pathlib import Path

import pytest
from bench_helpers import adjusting, comparing
from dashboard_helpers import drive, opened, said, screen_text, until
from finished_runs import make_run

from wbtui.tui.screens.run import RunScreen


@pytest.mark.parametrize("screen", ["runs", "run", "adjust", "compare"])
def test_exports_are_refused(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: str
) -> None:
    for variant in ("ce", "wd"):
        make_run(runs, variant)
    beside = tmp_path / "where it was opened"
    beside.mkdir()
    monkeypatch.chdir(beside)

    async def look() -> None:
        async with opened(runs, readonly=True) as (app, pilot):
            if screen == "run":
                await pilot.press("enter")
                await until(pilot, lambda: isinstance(app.screen, RunScreen))
            elif screen == "adjust":
                await adjusting(app, pilot)
            elif screen == "compare":
                await comparing(app, pilot, 2)
            here = app.screen
            await pilot.press("w")
            await until(pilot, lambda: "--readonly" in said(app))
            assert app.screen is here
            await pilot.press("enter", "enter", "question_mark")
            await until(pilot, lambda: "Not with --readonly." in screen_text(app))
        assert not list(beside.iterdir())

    drive(look)


def test_no_key_that_is_refused_is_named_as_the_way_out(runs: Path) -> None:
    make_run(runs, "ce")

    async def look() -> None:
        async with opened(runs, readonly=True) as (app, pilot):
            await pilot.press("c", "enter")
            await until(pilot, lambda: "sent to the terminal's clipboard" in said(app))
            assert "writes a file" not in said(app)

    drive(look)

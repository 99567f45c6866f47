"""Damaged runs, and a folder that cannot be listed: is each damage named once, and by what is wrong?"""

from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, screen_lines, screen_text, until

from wbtui.errors import UsageError
from wbtui.tui.widgets.run_table import RunTable
from wbtui.tui.widgets.text_pane import TextPane


def test_each_damage_is_named_once(runs: Path) -> None:
    folder = make_run(runs)
    (folder / "provenance.json").write_text("not JSON")
    config = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(config.replace("weight_decay = 0.005", "weight_decay = 'often'"))

    async def look() -> None:
        async with opened(runs, (200, 40)) as (app, pilot):
            await pilot.press("enter")
            pane = app.screen.query_one(TextPane)
            await until(pilot, lambda: "stages.0.weight_decay = 'often': expected a number" in pane.text)
            assert "at least 1 item" not in pane.text
            assert pane.text.count("provenance.json: not JSON") == 1

    drive(look)


def test_a_folder_of_runs_that_cannot_be_listed_is_not_called_empty_and_the_cursor_comes_back(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [make_run(runs, number) for number in range(3)]

    def refuse(folder: Path) -> dict[str, bool]:
        raise UsageError(f"{folder}: cannot be listed: Permission denied")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("end")
            with monkeypatch.context() as patch:
                patch.setattr("wbtui.store.index._scan", refuse)
                patch.setattr("wbtui.store.index._SCAN_EVERY", 0)
                await until(pilot, lambda: "Permission denied" in screen_text(app))
                assert "cannot be listed" in screen_lines(app)[0]
                assert "no runs" not in screen_text(app).lower()
            await until(pilot, lambda: "3 finished" in screen_text(app))
            row = app.screen.query_one(RunTable).current
            assert row is not None
            assert row.key == folders[0].name

    drive(look)

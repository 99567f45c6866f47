"""The page of a damaged run: is each damage named once, and by what is wrong?"""

from pathlib import Path

from dashboard_helpers import drive, make_run, opened, until

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

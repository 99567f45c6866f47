"""In which configuration keys do runs differ, as the key `d` tells?"""

from pathlib import Path

from dashboard_helpers import drive, make_run, opened, said, screen_text, until
from rich.cells import cell_len

from wbtui.tui.screens.dialogs import PageOfText
from wbtui.tui.screens.difference import difference_text
from wbtui.tui.screens.runs import RunsScreen


def test_difference_shows_only_the_keys_that_differ(runs: Path) -> None:
    make_run(runs, 0, decay=0.001)
    make_run(runs, 1, decay=0.1)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("d")
            await pilot.pause()
            assert "needs two runs" in said(app)
            await pilot.press("p", "down", "d")
            await until(pilot, lambda: not isinstance(app.screen, RunsScreen))
            text = screen_text(app)
            assert "stages.0.weight_decay" in text
            assert "0.001" in text
            assert "images_per_class" not in text
            assert "Differences of configuration   esc close" in text

    drive(look)


def test_a_difference_holds_all_that_are_selected_also_more_than_are_drawn(runs: Path) -> None:
    for number in range(10):
        make_run(runs, number, decay=0.001 * (number + 1))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press(*["space", "down"] * 9, "space", "d")
            await until(pilot, lambda: isinstance(app.screen, PageOfText))
            shown = {app.short(one) for one in app.snapshot.by_id}
            assert shown <= set(screen_text(app).split())

    drive(look)


def test_differences_that_do_not_fit_beside_each_other_stand_below() -> None:
    configs = {f"run{k}": {"data.root": f"{k}" * 25, "seed": "0"} for k in range(5)}
    wide, narrow = (difference_text(configs, width).plain for width in (200, 70))
    assert "run4" in wide.splitlines()[0]
    assert max(map(len, narrow.splitlines())) <= 70
    assert [line.split() for line in narrow.splitlines() if "run" in line] == [
        ["run0", "run1"],
        ["run2", "run3"],
        ["run4"],
    ]
    assert narrow.count("data.root") == 3
    assert narrow.endswith("1 key is the same.")


def test_differences_in_wide_signs_are_shown_whole() -> None:
    lines = difference_text({"a": {"name": "認識器"}, "b": {"name": "wd"}}, 80).plain.splitlines()
    assert "認識器" in lines[1]
    assert cell_len(lines[1][: lines[1].index("wd")]) == cell_len(lines[0][: lines[0].index("b")])

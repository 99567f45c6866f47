"""Do rows stay readable where a run is odd: named by strangers, unreadable, or gone?"""

import json
from pathlib import Path

import pytest
from dashboard_helpers import (
    SIZES,
    drive,
    make_run,
    measure,
    opened,
    said,
    screen_lines,
    screen_text,
    settled,
    until,
)
from rich.cells import cell_len

from wbtui.store.writer import RunWriter
from wbtui.tui.screens.run import PAGES


def test_text_of_strangers_is_shown_as_it_stands(runs: Path) -> None:
    from wbtui.store.notes import edit_tags

    folder = make_run(runs, name="[bold red]x[/] \\x1b", variant="a[b]")
    edit_tags(folder, add=["[link=evil]"])
    text = (folder / "config.toml").read_text().replace("'[bold", '"\\u001B[31m[bold').replace("x1b'", 'x1b"')
    (folder / "config.toml").write_text(text)

    async def look() -> None:
        async with opened(runs, (200, 60)) as (app, pilot):
            assert "<U+001B>[31m[bold" in screen_text(app)
            assert "\x1b" not in screen_text(app)
            await pilot.press("I", "p", "space", "enter")
            await settled(app, pilot)
            assert "\x1b" not in screen_text(app)
            await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
            await pilot.press("escape", "n")
            assert "[bold" in screen_text(app)

    drive(look)


def test_wide_characters_and_long_names_keep_the_columns(runs: Path) -> None:
    make_run(runs, 0, name="漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字")
    make_run(runs, 1, name="x" * 180)

    async def look() -> None:
        for size in SIZES:
            async with opened(runs, size) as (app, _):
                assert {cell_len(line) for line in screen_lines(app)} == {size[0]}
                rows = [line for line in screen_lines(app) if "finished" in line and "5/5" in line]
                assert len({line.index("5/5") + cell_len(line) - len(line) for line in rows}) >= 1
                assert len({cell_len(line[: line.index("5/5")]) for line in rows}) == 1

    drive(look)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_runs_of_a_grid_are_told_apart_by_what_was_typed(runs: Path, size: tuple[int, int]) -> None:
    for number, decay in enumerate((0.001, 0.002)):
        folder = make_run(runs, number, decay=decay)
        typed = {"origins": {"stages.0.weight_decay": f"--set stages.0.weight_decay={decay}"}}
        (folder / "provenance.json").write_text(json.dumps({"version": 1} | typed))

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            for key in ("G", "G"):  # seeds folded, and again not
                assert "wd wd=0.001" in screen_text(app)
                assert "wd wd=0.002" in screen_text(app)
                await pilot.press(key)
                await settled(app, pilot)

    drive(look)


def test_metrics_that_are_nan_or_infinite_leave_gaps(runs: Path) -> None:
    folder = make_run(runs, epochs=2, total=9, outcome=None)
    with RunWriter.open(folder) as writer:
        measure(writer, 3, total=9, nan=True)
        measure(writer, 4, total=9)
        writer.event("alert", kind="non_finite_loss", epoch=3, message="the loss is not finite")

    async def look() -> None:
        async with opened(runs) as (app, _):
            await until(_, lambda: "the loss is not finite" in screen_text(app))
            assert "Tail -" in screen_text(app)

    drive(look)


def test_a_folder_that_cannot_be_read_is_a_row_that_says_why(runs: Path) -> None:
    make_run(runs)
    broken = runs / "20261102-000000-x-y-s0-ffffffff"
    broken.mkdir()
    (broken / "config.toml").write_text("= 1")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("home", "enter", "escape", "i", "d", "G")
            assert "unknown" in screen_text(app)

    drive(look)


def test_a_run_that_is_not_there_any_more_does_not_end_its_page(runs: Path) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter")
            folder.rename(runs / f".{folder.name}")
            await until(pilot, lambda: "not there any more" in screen_text(app))
            for _ in PAGES[1:]:
                await pilot.press("right_square_bracket", "plus")
                await pilot.pause()
                assert screen_text(app).count("this run is not there any more") == 2
                assert folder.name not in screen_text(app)
            for key in ("I", "c", "w", "r", "A", "L", "C"):
                app.clear_notifications()
                await pilot.press(key)
                assert said(app) == "this run is not there any more", key
            await pilot.press("escape")
            assert "No runs here yet" in screen_text(app)

    drive(look)

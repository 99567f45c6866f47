"""Two dashboards on one runs folder: does one of them take back what was written in the other?"""

from pathlib import Path

from dashboard_helpers import drive, make_run, opened, screen_text, some_runs, until

from wbtui.store.notes import set_note
from wbtui.store.reader import open_run
from wbtui.tui.views import load_views


def test_a_note_that_somebody_else_wrote_meanwhile_is_shown_before_it_is_replaced(runs: Path) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("n", *"mine")
            theirs = "[b]theirs[/b]" + " and more" * 900
            set_note(folder, theirs)
            await until(pilot, lambda: app.snapshot.rows[0].note)
            await pilot.press("enter")
            await until(pilot, lambda: "[b]theirs[/b]" in screen_text(app))
            assert "enter replaces, esc leaves what somebody else wrote" in screen_text(app)
            assert open_run(folder).notes.note == theirs
            await pilot.press("end", *" and theirs", "enter")
            await until(pilot, lambda: open_run(folder).notes.note == "mine and theirs")

    drive(look)


def test_two_dashboards_on_one_folder_keep_what_was_changed_in_each(runs: Path) -> None:
    some_runs(runs, 3)

    async def look() -> None:
        async with opened(runs) as (first, pilot):
            async with opened(runs) as (second, other):
                await pilot.press("p")
                await until(pilot, lambda: load_views(runs / "views.json")[0].pinned)
                await other.press("G", "b")
                await until(other, lambda: load_views(runs / "views.json")[0].group)
            await pilot.press("plus")
        kept, _ = load_views(runs / "views.json")
        assert (kept.pinned, kept.smoothing) == (first.views.pinned, first.views.smoothing)
        assert (kept.group, kept.baseline) == (True, second.views.baseline)
        assert len(kept.pinned) == 1
        assert kept.smoothing > 0
        assert kept.baseline

    drive(look)

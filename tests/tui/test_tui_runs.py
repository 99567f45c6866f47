import json
from pathlib import Path

import pytest
from dashboard_helpers import (
    drive,
    make_run,
    measure,
    opened,
    said,
    screen_lines,
    screen_text,
    settled,
    some_runs,
    until,
)
from textual import events
from textual.widgets import Input

from wbtui.store.notes import set_note, set_star
from wbtui.store.reader import open_run
from wbtui.store.writer import RunWriter
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.widgets.run_table import RunTable


def test_no_color_gets_a_dark_theme(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs) as (app, _):
            assert app.no_color
            assert app.current_theme.dark
            assert not app.theme.startswith("ansi")

    drive(look)


def test_the_cursor_stays_on_its_run_when_runs_come_and_go(runs: Path) -> None:
    made = some_runs(runs, 6)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            table = app.screen.query_one(RunTable)
            await pilot.press("down", "j", "down")
            chosen = table.current
            assert chosen is not None
            make_run(runs, 40, variant="new")
            await until(pilot, lambda: len(table.lines) == 7)
            assert table.current is not None
            assert table.current.key == chosen.key
            assert app.short(chosen.key) in screen_text(app)
            gone = next(folder for folder in made if folder.name != chosen.key)
            gone.rename(runs / f".{gone.name}")
            await until(pilot, lambda: len(table.lines) == 6)
            assert table.current.key == chosen.key

    drive(look)


def test_who_turns_the_wheel_over_the_table_is_left_there_when_a_run_changes(runs: Path) -> None:
    made = some_runs(runs, 12)

    async def look() -> None:
        async with opened(runs, (120, 24)) as (app, pilot):
            table = app.screen.query_one(RunTable)
            await pilot.press("end")
            assert table.scroll_offset.y > 1
            table.scroll_to(y=1, animate=False, immediate=True)
            set_star(made[-1], True)  # the newest stands at the top
            set_star(made[-2], True)
            await until(pilot, lambda: any(row.star for row in app.snapshot.rows))
            await until(pilot, lambda: "★" in table.text)
            assert table.scroll_offset.y == 1
            await pilot.press("up")
            assert table.current is not None
            assert app.short(table.current.key) in table.text

    drive(look)


def test_an_epoch_that_is_written_reaches_table_and_panel(runs: Path) -> None:
    folder = make_run(runs, epochs=3, total=9, outcome=None)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            with RunWriter.open(folder) as writer:
                measure(writer, 4, total=9)
            await until(pilot, lambda: "4/9" in screen_text(app))
            await until(pilot, lambda: len(app.snapshot.details[folder.name].curve("test.fdr").epochs) == 4)
            assert "epoch 4" in screen_text(app)

    drive(look)


def test_filter_narrows_the_table_and_one_that_matches_nothing_keeps_the_view(runs: Path) -> None:
    some_runs(runs, 6)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            table = app.screen.query_one(RunTable)
            await pilot.press("slash", *"variant:ce", "enter")
            assert {line.row.variant for line in table.lines} == {"ce"}
            assert "2 of 6" in screen_text(app)
            await pilot.press("slash", "end", *" seed:77", "enter")
            await pilot.pause()
            assert len(table.lines) == 2
            assert "no run is" in said(app)
            await pilot.press("escape")
            assert len(table.lines) == 6

    drive(look)


def marked(table: RunTable) -> int:
    """Lines of the table that are shown as selected; the panels have dots of their own."""
    lines = [strip.text for strip in map(table.render_line, range(table.size.height))]
    return sum("●" in line for line in lines)


def test_escape_keeps_selections_and_their_own_key_drops_them(runs: Path) -> None:
    some_runs(runs, 4)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("space", "down", "space")
            await pilot.press("escape", "escape")
            table = app.screen.query_one(RunTable)
            assert marked(table) == 2
            await pilot.press("u")
            assert marked(table) == 0
            await pilot.press("u")
            assert "no run is selected" in said(app)

    drive(look)


def test_a_wrong_filter_is_refused_where_it_is_typed(runs: Path) -> None:
    some_runs(runs, 1)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("slash", *"varant:ce", "enter")
            assert "did you mean 'variant'" in " ".join(screen_text(app).split())
            await pilot.press("escape")
            assert isinstance(app.screen, RunsScreen)

    drive(look)


@pytest.mark.parametrize(
    ("key", "orders"),
    [("all", ([0.9, 0.6, 0.3], [0.3, 0.6, 0.9])), ("time", ([0.6, 0.9, 0.3], [0.3, 0.9, 0.6]))],
    ids=["a figure", "newest first"],
)
def test_sort_orders_by_what_is_chosen_and_again_the_other_way_round(
    runs: Path, key: str, orders: tuple[list[float], ...]
) -> None:
    for number, accuracy in enumerate((0.3, 0.9, 0.6)):
        make_run(runs, number, accuracy=accuracy)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            table = app.screen.query_one(RunTable)

            def order() -> list[float]:
                return [round(line.row.accuracy_all or 0, 1) for line in table.lines]

            for wanted in orders:
                await pilot.press("o")
                keys = [key for key, _ in app.screen._options]  # type: ignore[attr-defined]
                app.screen.query_one("OptionList").highlighted = keys.index(key)  # type: ignore[attr-defined]
                await pilot.press("enter")
                assert order() == wanted
            if key != "time":
                for wanted in orders:
                    await pilot.click(table, offset=(table.text.index("All%"), 0))
                    assert order() == wanted
                await pilot.click(table, offset=(table.text.index("trend"), 0))
                assert order() == wanted, "no order by that"

    drive(look)


def test_seeds_fold_into_mean_and_deviation_with_their_number(runs: Path) -> None:
    for seed, accuracy in enumerate((0.4, 0.5, 0.6)):
        make_run(runs, seed, seed=seed, accuracy=accuracy)
    make_run(runs, 9, variant="ce")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("G")
            await settled(app, pilot)
            text = screen_text(app)
            assert "n=3" in text
            assert "50.0±10.0" in text
            assert len(app.screen.query_one(RunTable).lines) == 2
            await pilot.press("down")
            await settled(app, pilot)
            assert "wd n=3 All 50.0" in screen_text(app)
            await pilot.press("G")
            assert len(app.screen.query_one(RunTable).lines) == 4

    drive(look)


def test_the_view_outlives_the_dashboard(runs: Path) -> None:
    some_runs(runs, 3)

    async def first() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("down", "p", "b", "plus", "y", "x")
            app.screen.query_one(RunTable)

    async def second() -> None:
        async with opened(runs) as (app, _):
            assert len(app.views.pinned) == 1
            assert app.views.baseline == app.views.pinned[0]
            assert app.screen.plot_state.smoothing == 0.3  # type: ignore[attr-defined]
            assert app.screen.plot_state.x_axis == "time"  # type: ignore[attr-defined]
            assert "◉◆" in screen_text(app)

    drive(first)
    stored = json.loads((runs / "views.json").read_text())
    assert stored["log_y"] == ["accuracy"]
    drive(second)


def test_broken_views_are_set_aside_and_said(runs: Path) -> None:
    some_runs(runs, 1)
    (runs / "views.json").write_text("{")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.pause()
            assert "set aside" in said(app)
            assert list(runs.glob("views.json.broken-*"))

    drive(look)


def test_notes_tags_and_star_are_written_beside_the_run(runs: Path) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("n", *"looks odd", "enter")
            await until(pilot, lambda: open_run(folder).notes.note == "looks odd")
            set_note(folder, "two\nlines")
            await until(pilot, lambda: app.snapshot.rows[0].note == "two\nlines")
            await pilot.press("n", "enter")
            await pilot.press("t", *"base second", "enter")
            await until(pilot, lambda: open_run(folder).notes.tags == ("base", "second"))
            await pilot.press("t", *"-base", "enter")
            await until(pilot, lambda: open_run(folder).notes.tags == ("second",))
            await pilot.press("asterisk")
            await until(pilot, lambda: open_run(folder).notes.star)
            await until(pilot, lambda: "★" in screen_text(app))
            assert open_run(folder).notes.note == "two\nlines"  # looked at, not changed
            await pilot.press("t")
            app.screen.query_one(Input).value = f"base {'x' * 61}"
            await pilot.press("enter")
            await until(pilot, lambda: "without white space or commas" in screen_text(app))
            assert app.screen.query(Input), "what was typed is not lost"
            await pilot.press("escape", "n", "ctrl+u")
            app.screen.query_one(Input).post_message(events.Paste("pasted\r\nfrom\telse\x9b\u202ewhere\n"))
            await pilot.press("enter")
            await until(pilot, lambda: open_run(folder).notes.note == "pasted from elsewhere")
            assert open_run(folder).notes.tags == ("second",)

    drive(look)


def test_readonly_starts_stops_and_writes_nothing(runs: Path) -> None:
    make_run(runs)
    (runs / "index.json").unlink(missing_ok=True)

    async def look() -> None:
        async with opened(runs, readonly=True) as (app, pilot):
            for key in ("R", "I", "T", "K", "r", "A", "n", "t", "asterisk", "p"):
                await pilot.press(key)
                assert isinstance(app.screen, RunsScreen), key
            assert not list(runs.glob("*/notes.json"))

    drive(look)
    assert not (runs / "views.json").exists()


def test_columns_are_chosen_and_ordered_and_stay_so(runs: Path) -> None:
    make_run(runs, 0)

    async def choose() -> None:
        async with opened(runs) as (app, pilot):
            assert app.screen.query_one(RunTable).text.split()[:3] == ["state", "run", "variant"]
            await pilot.press("O", "home", "J", "down", "down", "space", "escape")  # state down, variant away
            await pilot.pause()
            assert app.screen.query_one(RunTable).text.split()[:2] == ["run", "state"]

    async def open_again() -> None:
        async with opened(runs) as (app, _):
            header = app.screen.query_one(RunTable).text.splitlines()[0].split()
            assert header[:2] == ["run", "state"]
            assert "variant" not in header
            assert "preset" in header, "there is room for it now"

    drive(choose)
    drive(open_again)


def test_the_foot_names_the_most_needed_keys_and_those_alone_that_do_something(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            foot = screen_lines(app)[-1]
            assert foot.rstrip() == " ? help  q quit  R start  ^p palette  Q queue"
            make_run(runs)
            await until(pilot, lambda: "finished" in screen_text(app))
            await pilot.pause()
            foot = screen_lines(app)[-1]
            assert foot.startswith(" ? help  q quit  R start  enter open  ^p palette  / filter ")
        async with opened(runs, (120, 40), readonly=True) as (app, _):
            foot = screen_lines(app)[-1]
            assert "q quit (runs go on)" in foot
            assert "R start" not in foot

    drive(look)


def test_copy_and_write(runs: Path, tmp_path: Path) -> None:
    folder = make_run(runs)
    target = tmp_path / "table.csv"

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("c", "enter")
            assert app.clipboard.startswith("|")
            assert "| finished |" in app.clipboard
            await pilot.press("c", "down", "down", "down", "enter")
            assert app.clipboard == f"wbtui run --config {folder}/config.toml --runs {runs}"
            await pilot.press("w", "enter")
            app.screen.query_one("Input").value = str(target)  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, target.exists)

    drive(look)
    assert "finished" in target.read_text()


def test_help_and_palette_name_every_action_of_the_screen(runs: Path) -> None:
    from wbtui.tui.actions import actions_of
    from wbtui.tui.preferences import _KINDS

    make_run(runs)

    async def look() -> None:
        async with opened(runs, (200, 60)) as (app, pilot):
            titles = [command.title for command in app.get_system_commands(app.screen)]
            assert len(titles) == len(set(titles))
            assert len(titles) >= len(actions_of("runs"))
            await pilot.press("question_mark")
            page = str(app.screen._text)  # type: ignore[attr-defined]
            for action in (*actions_of("runs"), *actions_of("app")):
                assert action.id in page
                assert action.help in page
            assert all(f"{name} = " in page for name in _KINDS)
            assert "Keys   esc close" in screen_text(app)
            for size in [(200, 60), (120, 40), (80, 24)]:
                await pilot.resize_terminal(*size)
                await pilot.press("end")
                await pilot.pause(0.3)
                assert "ascii = true." in screen_text(app)
            await pilot.press("escape")
            assert isinstance(app.screen, RunsScreen)

    drive(look)


def test_keys_of_the_user_count(runs: Path) -> None:
    from wbtui.tui.keymap import keymap_file

    make_run(runs)
    keymap_file().parent.mkdir(parents=True)
    keymap_file().write_text('[keys]\n"runs.filter" = "ctrl+f"\n"runs.pin" = "b"\n"runs.nothing" = "x"\n')

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.pause()
            assert "runs.baseline has that key" in said(app)
            assert "no action is called 'runs.nothing'" in said(app)
            await pilot.press("slash")
            assert isinstance(app.screen, RunsScreen)
            await pilot.press("ctrl+f")
            assert not isinstance(app.screen, RunsScreen)
            await pilot.press("escape", "p")
            assert app.views.pinned

    drive(look)

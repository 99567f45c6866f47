"""Panels: what they draw of seeds, samples and metrics of all kinds, zoomed, hidden and ordered."""

import json
from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, screen_text, settled, some_runs, until
from finished_runs import make_run as make_finished_run

from wbtui.store.writer import RunWriter
from wbtui.tui.app import WbtuiApp
from wbtui.tui.arranging import reordered
from wbtui.tui.marks import style_of
from wbtui.tui.pages import system_detail, system_panels
from wbtui.tui.plots import PlotState, Shown, draw
from wbtui.tui.screens.run import RunScreen
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.snapshots import RunFiles
from wbtui.tui.widgets.key_bar import KeyBar
from wbtui.tui.widgets.one_line import OneLine
from wbtui.tui.widgets.panel import Panel
from wbtui.tui.widgets.panel_grid import PanelGrid
from wbtui.tui.widgets.run_table import RunTable


def in_sight(app: WbtuiApp) -> tuple[str, ...]:
    return app.screen.query_one(PanelGrid).in_sight


@pytest.mark.parametrize("ascii_only", [False, True])
def test_folded_seeds_are_a_mean_with_a_band_and_their_number(runs: Path, ascii_only: bool) -> None:
    for seed, accuracy in enumerate((0.3, 0.5, 0.7)):
        make_run(runs, seed, seed=seed, accuracy=accuracy, epochs=20, total=20)
    make_run(runs, 5, variant="ce", epochs=20, total=20)

    async def look() -> None:
        async with opened(runs, ascii_only=ascii_only) as (app, pilot):
            await pilot.press("G", "p", "down")
            await settled(app, pilot)
            panel = app.screen.query_one(Panel)
            assert "+- std" in panel.text if ascii_only else "± std" in panel.text
            assert "wd n=3" in panel.text
            assert "n=3" in screen_text(app)
            await pilot.press("1", "enter")
            await settled(app, pilot)
            text = app.screen.query_one(Panel).text
            assert ("-" if ascii_only else "·") in text.splitlines()[8]

    drive(look)


def test_a_panel_without_such_an_axis_says_so_and_leaves_the_others(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = app.screen
            assert isinstance(screen, RunsScreen)
            screen.active_panel = [spec.key for spec in screen.specs].index("confusion@matrix")
            await pilot.press("f")
            await pilot.pause()
            assert "x axis" not in app.screen.query_one(KeyBar).text
            await pilot.press("x")
            await pilot.pause()
            assert "no x axis to choose" in screen.query_one("#status", OneLine).text
            assert screen.plot_state.x_axis == "epoch"
            await pilot.press("escape", "1", "x")
            assert screen.plot_state.x_axis == "time"

    drive(look)


def test_pages_without_epochs_leave_the_axis_of_the_others(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter")
            screen = app.screen
            assert isinstance(screen, RunScreen)
            for page in ("heatmaps", "system"):
                screen.go_to(page)
                await pilot.press("x")
                assert "alone" in screen.query_one("#status", OneLine).text
            assert screen.plot_state.x_axis == "epoch"

    drive(look)


def test_samples_are_zoomed_along_their_minutes_and_the_panels_stay_as_they_are(runs: Path) -> None:
    folder = make_run(runs)
    samples = [{"t": 60.0 * minute, "cpu_percent": 50.0, "memory_bytes": 2.0**30} for minute in range(41)]
    (folder / "system.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in samples))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter", "right_square_bracket", "z", "i")
            screen = app.screen
            assert isinstance(screen, RunScreen)
            metrics = screen.plot_state
            assert (metrics.x_bounds, metrics.cursor) == ((3.0, 5.0), 5.0)
            screen.go_to("system")
            await until(pilot, lambda: screen.specs)
            await pilot.press("z", "i", "left")
            assert screen.plot_state.x_bounds == (20.0, 40.0)
            assert screen.plot_state.cursor == 39.0
            await pilot.pause()
            assert "zoomed" in screen.query(Panel).first().text
            screen.go_to("panels")
            assert screen.plot_state == metrics
            screen.go_to("system")
            assert screen.plot_state.cursor == 39.0

    drive(look)


def test_pinned_and_selected_runs_are_overlaid_each_in_a_colour_of_its_own(runs: Path) -> None:
    some_runs(runs, 4)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("p", "down", "space", "down")
            await settled(app, pilot)
            shown = app.screen.shown()  # type: ignore[attr-defined]
            assert len(shown) == 3
            assert len({one.style for one in shown}) == 3
            legend = app.screen.query(Panel).first().text
            assert all(app.short(one.id) in legend for one in shown)
            assert "◉" in screen_text(app)
            assert "●" in screen_text(app)

    drive(look)


def test_keys_change_how_curves_are_drawn(runs: Path) -> None:
    make_run(runs, epochs=40, total=40)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = app.screen
            assert isinstance(screen, RunsScreen)

            def first() -> str:
                return app.screen.query(Panel).first().text

            await pilot.press("plus")
            assert "EMA 0.3" in first()
            await pilot.press("0")
            assert "EMA" not in first()
            await pilot.press("y")
            assert ", log" in first() or " log" in first()
            await pilot.press("y")
            await pilot.press("s")
            assert "validation" in first()
            await pilot.press("z")
            assert screen.plot_state.x_bounds is not None
            low, high = screen.plot_state.x_bounds
            assert (high - low) == pytest.approx(19.5)
            assert "zoomed" in first()
            await pilot.press("i", "left", "left")
            assert screen.plot_state.cursor == 38
            assert "epoch 38" in screen_text(app)
            await pilot.press("escape")
            assert screen.plot_state.cursor is None
            await pilot.press("escape")
            assert screen.plot_state.x_bounds is None
            assert "zoomed" not in first()
            await pilot.press("x")
            assert screen.plot_state.x_axis == "time"
            await pilot.press("f")
            assert not app.screen.query_one(RunTable).display
            await pilot.press("escape")
            assert app.screen.query_one(RunTable).display

    drive(look)


def test_class_view_goes_from_bars_to_curves_to_heatmap(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = app.screen
            assert isinstance(screen, RunsScreen)
            pictures = set()
            for _ in range(3):
                await pilot.press("v")
                await settled(app, pilot)
                assert screen.active_spec is not None
                assert screen.active_spec.key == "feature_norm@class"
                pictures.add(next(p.text for p in app.screen.query(Panel) if p.spec is screen.active_spec))
            assert len(pictures) == 3

    drive(look)


def test_the_mouse_points_and_zooms(runs: Path) -> None:
    make_run(runs, epochs=40, total=40)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = app.screen
            assert isinstance(screen, RunsScreen)
            panel = app.screen.query(Panel).first()
            await pilot.click(panel, offset=(panel.size.width // 2, 3))
            assert screen.plot_state.cursor is not None
            assert screen.plot_state.cursor in range(1, 41)  # an epoch, not the place of a cell between two
            assert f" epoch {screen.plot_state.cursor:.0f} " in screen_text(app)
            await pilot.click(panel, offset=(panel.size.width - 1, 3))
            assert screen.plot_state.cursor == 40
            screen.on_panel_wheeled(Panel.Wheeled(20.0, True))
            assert screen.plot_state.x_bounds is not None
            table = app.screen.query_one(RunTable)
            await pilot.click(table, offset=(10, 1))
            assert table.current is not None

    drive(look)


def test_panels_are_hidden_and_ordered_and_that_is_kept(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            before = [spec.key for spec in app.screen.specs]  # type: ignore[attr-defined]
            await pilot.press("P", "J", "K", "J", "space", "escape")
            after = [spec.key for spec in app.screen.specs]  # type: ignore[attr-defined]
            assert after == before[1:]
            assert app.views.hidden == (before[0],)
            assert app.views.panels[:2] == (before[1], before[0])

    drive(look)


def test_a_metric_nobody_has_heard_of_gets_a_panel(runs: Path) -> None:
    from wbtui.store.format import Metric

    folder = make_run(runs, epochs=2, total=9, outcome=None)
    with RunWriter.open(folder) as writer:
        writer.define(Metric("flux", "flux_capacity", "GW"))
        writer.epoch(3, 0, {"flux": 1.21})

    async def look() -> None:
        async with opened(runs, (200, 60)) as (app, _):
            assert "flux_capacity" in [spec.key for spec in app.screen.specs]  # type: ignore[attr-defined]
            assert "Flux capacity" in screen_text(app)

    drive(look)


# ---------------------------------------------------------------------- the axes of a run's system


def test_the_axes_of_the_system_do_not_zoom_into_noise() -> None:
    gpu = {"percent": 99.8, "memory_bytes": 9 * 2**30, "watts": 400.5, "celsius": 61.0}
    samples = tuple(
        {"t": float(n), "cpu_percent": 99.8 + n / 10, "memory_bytes": 2**30 + n, "gpu": gpu} for n in range(5)
    )
    detail = system_detail(RunFiles("run", samples=samples))
    specs = {spec.views[0].metrics[0]: spec for spec in system_panels(detail)}
    shown = (Shown("run", "", style_of(0), (detail,)),)
    axes = {}
    for name, spec in specs.items():
        plane = draw(spec, shown, PlotState(), 60, 16).plane
        assert plane is not None
        axes[name] = (round(plane.y.value(0.0)), round(plane.y.value(1.0)))
    assert axes["system.cpu_percent"] == (0, 100)
    assert axes["system.gpu.percent"] == (0, 100)
    assert axes["system.memory_bytes"] == (0, 1)
    assert axes["system.gpu.memory_bytes"] == (0, 9)
    assert axes["system.gpu.watts"][0] == 0
    assert axes["system.gpu.celsius"] == (51, 71)


def test_an_axis_of_nothing_or_of_zeros_is_drawn() -> None:
    for value in (0.0, float("nan")):
        samples = tuple({"t": float(n), "memory_bytes": value, "cpu_percent": 250.0} for n in range(3))
        detail = system_detail(RunFiles("run", samples=samples))
        for spec in system_panels(detail):
            for state in (
                PlotState(),
                PlotState(log_y=frozenset({spec.key})),
                PlotState(x_bounds=(50.0, 60.0)),
            ):
                draw(spec, (Shown("run", "", style_of(0), (detail,)),), state, 40, 10)


def test_panels_that_the_shown_runs_lack_stay_hidden_and_in_their_place(runs: Path) -> None:
    make_run(runs)
    make_run(runs, 1, epochs=0, outcome="stopped").joinpath("events.jsonl").unlink()

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("end")
            await settled(app, pilot)
            await pilot.press("P", "J", "K", "J", "space", "escape")
            before = app.views
            assert len(before.panels) > 2
            assert len(before.hidden) == 1
            await pilot.press("home")
            await until(pilot, lambda: not app.screen.specs)  # type: ignore[attr-defined]
            await pilot.press("P", "escape")
            assert (app.views.panels, app.views.hidden) == (before.panels, before.hidden)

    drive(look)
    assert reordered(("a", "gone", "b"), ("b", "c", "a")) == ("b", "gone", "c", "a")


@pytest.mark.parametrize("key", ["space", "p", "b"])
def test_a_mark_set_on_one_seed_is_taken_from_the_folded_line(runs: Path, key: str) -> None:
    for seed in range(3):
        make_run(runs, seed, seed=seed)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            table = app.screen.query_one(RunTable)
            await pilot.press("down", key, "G")
            assert any(mark in table.text for mark in "●◉◆")
            await pilot.press(key)
            assert not any(mark in table.text for mark in "●◉◆")
            await pilot.press(key, "G")
            assert sum(table.text.count(mark) for mark in "●◉◆") == 1

    drive(look)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_run_with_fewer_panels_than_the_one_before_shows_its_last(
    runs: Path, size: tuple[int, int]
) -> None:
    make_run(runs)
    make_finished_run(runs)

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            await pilot.press("down")
            await settled(app, pilot)
            await pilot.press("9", "up")
            await until(pilot, lambda: len(app.screen.specs) == 6)  # type: ignore[attr-defined]
            await settled(app, pilot)
            assert "cosine@matrix" in in_sight(app)

    drive(look)

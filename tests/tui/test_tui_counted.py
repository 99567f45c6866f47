"""Seeds folded in the dashboard: each counts once, finished runs first, and differences are mean minus mean."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from dashboard_helpers import drive, make_run, opened, screen_lines, screen_text, settled, until
from finished_runs import make_run as make_finished

from wbtui.plotting.palette import series_style
from wbtui.store.reader import open_run
from wbtui.store.summary import RunSummary, summarise
from wbtui.tui.columns import COLUMNS, Context
from wbtui.tui.figures_line import figures_line
from wbtui.tui.form import FormValues, answer
from wbtui.tui.lines import TableLine
from wbtui.tui.plots import PlotState, Shown
from wbtui.tui.screens.adjust import AdjustScreen
from wbtui.tui.screens.compare import CompareScreen
from wbtui.tui.snapshots import Curve, RunDetail
from wbtui.tui.widgets.pick_list import PickList
from wbtui.tui.widgets.text_pane import TextPane

NAME = "test.accuracy.all"


def row(number: int, seed: int, state: str, value: float | None = None, epoch: int = 40) -> RunSummary:
    last = {} if value is None else {NAME: value}
    known = {"seed": seed, "last": last, "epoch": epoch, "total_epochs": 40, "state": state}
    return RunSummary(id=f"2026-{number:04}", path="", **known)  # type: ignore[arg-type]


def cell(line: TableLine, key: str) -> str:
    (column,) = (one for one in COLUMNS if one.key == key)
    return column.text(line, Context({}, {}, 0.0))


def test_a_folded_line_is_of_finished_runs_only_and_says_how_many_others_there_are() -> None:
    line = TableLine(
        (
            row(0, 0, "finished", 0.60),
            row(1, 0, "finished", 0.70),
            row(2, 1, "finished", 0.80),
            row(3, 2, "running", 0.10, epoch=4),
            row(4, 3, "queued"),
            row(5, 4, "stopped", 0.20, epoch=9),
        )
    )
    assert line.mean_std(NAME) == pytest.approx((0.75, np.std([0.7, 0.8], ddof=1)))
    assert (line.state, cell(line, "seed"), cell(line, "epoch")) == ("running", "n=2 +4", "4/40")
    assert cell(line, "all") == "75.0±7.1"
    rest = TableLine(line.members[:3] + line.members[4:])
    assert (rest.state, cell(rest, "epoch")) == ("queued", "40/40")
    assert TableLine(line.members[:3] + line.members[5:]).state == "finished"


def test_where_none_has_finished_the_figures_are_those_there_are_and_the_state_says_so() -> None:
    line = TableLine((row(0, 0, "stopped", 0.2, 4), row(1, 1, "failed", 0.4, 9), row(2, 2, "stopped")))
    assert (line.state, cell(line, "seed"), cell(line, "epoch")) == ("failed", "n=2 +1", "9/40")
    assert line.mean_std(NAME)[0] == pytest.approx(0.3)
    waiting = TableLine((row(0, 0, "queued"), row(1, 1, "queued")))
    assert (waiting.state, cell(waiting, "seed"), cell(waiting, "all")) == ("queued", "n=2", "-")


def test_a_seed_run_twice_has_no_spread() -> None:
    line = TableLine((row(0, 5, "finished", 0.6), row(1, 5, "finished", 0.6)))
    assert (cell(line, "seed"), cell(line, "all")) == ("n=1 +1", "60.0")


def shown(key: str, label: str, *seeds: tuple[list[float], float]) -> Shown:
    """Seeds by their accuracies epoch by epoch, and their FDR."""
    details = []
    for number, (values, fdr) in enumerate(seeds):
        epochs = np.arange(1, len(values) + 1)
        scalars = {
            NAME: Curve(epochs, np.array(values)),
            "test.fdr": Curve(epochs, np.full(len(values), fdr)),
        }
        details.append(RunDetail(f"{key}{number}", 1, epochs=epochs, scalars=scalars))
    return Shown(key, label, series_style(0), tuple(details))


def said_of(*groups: Shown, baseline: TableLine | None, cursor: float | None = None) -> str:
    return "".join(text for text, _ in figures_line(groups, PlotState(cursor=cursor), baseline, 400))


def test_the_status_line_holds_means_against_means() -> None:
    ce = shown("2026-0000", "ce n=2", ([0.1, 0.6], 90.0), ([0.2, 0.3, 0.8], 100.0))
    wd = shown("2026-0002", "wd n=2", ([0.7, 0.9], 110.0), ([0.5, 0.9], 120.0))
    baseline = TableLine((row(0, 0, "finished", 0.6), row(1, 1, "finished", 0.8)))
    text = said_of(ce, wd, baseline=baseline)
    assert "ce n=2 All 70.0 Head" in text
    assert "FDR 95.0" in text
    assert "wd n=2 All 90.0 (+20.0)" in text
    assert "FDR 115" in text
    assert "wd n=2 All 90.0 (+20.0)" in said_of(wd, baseline=baseline), "also where it is not drawn"
    at_two = said_of(ce, wd, baseline=baseline, cursor=2.0)
    assert "ce n=2 All 45.0" in at_two
    assert "wd n=2 All 90.0 (+45.0)" in at_two
    assert "(" not in said_of(wd, baseline=baseline, cursor=2.0), "of what is not drawn no epoch is known"


def test_the_dashboard_says_which_run_of_a_seed_counts_and_compare_does(runs: Path) -> None:
    for number, accuracy in enumerate((0.2, 0.6)):
        make_run(runs, number, variant="wd", seed=0, accuracy=accuracy)
    make_run(runs, 2, variant="wd", seed=1, accuracy=0.8)
    make_run(runs, 3, variant="wd", seed=2, outcome="stopped", accuracy=0.9)
    make_run(runs, 4, variant="ce", seed=0, accuracy=0.5)

    async def look() -> None:
        async with opened(runs, (200, 40)) as (app, pilot):
            await pilot.press("G", "j", "b", "space")
            await settled(app, pilot)
            text = screen_text(app)
            assert "n=2 +2" in text
            assert "70.0±14.1" in text
            older, newer = (app.short(name) for name in sorted(app.short_ids)[:2])
            assert (
                f"seed 0 was run twice ({older}, {newer}); the newer, {newer}, counts"
                in screen_lines(app)[-2]
            )
            await pilot.resize_terminal(100, 40)
            await settled(app, pilot)
            assert "wd: seed 0 was run twice" in screen_lines(app)[-2], "as much of it as there is room for"
            await pilot.resize_terminal(200, 40)
            await pilot.press("k", "space")
            await settled(app, pilot)
            assert "ce" in screen_lines(app)[3]
            assert "All 50.0 (-20.0)" in screen_lines(app)[-2]
            await pilot.press("C")
            await until(pilot, lambda: isinstance(app.screen, CompareScreen) and app.screen.board)
            screen = cast(CompareScreen, app.screen)
            await until(pilot, lambda: not screen.busy)
            assert screen.board is not None
            assert {entry.label: entry.n for entry in screen.board.entries} == {"ce": 1, "wd": 2}
            assert screen.board.entries[screen.baseline].label == "wd", "its first run was the baseline"
            problems = screen.query_one("#problems", TextPane).text
            assert f"wd: seed 0 was run twice ({older}, {newer})" in problems
            assert "wd: left out, not finished" in problems
            assert "was run twice" in screen_text(app)

    drive(look)


def test_seeds_that_are_adjusted_alike_count_once(runs: Path) -> None:
    for digits, bias in (("aaaa0000", 2.0), ("bbbb0000", 0.0)):
        make_finished(runs, "wd", 0, digits=digits, tail_bias=bias)
    make_finished(runs, "wd", 1, digits="cccc0000")

    async def look() -> None:
        async with opened(runs, (160, 40)) as (app, pilot):
            await pilot.press("space", "j", "space", "j", "space", "L")
            await until(pilot, lambda: isinstance(app.screen, AdjustScreen) and app.screen.trials)
            screen = cast(AdjustScreen, app.screen)
            await until(pilot, lambda: len(screen.trials) == 3 and not screen.busy and screen.folds())
            (fold,) = screen.folds()
            assert fold.n == 2
            assert [trial.run_id.rpartition("-")[2] for trial in fold.trials] in (
                ["bbbb0000", "cccc0000"],
                ["cccc0000", "bbbb0000"],
            )
            sentence = "wd: seed 0 was run twice (aaaa, bbbb); the newer, bbbb, counts"
            await until(pilot, lambda: sentence in screen.query_one("#seeds", PickList).text)
            assert sentence in screen._table().notes

    drive(look)


def test_the_form_names_the_run_that_would_be_run_again(runs: Path) -> None:
    folder = make_finished(runs, "wd", 0, digits="634b0000")
    rows = [summarise(open_run(folder))]
    same = FormValues("digits_lt", "wd", "0", settings="stages.0.epochs=20")
    assert answer(same, rows).notices[0] == "this setting with seed 0 exists: 634b"
    assert answer(same, rows).resolved, "it is not forbidden"
    several = FormValues("digits_lt", "ce,wd", "0,1", settings="stages.0.epochs=20")
    assert answer(several, rows).notices[0] == "wd with seed 0 exists: 634b"
    for other in (
        FormValues("digits_lt", "wd", "1", settings="stages.0.epochs=20"),
        FormValues("digits_lt", "wd", "0", settings="stages.0.epochs=20 stages.0.learning_rate=0.3"),
    ):
        assert not any("exists" in notice for notice in answer(other, rows).notices)
    folder.rename(folder.with_name("gone"))
    assert not any("exists" in notice for notice in answer(same, rows).notices)

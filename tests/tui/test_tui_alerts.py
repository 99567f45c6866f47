"""What is wrong with a run: told once for each cause and attempt, also over restarts; marked as long as it is so."""

import math
import os
from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, measure, opened, said, screen_text, until

from wbtui.store import facts, records
from wbtui.store.reader import open_run
from wbtui.store.summary import RunSummary, summarise
from wbtui.store.summary_row import from_row, to_row
from wbtui.store.writer import RunWriter
from wbtui.tui.alerts import (
    MARK,
    NO_IMPROVEMENT_EPOCHS,
    NO_IMPROVEMENT_SHARE,
    Alert,
    alerts_of,
    beside_state,
    key_of,
    messages,
    remembered,
    untold,
)
from wbtui.tui.screens.run import RunScreen
from wbtui.tui.views import Views, load_views, save_views
from wbtui.tui.widgets.one_line import OneLine


def row(**more: object) -> RunSummary:
    return RunSummary(id="20261101-a", path="", attempt=1, **more)  # type: ignore[arg-type]


def causes(of: RunSummary) -> list[str]:
    return [alert.cause for alert in alerts_of(of)]


@pytest.mark.parametrize("state", ["stalled", "crashed", "failed"])
def test_a_state_that_needs_somebody_is_an_alert_with_its_evidence(state: str) -> None:
    assert alerts_of(row(state=state, evidence="heartbeat 90 s old")) == (Alert(state, "heartbeat 90 s old"),)


@pytest.mark.parametrize("state", ["running", "finished", "stopped", "queued", "starting", "unknown"])
def test_other_states_are_none(state: str) -> None:
    assert alerts_of(row(state=state, evidence="so")) == ()


@pytest.mark.parametrize(
    ("total", "first"), [(320, math.ceil(320 * NO_IMPROVEMENT_SHARE)), (15, NO_IMPROVEMENT_EPOCHS)]
)
def test_no_improvement_is_a_share_of_the_schedule_and_never_a_few_epochs(total: int, first: int) -> None:
    def after(still: int, state: str = "running") -> RunSummary:
        return row(state=state, total_epochs=total, best_epoch=4, epoch=4 + still)

    assert causes(after(first - 1)) == []
    assert causes(after(first)) == ["no improvement"]
    assert (
        f"for {first} of {total} epochs, best validation All in epoch 4" in alerts_of(after(first))[0].words
    )
    assert causes(after(first, "finished")) == []


def test_without_validation_nothing_is_said_of_improvement() -> None:
    assert alerts_of(row(state="running", total_epochs=100, epoch=90)) == ()


def test_a_run_that_cannot_be_read_has_no_alerts() -> None:
    assert alerts_of(RunSummary("x", "", evidence="broken", problem="broken", state="crashed")) == ()


def test_a_loss_that_is_no_number_is_known_without_the_trainers_word_and_kept_in_the_index(
    runs: Path,
) -> None:
    folder = make_run(runs, epochs=2, outcome=None)
    with RunWriter.open(folder) as writer:
        measure(writer, 3, nan=True)
        measure(writer, 4)
    found = summarise(open_run(folder))
    assert found.non_finite_epoch == 3
    kept = {key: value for key, value in to_row(found).items() if key in ("id", "non_finite_epoch")}
    assert from_row(kept, runs).non_finite_epoch == 3
    with RunWriter.open(folder) as writer:
        writer.event("alert", kind="identity", epoch=1, message="another machine")
        writer.event("alert", kind="non_finite_loss", epoch=2, batch=1, message="the loss is not finite")
    found = summarise(open_run(folder))
    assert found.non_finite_epoch == 2
    assert "non-finite loss in epoch 2" in beside_state(found)
    assert summarise(open_run(make_run(runs, 1))).non_finite_epoch is None


def test_what_was_told_is_not_told_again_but_after_another_attempt() -> None:
    crashed = row(state="crashed", evidence="gone")
    first = untold([crashed], ())
    assert [alert.cause for _, alert in first] == ["crashed"]
    told = remembered((), first, {crashed.id})
    assert untold([crashed], told) == []
    again = RunSummary(**{**vars(crashed), "attempt": 2})
    assert len(untold([again], told)) == 1
    assert remembered(told, [], {"another"}) == ()


def test_many_at_once_share_a_message() -> None:
    fresh = [(row(state="crashed"), Alert("crashed", "gone"))] * 40 + [(row(), Alert("stalled", "still"))] * 2
    assert messages(fresh, lambda one: one.id) == [f"40 crashed, 2 stalled: {MARK} in the table"]
    assert messages(fresh[:2], lambda one: "7f3a ce") == ["7f3a ce: crashed gone"] * 2


def test_views_keep_what_was_told(tmp_path: Path) -> None:
    told = tuple(key_of(row(), Alert("crashed", str(number))) + str(number) for number in range(3_000))
    save_views(tmp_path / "views.json", Views(told=told))
    views, problem = load_views(tmp_path / "views.json")
    assert (views.told, problem) == (told, "")


def crash(folder: Path, attempt: int = 1) -> None:
    """A run whose trainer is gone without a word."""
    records.write_process(folder, facts.process_info(attempt, pid=2**22 - 3, process_group=2**22 - 3))


def test_a_crash_is_told_once_also_after_a_restart_and_stays_marked(runs: Path) -> None:
    folder = make_run(runs, epochs=2, outcome=None)
    crash(folder)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await until(pilot, lambda: "crashed" in said(app))
            assert f"{app.short(folder.name)} wd digits_lt seed 0: crashed" in said(app)
            assert f"crashed{MARK}" in screen_text(app)
            app.feed.hurry()
            await pilot.pause(0.6)
            assert said(app).count("crashed") == 1
        async with opened(runs) as (app, pilot):
            await pilot.pause(0.6)
            assert "crashed" not in said(app)
            assert f"crashed{MARK}" in screen_text(app)
        async with opened(runs, ascii_only=True) as (app, pilot):
            assert "crashed!" in screen_text(app)

    drive(look)


def test_a_run_that_does_not_improve_is_told_marked_and_explained(runs: Path) -> None:
    make_run(runs, 1)
    folder = make_run(runs, epochs=3, total=30, outcome=None)
    records.write_process(folder, facts.process_info(1, pid=os.getpid(), process_group=os.getpid()))
    records.HeartbeatWriter(folder).beat("training", 3, 1, batches=10)

    async def look() -> None:
        async with opened(runs, (160, 40)) as (app, pilot):
            assert "no improvement" not in said(app)
            with RunWriter.open(folder) as writer:
                for epoch in range(4, 14):
                    measure(writer, epoch, total=30, accuracy=0.0)
            await until(pilot, lambda: "no improvement for 10 of 30 epochs" in said(app))
            await until(pilot, lambda: f"running{MARK}" in screen_text(app))
            assert f"{MARK} no improvement" in app.screen.query_one("#status", OneLine).text

    drive(look)


def test_the_page_of_a_run_names_what_is_wrong(runs: Path) -> None:
    folder = make_run(runs, epochs=2, outcome="failed")
    with RunWriter.open(folder) as writer:
        measure(writer, 3, nan=True)

    async def look() -> None:
        async with opened(runs, (200, 40)) as (app, pilot):
            await pilot.press("enter")
            assert isinstance(app.screen, RunScreen)
            await until(pilot, lambda: f"{MARK} non-finite loss in epoch 3" in screen_text(app))

    drive(look)

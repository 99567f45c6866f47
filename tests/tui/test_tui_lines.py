"""Lines, colours and columns of the table of runs: which, in which order, and what do their cells say?"""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbtui.report.filters import parse_filter
from wbtui.store.format import STATES
from wbtui.store.summary import RunSummary
from wbtui.tui.columns import (
    COLUMNS,
    Context,
    alike,
    chosen_columns,
    eta_seconds,
    fitting,
    longest_names,
)
from wbtui.tui.lines import TableLine, replaced, table_lines
from wbtui.tui.marks import colours_for, marked_ids, style_of
from wbtui.tui.snapshots import RunDetail


def summary(number: int, state: str = "finished", **more: object) -> RunSummary:
    return RunSummary(id=f"2026-{number:04}", path="", state=state, **more)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(STATES), max_size=12), st.data())
def test_lines_brought_up_to_date_are_the_lines_made_anew(states: list[str], data: st.DataObject) -> None:
    before = tuple(summary(number, state) for number, state in enumerate(states))
    everything = parse_filter("")
    lines = table_lines(before, everything, "", group=False)
    after = tuple(
        summary(row_number, row.state, epoch=data.draw(st.integers(0, 3)))
        if data.draw(st.booleans())
        else row
        for row_number, row in enumerate(before)
    )
    assert replaced(lines, before, after) == table_lines(after, everything, "", group=False)
    if after:
        other = "running" if after[0].state != "running" else "finished"
        assert replaced(lines, before, (summary(0, other), *after[1:])) is None
        assert replaced(lines, before, after[1:]) is None


def test_living_runs_stand_first_then_queued_ones_then_the_newest() -> None:
    rows = [summary(0), summary(1, "running"), summary(2, "queued"), summary(3), summary(4, "stalled")]
    lines = table_lines(rows, parse_filter(""), "", group=False)
    assert [line.key[-1] for line in lines] == ["4", "1", "2", "3", "0"]


def test_mean_and_deviation_over_seeds_leave_out_what_was_not_measured() -> None:
    values = [0.4, 0.6, math.nan]
    members = tuple(summary(n, last={"test.accuracy.all": value}) for n, value in enumerate(values))
    mean, std = TableLine((*members, summary(3))).mean_std("test.accuracy.all")
    assert mean == pytest.approx(np.mean([0.4, 0.6]))
    assert std == pytest.approx(np.std([0.4, 0.6], ddof=1))
    assert TableLine(members[2:]).mean_std("test.accuracy.all") == (None, None)


@given(
    st.lists(st.integers(0, 20), unique=True, max_size=8),
    st.lists(st.integers(0, 20), unique=True, max_size=8),
)
def test_no_two_shown_runs_look_alike_and_who_stays_keeps_its_colour(
    first: list[int], second: list[int]
) -> None:
    before = colours_for(map(str, first), {})
    after = colours_for(map(str, second), before)
    assert len({style_of(index) for index in after.values()}) == len(second)
    for name in map(str, second):
        if name in before:
            assert after[name] == before[name]


def test_the_run_under_the_cursor_comes_first_then_pinned_then_selected_ones_in_their_order() -> None:
    names = [f"r{number}" for number in range(12)]
    marked = marked_ids("r5", names[3::-1], names[9:3:-1], names)
    assert marked == ["r5", "r3", "r2", "r1", "r0", "r9", "r8", "r7", "r6", "r4"]
    assert marked_ids("gone", ("gone too",), ("r1",), names) == ["r1"]


@given(st.integers(0, 400), st.booleans())
def test_columns_fit_or_are_those_that_always_stay(width: int, grouped: bool) -> None:
    chosen = fitting(width, grouped=grouped, longest={"id": 4, "preset": 10, "variant": 30})
    keys = [column.key for column, _ in chosen]
    always = [column.key for column in COLUMNS if column.drop == 0]
    assert {"state", "id", "epoch", "all"} <= set(always)
    assert set(always) <= set(keys)
    assert sum(cells + 1 for _, cells in chosen) <= width or keys == always


@pytest.mark.parametrize(
    ("width", "differ"), [(80, True), (100, True), (120, True), (80, False), (100, False)]
)
def test_the_preset_stays_where_it_tells_runs_apart_and_goes_where_it_does_not(
    width: int, differ: bool
) -> None:
    presets = ("digits_lt", "cifar100_lt" if differ else "digits_lt")
    rows = [replace(summary(n, "finished"), preset=preset) for n, preset in enumerate(presets)]
    lines = table_lines(rows, parse_filter(""), "", group=False)
    keys = [column.key for column, _ in fitting(width - 4, grouped=False, same=alike(lines))]
    assert ("preset" in keys) is differ
    assert {"state", "id", "variant", "epoch", "all"} <= set(keys)
    assert ("preset" in keys) or {"few", "medium", "many"} <= set(keys)


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("group", [False, True])
def test_the_seed_stays_where_it_tells_runs_apart(width: int, group: bool) -> None:
    """Or how many seeds a mean is of; for it and the figures names get no more room than the longest takes."""
    rows = [
        replace(summary(n, "finished"), preset=preset, seed=n % 3)
        for n, preset in enumerate(["digits_lt"] * 3 + ["cifar10_lt"] * 3)
    ]
    lines = table_lines(rows, parse_filter(""), "", group=group)
    longest = longest_names(lines, {row.id: row.id[-4:] for row in rows})
    assert longest["id"] == 4
    assert longest["preset"] == 10
    chosen = {
        column.key: cells
        for column, cells in fitting(width - 4, grouped=group, same=alike(lines), longest=longest)
    }
    assert {"preset", "seed", "few"} <= set(chosen)
    assert chosen["preset"] == 10
    assert chosen["variant"] >= longest["variant"]
    assert group or {"many", "medium"} <= set(chosen)
    alone = table_lines(rows[:1], parse_filter(""), "", group=group)
    assert alike(alone) == {"preset", "seed"}


def test_a_table_without_lines_has_nothing_to_tell() -> None:
    assert alike([]) == {"preset", "seed"}
    assert longest_names([], {}) == {}


def test_time_to_go_is_of_all_epochs_since_the_start_or_the_median_of_the_last() -> None:
    row = replace(summary(0, "running"), attempt=1, epoch=4, total_epochs=10, started=100.0, updated=140.0)
    assert eta_seconds(row, None, 140.0) == pytest.approx(6 * 10.0)  # 4 epochs in 40 s, not 3
    assert eta_seconds(row, None, 143.0) == pytest.approx(6 * 10.0 - 3.0)
    known = RunDetail("r", 1, seconds=np.array([10.0, 18.0, 26.0, 500.0, 508.0]))  # stood still for a while
    assert eta_seconds(replace(row, epoch=5), known, 140.0) == pytest.approx(5 * 8.0)
    resumed = replace(row, attempt=2, last={"time.epoch_seconds": 7.0})
    assert eta_seconds(resumed, None, 140.0) == pytest.approx(6 * 7.0)
    assert eta_seconds(replace(row, epoch=10), None, 140.0) is None


def test_time_to_go_after_a_resume_is_of_epochs_within_one_attempt() -> None:
    row = summary(0, "running", epoch=4, total_epochs=10, started=0.0, updated=5000.0, attempt=2)
    row = replace(row, last={"time.epoch_seconds": 7.0})
    first = RunDetail("r", 1, seconds=np.array([8.0, 16.0, 24.0, 300.0]), attempts=np.array([1, 1, 1, 2]))
    assert eta_seconds(row, first, 5000.0) == pytest.approx(6 * 8.0)
    alone = RunDetail("r", 1, seconds=np.array([8.0, 300.0]), attempts=np.array([1, 2]))
    assert eta_seconds(row, alone, 5000.0) == pytest.approx(6 * 7.0)  # as the last epoch says itself


def test_a_row_of_nothing_has_a_cell_for_every_column() -> None:
    context = Context({}, {}, 0.0)
    for column in COLUMNS:
        assert isinstance(column.text(TableLine((RunSummary(id="x", path=""),)), context), str)


def test_columns_stand_as_they_were_chosen_and_make_room_for_others() -> None:
    hidden = ("preset", "eta", "many", "medium", "fdr", "bn", "trend")
    wanted = chosen_columns(("id", "loss", "all"), hidden)
    shown = [column.key for column, _ in fitting(76, grouped=False, wanted=wanted)]
    assert shown[:3] == ["id", "loss", "all"]
    assert not set(shown) & set(hidden)
    assert "loss" not in [column.key for column, _ in fitting(76, grouped=False)]


def test_a_table_without_columns_still_tells_its_runs() -> None:
    everything = [column.key for column in COLUMNS]
    assert [column.key for column in chosen_columns((), everything)] == ["id"]
    few = chosen_columns((), [key for key in everything if key not in ("tag", "trend")])
    assert len(fitting(5, grouped=False, wanted=few)) == 1

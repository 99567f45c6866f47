"""Do bars show each class from head to tail, and say so when several share one?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.errors import UsageError
from wbtui.plotting import BarOptions, GlyphSet, Overlay, bar_plot, to_text
from wbtui.plotting.bins import Bins

number = st.floats(width=64)


def heights(plot):
    """Measure each bar in eighths of a cell, from the picture."""
    area = plot.area
    block = plot.canvas.glyphs[area.top : area.bottom, area.left : area.right]
    return np.vectorize(" ▁▂▃▄▅▆▇█".index)(block).sum(axis=0)


@given(
    st.lists(number, max_size=60),
    st.tuples(st.integers(1, 50), st.integers(1, 20)),
    st.sampled_from(GlyphSet),
    st.none() | st.integers(-5, 80),
)
@settings(deadline=None, max_examples=200)
def test_any_numbers_at_any_size_make_a_picture(values, size, glyph_set, cursor):
    row = np.array(values, dtype=float)
    options = BarOptions(*size, title="Norm", glyphs=glyph_set, cursor=cursor)
    canvas = bar_plot(row, options, Overlay("n_k", np.abs(row))).canvas
    assert canvas.glyphs.shape == (size[1], size[0])
    assert all(len(line) == size[0] and line.isprintable() for line in canvas.lines())


def test_heights_are_proportional_to_values():
    values = np.array([4.0, 3.0, 2.0, 1.0, 0.5, 0.0])
    plot = bar_plot(values, BarOptions(8, 11))
    assert heights(plot)[:6].tolist() == (np.rint(values / 4 * plot.area.height * 8)).astype(int).tolist()


def test_a_value_too_small_for_a_step_is_still_seen_and_zero_is_not():
    plot = bar_plot(np.array([100.0, 1e-6, 0.0]), BarOptions(6, 6))
    assert heights(plot)[[plot.bins.column(1), plot.bins.column(2)]].tolist() == [1, 0]


def test_a_thousand_classes_on_sixty_columns_are_means_of_equal_groups_and_the_title_says_so():
    values = np.linspace(2.0, 0.5, 1_000) + 0.3 * (np.arange(1_000) % 2)
    plot = bar_plot(values, BarOptions(60, 12, title="Norm"))
    each = plot.bins.each
    groups = [values[start : start + each].mean() for start in range(0, 1_000, each)]
    assert len(groups) <= plot.area.width
    np.testing.assert_allclose(plot.bins.means(values), groups)
    assert f"mean of {each} classes" in to_text(plot.canvas).splitlines()[0]
    # every other class is 0.3 higher: bars that took single classes would jump up and down
    measured = heights(plot)[: len(groups)]
    assert (np.diff(measured[:-1].astype(int)) <= 0).all()
    assert np.abs(measured - np.array(groups) / values.max() * plot.area.height * 8).max() <= 0.5


@given(st.integers(1, 1_000), st.integers(1, 200))
def test_every_class_is_in_exactly_one_bar(items, width):
    bins = Bins.over(items, width)
    members = [item for index in range(bins.count) for item in range(*_half_open(bins.members(index)))]
    assert members == list(range(items))
    assert bins.count * bins.columns <= width
    assert all(bins.item_at(bins.column(item)) == item // bins.each * bins.each for item in range(items))


def _half_open(members):
    return members[0], members[1] + 1


def test_classes_without_value_leave_a_gap_in_bars_and_axis_and_are_counted():
    values = np.array([3.0, np.nan, 2.0, np.inf, 1.0])
    plot = bar_plot(values, BarOptions(30, 12, title="Norm"))
    assert plot.notes == ("1 infinite", "1 without value")
    axis = plot.canvas.lines()[plot.area.bottom][plot.area.left :]
    starts = [item * plot.bins.columns for item in range(5)]
    assert [axis[start] == " " for start in starts] == [False, True, False, True, False]


def test_negative_values_hang_from_zero():
    plot = bar_plot(np.array([2.0, -2.0]), BarOptions(12, 12, glyphs=GlyphSet.ASCII))
    area = plot.area
    block = plot.canvas.glyphs[area.top : area.bottom, area.left : area.right] == "#"
    zero = next(row for row, line in enumerate(plot.canvas.lines()) if line.startswith(" 0")) - area.top
    assert block[: zero - 1, 0].any()
    assert not block[: zero - 1, plot.bins.columns].any()
    assert not block[zero + 1 :, 0].any()
    assert block[zero + 1 :, plot.bins.columns].any()


def test_the_overlay_runs_over_the_bars_on_its_own_scale():
    bars = np.full(20, 5.0)
    counts = 500 * 0.7 ** np.arange(20)
    with_line = bar_plot(bars, BarOptions(60, 14), Overlay("n_k", counts))
    area = with_line.area
    block = with_line.canvas.glyphs[area.top : area.bottom, area.left : area.right]
    line_rows, line_columns = np.nonzero((block >= "\u2801") & (block <= "\u28ff"))
    assert (np.diff(line_rows[np.argsort(line_columns, kind="stable")]) >= 0).all()
    assert set(line_rows) == set(range(area.height))
    behind = with_line.canvas.background[area.top + line_rows, area.left + line_columns]
    assert (behind[line_columns % 2 == 0] == BarOptions(1, 1).colour).all()
    assert "n_k 0.5699 to 500 log" in to_text(with_line.canvas)


def test_the_cursor_reads_a_class_or_the_group_that_shares_its_bar():
    values = np.arange(100.0)
    single = bar_plot(values, BarOptions(120, 12, cursor=37), Overlay("n_k", values * 2)).reading
    assert (single.first, single.last, single.value, single.overlay) == (37, 37, 37.0, 74.0)
    gathered = bar_plot(values, BarOptions(30, 12, cursor=37)).reading
    assert gathered.first <= 37 <= gathered.last
    assert gathered.value == values[gathered.first : gathered.last + 1].mean()


def test_bounds_always_hold_zero():
    plot = bar_plot(np.array([5.0, 6.0]), BarOptions(20, 12, y_bounds=(4.0, 12.0)))
    assert heights(plot).max() == plot.area.height * 8 // 2


def test_nothing_to_draw_is_said():
    assert "no values" in to_text(bar_plot(np.full(3, np.nan), BarOptions(30, 6)).canvas)
    assert "no values" in to_text(bar_plot(np.array([]), BarOptions(30, 6)).canvas)


def test_impossible_arguments_are_refused():
    with pytest.raises(UsageError, match="lower first"):
        bar_plot(np.arange(3.0), BarOptions(20, 5, y_bounds=(2.0, 1.0)))
    with pytest.raises(ValueError, match="equal length"):
        bar_plot(np.arange(3.0), BarOptions(20, 5), Overlay("n_k", np.arange(4.0)))

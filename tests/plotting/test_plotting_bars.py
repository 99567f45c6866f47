"""Do bars show each class from head to tail, and say so when several share one?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.errors import UsageError
from wbtui.plotting import BarOptions, GlyphSet, Overlay, bar_plot, to_text
from wbtui.plotting.bins import Bins
from wbtui.plotting.columns import bar_columns
from wbtui.plotting.glyphs import GLYPHS

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


def test_a_thousand_classes_on_sixty_columns_are_means_of_like_groups_and_the_title_says_so():
    values = np.linspace(2.0, 0.5, 1_000) + 0.3 * (np.arange(1_000) % 2)
    plot = bar_plot(values, BarOptions(60, 12, title="Norm"))
    parts = [plot.bins.members(index) for index in range(plot.bins.count)]
    groups = [values[first : last + 1].mean() for first, last in parts]
    sizes = {last + 1 - first for first, last in parts}
    assert len(groups) == plot.area.width
    assert sizes == {17, 18} == set(plot.bins.each)
    np.testing.assert_allclose(plot.bins.means(values), groups)
    assert "mean of 17-18 classes" in to_text(plot.canvas).splitlines()[0]
    # every other class is 0.3 higher: bars that took single classes would jump up and down
    measured = heights(plot)
    assert (np.diff(measured.astype(int)) <= 0).all()
    assert np.abs(measured - np.array(groups) / values.max() * plot.area.height * 8).max() <= 0.5


@given(st.integers(1, 1_000), st.integers(1, 200))
def test_every_class_is_in_exactly_one_bar_and_bars_fill_the_width(items, width):
    bins = Bins.over(items, width)
    groups = [range(*_half_open(bins.members(index))) for index in range(bins.count)]
    assert [item for group in groups for item in group] == list(range(items))
    assert max(map(len, groups)) - min(map(len, groups)) <= 1
    widths = np.diff(bins.starts)
    assert widths.sum() == width
    assert set(widths) <= {bins.columns, bins.columns + 1}
    for index, group in enumerate(groups):
        assert {bins.column(item) for item in group} <= {*range(bins.starts[index], bins.starts[index + 1])}
        assert {bins.bin_of(item) for item in group} == {index}


@pytest.mark.parametrize("classes", [7, 10, 20, 31, 50, 100, 1_000])
def test_bars_leave_no_more_than_a_gap_empty_at_the_right(classes):
    plot = bar_plot(np.ones(classes), BarOptions(36, 12))
    empty = np.flatnonzero(heights(plot)[::-1])[0]
    assert empty <= (2 if plot.bins.columns >= 3 else 0)


def _half_open(members):
    return members[0], members[1] + 1


def test_classes_without_value_leave_a_gap_in_bars_and_axis_and_are_counted():
    values = np.array([3.0, np.nan, 2.0, np.inf, 1.0])
    plot = bar_plot(values, BarOptions(30, 12, title="Norm"))
    assert plot.notes == ("1 infinite", "1 without value")
    axis = plot.canvas.lines()[plot.area.bottom][plot.area.left :]
    assert [axis[start] == " " for start in plot.bins.starts[:-1]] == [False, True, False, True, False]


def test_negative_values_hang_from_zero():
    plot = bar_plot(np.array([2.0, -2.0]), BarOptions(12, 12, glyphs=GlyphSet.ASCII))
    area = plot.area
    block = plot.canvas.glyphs[area.top : area.bottom, area.left : area.right] == "#"
    zero = next(row for row, line in enumerate(plot.canvas.lines()) if line.startswith(" 0")) - area.top
    assert block[: zero - 1, 0].any()
    assert not block[: zero - 1, plot.bins.columns].any()
    assert not block[zero + 1 :, 0].any()
    assert block[zero + 1 :, plot.bins.columns].any()


@pytest.mark.parametrize("glyph_set", GlyphSet)
@pytest.mark.parametrize("height", [6, 9, 14, 30])
def test_the_overlay_falls_in_rows_of_its_own_and_leaves_the_bars_whole(glyph_set, height):
    bars = np.full(20, 5.0)
    counts = 500 * 0.7 ** np.arange(20)
    options = BarOptions(60, height, glyphs=glyph_set)
    plot = bar_plot(bars, options, Overlay("n_k", counts))
    area = plot.area
    block = plot.canvas.glyphs[area.top : area.bottom, area.left : area.right]
    full = GLYPHS[glyph_set].levels[-1]
    assert (block[:, bar_columns(area, plot.bins) >= 0] == full).all()
    assert (block[:, bar_columns(area, plot.bins) < 0] == " ").all()
    assert "n_k 0.5699 to 500 log" in to_text(plot.canvas)
    above = plot.canvas.glyphs[1 : area.top, area.left : area.right]
    drawn = above != " "
    assert drawn.any(axis=0)[bar_columns(area, plot.bins) >= 0].all() or glyph_set is GlyphSet.BRAILLE
    lengths = {"⠉": 0, "⠒": 1, "⠤": 2, "⣀": 3}
    if glyph_set is GlyphSet.BRAILLE:
        depth = [4 * row + lengths[one] for row, line in enumerate(above) for one in line if one in lengths]
        assert depth == sorted(depth)
        assert len(set(depth)) == 4 * len(above)
    else:
        steps = [GLYPHS[glyph_set].steps.index(one) for one in above[0][drawn[0]]]
        assert steps == sorted(steps, reverse=True)
        assert (steps[0], steps[-1]) == (7, 0)


def test_where_rows_are_few_bars_have_them_all():
    plot = bar_plot(np.ones(5), BarOptions(30, 4), Overlay("n_k", np.arange(1.0, 6.0)))
    assert plot.area.top == 1


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


def test_classes_with_names_are_called_by_them() -> None:
    names = tuple("abcdefghij")
    plot = bar_plot(np.arange(10.0), BarOptions(80, 12, names=names, cursor=3))
    last = plot.canvas.lines()[-1].split()
    assert last[0] == "head"
    assert last[-1] == "tail"
    assert "d" in last  # under the cursor
    assert {"c", "e"} <= set(last)
    assert "d: 3" in plot.canvas.lines()[0]
    with pytest.raises(ValueError, match="10 names for 3 values"):
        bar_plot(np.ones(3), BarOptions(80, 12, names=names))

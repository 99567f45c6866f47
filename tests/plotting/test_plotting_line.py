"""Does a line plot show every value, say what it cannot show, and read the right point?"""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.errors import UsageError
from wbtui.plotting import (
    BOLD,
    DEFAULT,
    DIM,
    OKABE_ITO,
    GlyphSet,
    LineOptions,
    Series,
    line_plot,
    series_style,
    to_text,
)
from wbtui.plotting.glyphs import GLYPHS

number = st.floats(width=64)
sizes = st.tuples(st.integers(1, 50), st.integers(1, 20))


@st.composite
def several(draw, most=4, values=number):
    rows = draw(st.lists(st.lists(values, min_size=1, max_size=30), min_size=1, max_size=most))
    return [
        Series.styled(f"run {index}", np.arange(len(row), dtype=float), np.array(row), series_style(index))
        for index, row in enumerate(rows)
    ]


def cells_of(plot, series):
    """Return rows and columns of the picture, and dots within the cell, where the points of a series lie."""
    x, y = plot.plane.across(series.x), plot.plane.down(series.y)
    known = np.isfinite(x) & np.isfinite(y)
    column, row = np.rint(x[known]).astype(int), np.rint(y[known]).astype(int)
    down, across = plot.plane.dot_rows, plot.plane.dot_columns
    return row // down, column // across, row % down, column % across


@given(several(), sizes, st.sampled_from(GlyphSet), st.booleans())
@settings(deadline=None, max_examples=300)
def test_any_numbers_at_any_size_make_a_picture_in_which_every_finite_point_is_lit(
    series, size, glyph_set, log_y
):
    options = LineOptions(
        *size, title="Accuracy", x_label="epoch", glyphs=glyph_set, log_y=log_y, cursor_x=3.0
    )
    plot = line_plot(series, options)
    canvas = plot.canvas
    assert canvas.glyphs.shape == (size[1], size[0])
    assert all(len(line) == size[0] and line.isprintable() for line in canvas.lines())
    area = plot.plane.area
    assert plot.dots.shape == (area.height, area.width)
    for one in series:
        row, column, *_ = cells_of(plot, one)
        assert len(row) == np.sum(np.isfinite(one.y) & ((one.y > 0) | (not log_y)))
        assert (plot.dots[row, column] > 0).all()
        assert (canvas.glyphs[area.top + row, area.left + column] != " ").all()


@given(several(), sizes)
@settings(deadline=None)
def test_a_solid_curve_lights_the_very_dot_of_each_point(series, size):
    solid = [Series(one.name, one.x, one.y) for one in series]
    plot = line_plot(solid, LineOptions(*size))
    bits = np.array(GLYPHS[GlyphSet.BRAILLE].dot_bits)
    for one in solid:
        row, column, dot_row, dot_column = cells_of(plot, one)
        assert (plot.dots[row, column] & bits[dot_row, dot_column] > 0).all()


@given(several(most=3), sizes, st.sampled_from(GlyphSet))
@settings(deadline=None)
def test_the_order_of_series_never_removes_a_dot(series, size, glyph_set):
    options = LineOptions(*size, glyphs=glyph_set, legend=False)
    plots = [line_plot(order, options) for order in itertools.permutations(series)]
    for plot in plots[1:]:
        np.testing.assert_array_equal(plot.dots, plots[0].dots)
        np.testing.assert_array_equal(plot.canvas.glyphs == " ", plots[0].canvas.glyphs == " ")


def test_dots_of_near_parallel_curves_are_all_kept():
    x = np.arange(200.0)
    rising = [50 - 40 * np.exp(-x / 30) + shift for shift in (0, 0.5, 1.0, 1.5)]
    series = [Series.styled(f"{index}", x, y, series_style(index)) for index, y in enumerate(rising)]
    options = LineOptions(120, 40, x_bounds=(0, 199), y_bounds=(10, 52), legend=False)
    alone = [line_plot([one], options).dots for one in series]
    np.testing.assert_array_equal(line_plot(series, options).dots, np.bitwise_or.reduce(alone))


def test_a_marker_covers_no_dot_of_another_curve():
    x = np.arange(100.0)
    series = [Series.styled(f"{i}", x, x * (1 + i / 50), series_style(i)) for i in range(4)]
    options = LineOptions(60, 15, x_bounds=(0, 99), y_bounds=(0, 106), legend=False)
    plot = line_plot(series, options)
    alone = [line_plot([one], options).dots > 0 for one in series]
    area = plot.plane.area
    glyphs = plot.canvas.glyphs[area.top : area.bottom, area.left : area.right]
    markers = GLYPHS[GlyphSet.BRAILLE].markers
    marked = np.isin(glyphs, list(markers))
    assert marked.sum() >= 4
    assert (np.sum(alone, axis=0)[marked] == 1).all()
    for index in range(4):
        assert (alone[index][glyphs == markers[index]]).all()


def test_nan_leaves_a_gap_and_infinity_is_a_gap_that_is_said():
    y = np.full(100, 5.0)
    y[40:60] = np.nan
    y[80] = np.inf
    plot = line_plot([Series("loss", np.arange(100.0), y)], LineOptions(102, 8, legend=False))
    lit = plot.dots.any(axis=0)
    first, last = plot.plane.area.width * 40 // 100 + 1, plot.plane.area.width * 59 // 100 - 1
    assert not lit[first:last].any()
    assert plot.notes == ("1 infinite",)
    assert plot.plane.y.high < 10


def test_values_that_a_logarithmic_axis_cannot_show_are_counted():
    y = np.array([100.0, 10.0, 0.0, -3.0, np.nan, 1.0])
    plot = line_plot([Series("loss", np.arange(6.0), y)], LineOptions(60, 12, title="Loss", log_y=True))
    assert plot.notes == ("log", "2 ≤ 0 not drawn")
    assert to_text(plot.canvas).startswith("Loss  log, 2 ≤ 0 not drawn")
    ascii_plot = line_plot(
        [Series("loss", np.arange(6.0), y)], LineOptions(60, 12, log_y=True, glyphs=GlyphSet.ASCII)
    )
    assert to_text(ascii_plot.canvas).isascii()


def test_nothing_to_draw_is_said():
    x = np.arange(3.0)
    assert "no values above 0" in to_text(
        line_plot([Series("a", x, -x)], LineOptions(40, 8, log_y=True)).canvas
    )
    assert "no values" in to_text(line_plot([Series("a", x, x * np.nan)], LineOptions(40, 8)).canvas)
    assert "no values" in to_text(line_plot([], LineOptions(40, 8)).canvas)


def test_smoothing_keeps_the_raw_curve_faint_and_stands_in_the_title():
    generator = np.random.default_rng(0)
    x = np.arange(300.0)
    noisy = Series.styled("wd", x, 40 + x / 20 + generator.normal(0, 3, 300), series_style(0))
    plain, smooth = (
        line_plot([noisy], LineOptions(80, 20, title="Accuracy", smoothing=factor)) for factor in (0.0, 0.9)
    )
    assert to_text(smooth.canvas).splitlines()[0].startswith("Accuracy  EMA 0.9")
    assert (plain.canvas.attributes & DIM)[plain.canvas.foreground == OKABE_ITO[0]].sum() == 0
    inside = smooth.plane.area
    attributes = smooth.canvas.attributes[inside.top : inside.bottom, inside.left : inside.right]
    assert (attributes[smooth.dots > 0] & DIM).any()
    assert not (attributes[smooth.dots > 0] & DIM).all()


def test_the_cursor_snaps_to_data_and_reads_each_series():
    every = Series("all", np.arange(0.0, 20.0), np.arange(0.0, 20.0) * 2)
    fifth = Series("fdr", np.array([0.0, 5.0, 10.0]), np.array([1.0, np.nan, 3.0]))
    plot = line_plot([every, fifth], LineOptions(60, 12, cursor_x=8.6, smoothing=0.5))
    assert plot.cursor_x == 8.0, "what is measured later is not known there"
    reading, other = plot.readings
    assert (reading.name, reading.x, reading.y) == ("all", 8.0, 16.0)
    assert reading.smoothed < reading.y
    assert other.x == 5.0
    assert np.isnan(other.y)
    later = line_plot([every, fifth], LineOptions(60, 12, cursor_x=15.2))
    assert later.cursor_x == 15.0
    assert np.isnan(later.readings[1].y)


def test_a_cursor_snaps_to_points_with_a_value_within_the_bounds():
    sparse = Series("fdr", np.arange(10.0), np.where(np.arange(10) % 5 == 0, 1.0, np.nan))
    assert line_plot([sparse], LineOptions(40, 8, cursor_x=4.0)).cursor_x == 0.0
    assert line_plot([sparse], LineOptions(40, 8, cursor_x=5.0)).cursor_x == 5.0
    later = Series("fdr", sparse.x + 3, sparse.y)
    assert line_plot([later], LineOptions(40, 8, cursor_x=1.0)).cursor_x == 3.0, "there is none before"
    assert line_plot([sparse], LineOptions(40, 8, cursor_x=9.0, x_bounds=(0.0, 3.0))).cursor_x == 0.0
    assert line_plot([], LineOptions(40, 8, cursor_x=4.0)).cursor_x is None


def test_cursors_of_two_panels_stand_below_each_other():
    x = np.arange(100.0)
    columns = []
    for height in (12, 25):
        plot = line_plot([Series("a", x, x)], LineOptions(80, height, cursor_x=40.0, legend=False))
        pointer = plot.canvas.lines()[-2].index("▲")
        columns.append(pointer)
        assert (plot.canvas.attributes[plot.dots.any(axis=1).nonzero()[0], pointer] & (BOLD | DIM)).any()
    assert columns[0] == columns[1]


def test_a_column_of_the_screen_is_an_x_of_the_data():
    plot = line_plot([Series("a", np.arange(101.0), np.arange(101.0))], LineOptions(80, 12, cursor_x=40.0))
    pointer = plot.canvas.lines()[-2].index("▲")
    assert abs(plot.plane.x_at(pointer) - 40) < 1.5
    assert plot.plane.x_at(-5) == 0.0
    assert plot.plane.x_at(500) == 100.0


def test_bounds_zoom_and_vertical_bounds_follow_what_is_visible():
    x = np.arange(101.0)
    plot = line_plot([Series("a", x, x**2)], LineOptions(60, 12, x_bounds=(10.0, 20.0)))
    assert (plot.plane.y.low, plot.plane.y.high) == (100.0, 400.0)
    assert plot.dots.any(axis=0).all()


def test_series_out_of_order_are_drawn_in_order():
    shuffled = np.array([3.0, 1.0, 2.0, 0.0])
    options = LineOptions(30, 8)
    np.testing.assert_array_equal(
        line_plot([Series("a", shuffled, shuffled)], options).dots,
        line_plot([Series("a", np.sort(shuffled), np.sort(shuffled))], options).dots,
    )


def test_series_differ_by_colour_marker_and_dash():
    styles = [series_style(index) for index in range(64)]
    assert len(set(styles)) == 64
    assert len({style.colour for style in styles[:8]}) == 8
    assert len({style.marker for style in styles[:8]}) == 8
    assert len({style.dash for style in styles[:6]}) == 6
    assert len(set(OKABE_ITO)) == 8
    assert DEFAULT in OKABE_ITO
    for glyphs in GLYPHS.values():
        assert len(set(glyphs.markers)) == 8


def test_the_legend_says_how_many_names_it_leaves_out():
    x = np.arange(5.0)
    series = [Series.styled(f"a long name {i}", x, x + i, series_style(i)) for i in range(6)]
    text = to_text(line_plot(series, LineOptions(40, 12, title="Accuracy")).canvas)
    shown = sum(f"name {i}" in text for i in range(6))
    assert f"+{6 - shown}" in text


def test_names_of_strangers_cannot_escape_into_the_terminal():
    series = [Series("\x1b[31mred\x07\n[b]x[/b]", np.arange(3.0), np.arange(3.0))]
    text = to_text(line_plot(series, LineOptions(80, 10, title="表\x1b]0;x\x07", x_label="\t")).canvas)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[b]x[/b]" in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (-1, 5), (5, 100_000)])
def test_impossible_sizes_are_refused(width, height):
    with pytest.raises(UsageError, match="expected 1 to"):
        line_plot([], LineOptions(width, height))


def test_a_series_needs_as_many_x_as_y():
    with pytest.raises(ValueError, match="equal length"):
        Series("a", np.arange(3.0), np.arange(4.0))


def test_an_impossible_smoothing_factor_is_refused():
    with pytest.raises(UsageError, match="smoothing factor"):
        line_plot([Series("a", np.arange(3.0), np.arange(3.0))], LineOptions(20, 5, smoothing=-0.5))


def test_places_that_are_items_carry_their_names() -> None:
    series = [Series("", np.arange(10.0), np.arange(10.0))]
    last = line_plot(series, LineOptions(60, 12, x_names=tuple("abcdefghij"))).canvas.lines()[-1]
    assert {"c", "e", "g"} <= set(last.split()) <= set("abcdefghij")

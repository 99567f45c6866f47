"""Is the spread around a curve seen at every size and without colour, and does it hide nothing?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.plotting import DIM, Band, GlyphSet, LineOptions, Series, line_plot, series_style
from wbtui.plotting.glyphs import GLYPHS

values = st.lists(st.tuples(st.floats(width=64), st.floats(width=64)), min_size=1, max_size=30)
sizes = st.tuples(st.integers(1, 50), st.integers(1, 20))


def band_of(pairs: list[tuple[float, float]]) -> Band:
    """A band over 0, 1, 2 ... between the two numbers of each pair."""
    ends = np.array(pairs, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        low, high = np.minimum(*ends.T), np.maximum(*ends.T)
    return Band("wd", np.arange(float(len(ends))), low, high, series_style(0).colour)


@given(values, sizes, st.sampled_from(GlyphSet), st.booleans())
@settings(deadline=None, max_examples=300)
def test_a_band_of_any_numbers_stays_inside_the_picture_and_shows_each_of_its_ends(
    pairs, size, glyph_set, log_y
):
    band = band_of(pairs)
    options = LineOptions(*size, title="Accuracy", glyphs=glyph_set, log_y=log_y)
    plot = line_plot([], options, [band])
    assert plot.canvas.glyphs.shape == (size[1], size[0])
    assert all(len(line) == size[0] and line.isprintable() for line in plot.canvas.lines())
    area = plot.plane.area
    assert plot.dots.shape == (area.height, area.width)
    whole = np.isfinite(band.low) & np.isfinite(band.high)
    columns = np.rint(plot.plane.across(band.x[whole])).astype(int)
    for ends, outermost in ((band.high[whole], min), (band.low[whole], max)):
        rows = plot.plane.down(ends)
        for column in set(columns[np.isfinite(rows)]):
            here = np.rint(rows[np.isfinite(rows) & (columns == column)]).astype(int)
            row = outermost(here) // plot.plane.dot_rows
            assert plot.dots[row, column // plot.plane.dot_columns] > 0
            glyph = plot.canvas.glyphs[area.top + row, area.left + column // plot.plane.dot_columns]
            assert glyph != " "


@given(values, values, sizes, st.sampled_from(GlyphSet))
@settings(deadline=None)
def test_a_band_removes_no_dot_of_a_curve(pairs, others, size, glyph_set):
    band = band_of(pairs)
    y = np.array([first for first, _ in others])
    curve = Series.styled("ce", np.arange(float(len(y))), y, series_style(1))
    options = LineOptions(*size, glyphs=glyph_set, x_bounds=(0, 20), y_bounds=(-50, 50), legend=False)
    alone, together = line_plot([curve], options), line_plot([curve], options, [band])
    np.testing.assert_array_equal(together.dots & alone.dots, alone.dots)
    area = together.plane.area
    inside = np.s_[area.top : area.bottom, area.left : area.right]
    curved = alone.dots > 0
    assert (together.canvas.foreground[inside][curved] == curve.colour).all()
    assert not (together.canvas.attributes[inside][curved] & DIM).any()


def test_the_bounds_hold_the_band():
    x = np.arange(10.0)
    curve = Series("wd", x, np.full(10, 5.0))
    plot = line_plot([curve], LineOptions(60, 12), [Band("wd", x, np.full(10, 1.0), np.full(10, 9.0))])
    assert (plot.plane.y.low, plot.plane.y.high) == (1.0, 9.0)
    assert plot.plane.x.high == 9.0


@pytest.mark.parametrize("glyph_set", GlyphSet)
def test_where_there_is_no_spread_the_band_has_a_gap(glyph_set):
    x = np.arange(100.0)
    low, high = np.full(100, 2.0), np.full(100, 8.0)
    low[40:60] = np.nan
    high[80:] = np.inf
    options = LineOptions(104, 12, glyphs=glyph_set, legend=False, x_bounds=(0, 99), y_bounds=(0, 10))
    plot = line_plot([], options, [Band("wd", x, low, high)])
    area = plot.plane.area
    drawn = (plot.canvas.glyphs[area.top : area.bottom, area.left : area.right] != " ").any(axis=0)
    for first, last, expected in ((2, 38, True), (41, 58, False), (62, 78, True), (81, 98, False)):
        columns = np.arange(area.width * first // 100 + 1, area.width * last // 100)
        assert (drawn[columns] == expected).all()


@pytest.mark.parametrize("glyph_set", GlyphSet)
def test_without_colour_the_edges_and_the_room_between_them_differ_from_curves(glyph_set):
    x = np.arange(60.0)
    options = LineOptions(70, 22, glyphs=glyph_set, legend=False, x_bounds=(0, 59), y_bounds=(0, 100))
    plot = line_plot(
        [Series("wd", x, np.full(60, 50.0))],
        options,
        [Band("wd", x, np.full(60, 20.0), np.full(60, 80.0))],
    )
    glyphs, area = GLYPHS[glyph_set], plot.plane.area
    column = area.left + 30
    cells = plot.canvas.glyphs[area.top : area.bottom, column].tolist()
    drawn = [place for place, cell in enumerate(cells) if cell not in (" ", glyphs.band)]
    rows = [plot.plane.row_at(at) - area.top for at in (0.8, 0.5, 0.2)]
    assert drawn == rows
    upper, middle, lower = (cells[row] for row in rows)
    assert middle not in (upper, lower)
    between = cells[rows[0] + 1 : rows[1]] + cells[rows[1] + 1 : rows[2]]
    assert set(between) == {glyphs.band}
    assert (plot.canvas.attributes[area.top + np.array([rows[0], rows[2]]), column] & DIM).all()


def test_on_a_logarithmic_axis_a_band_that_reaches_zero_goes_to_the_bottom():
    x = np.arange(40.0)
    options = LineOptions(50, 20, log_y=True, legend=False, y_bounds=(0.01, 100.0))
    plot = line_plot([], options, [Band("loss", x, np.full(40, -1.0), np.full(40, 10.0))])
    area = plot.plane.area
    middle = plot.canvas.glyphs[area.top : area.bottom, area.left + 20]
    top = plot.plane.row_at(0.75) - area.top
    assert (middle[:top] == " ").all()
    assert (middle[top + 1 :] == "·").all()


def test_a_noisy_edge_is_a_dot_a_column_at_its_outermost_point_however_far_it_jumps():
    x = np.arange(396.0)
    jump = np.where(np.arange(396) % 2, 20.0, 90.0)
    options = LineOptions(104, 30, legend=False, x_bounds=(0, 395), y_bounds=(-100, 100))
    plot = line_plot([], options, [Band("wd", x, np.full(396, -80.0), jump)])
    height, width = plot.dots.shape
    expected = np.zeros((height, width), dtype=int)
    expected[[plot.plane.row_at(at) - plot.plane.area.top for at in (0.95, 0.1)]] = 1
    np.testing.assert_array_equal(np.bitwise_count(plot.dots), expected)


def test_parts_of_another_length_are_refused():
    with pytest.raises(ValueError, match="equal length"):
        Band("wd", np.zeros(3), np.zeros(3), np.zeros(2))

"""Do heatmaps and sparklines show each number, its extremes and what is missing?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from wbtui.plotting import Colormap, GlyphSet, HeatmapOptions, heatmap, sparkline, to_text
from wbtui.plotting.bins import stretched_means
from wbtui.plotting.names import told_apart

tables = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=25))


@given(
    tables,
    st.tuples(st.integers(1, 40), st.integers(1, 20)),
    st.sampled_from(GlyphSet),
    st.booleans(),
    st.booleans(),
    st.sampled_from(Colormap),
)
@settings(deadline=None, max_examples=200)
def test_any_numbers_at_any_size_make_a_picture(table, size, glyph_set, colour, log, colormap):
    options = HeatmapOptions(
        *size, title="FDR", glyphs=glyph_set, colour=colour, log=log, colormap=colormap, cursor_x=3.0
    )
    canvas = heatmap(table, options).canvas
    assert canvas.glyphs.shape == (size[1], size[0])
    assert all(len(line) == size[0] and line.isprintable() for line in canvas.lines())


@given(
    arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.floats(-1e3, 1e3) | st.just(np.nan),
    ),
    st.integers(1, 15),
    st.integers(1, 15),
)
@settings(deadline=None)
def test_resampled_tables_are_means_of_the_entries_of_each_cell(table, rows, columns):
    have_rows, have_columns = table.shape
    expected = np.full((rows, columns), np.nan)
    for row in range(rows):
        for column in range(columns):
            members = [
                table[i, j]
                for i in _members(row, have_rows, rows)
                for j in _members(column, have_columns, columns)
                if np.isfinite(table[i, j])
            ]
            if members:
                expected[row, column] = sum(members) / len(members)
    np.testing.assert_allclose(stretched_means(table, rows, columns), expected, rtol=1e-9, atol=1e-9)


def _members(cell, have, size):
    if have <= size:
        return [cell * have // size]
    return [index for index in range(have) if index * size // have == cell]


def test_half_blocks_hold_two_rows_a_cell():
    table = np.arange(8.0).reshape(4, 2)
    plot = heatmap(table, HeatmapOptions(2, 2))
    assert (plot.area.height, plot.area.width) == (2, 2)
    colours = Colormap.SEQUENTIAL.table()[np.rint(table / 7 * 255).astype(int)]
    np.testing.assert_array_equal(plot.canvas.foreground, colours[::2])
    np.testing.assert_array_equal(plot.canvas.background, colours[1::2])
    assert (plot.canvas.glyphs == "▀").all()


def test_missing_entries_stay_empty_and_infinite_ones_are_counted():
    table = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, 3.0], [4.0, np.inf]])
    plot = heatmap(table, HeatmapOptions(2, 2))
    assert plot.canvas.lines() == ["▀ ", "▄▀"]
    assert plot.canvas.background.tolist()[1] == [-1, -1]
    assert plot.notes == ("1 infinite",)
    assert heatmap(table, HeatmapOptions(2, 2, colour=False)).canvas.lines() == ["· ", "█▓"]


def test_without_colour_density_follows_the_value():
    plot = heatmap(np.arange(5.0)[None], HeatmapOptions(5, 1, colour=False))
    assert plot.canvas.lines() == ["·░▒▓█"]
    assert (plot.canvas.foreground == -1).all()


def test_a_diverging_map_is_grey_at_zero():
    plot = heatmap(np.array([[-1.0, 0.0, 4.0]]), HeatmapOptions(3, 1, colormap=Colormap.DIVERGING))
    red, green, blue = (int(plot.canvas.foreground[0, 1]) >> shift & 255 for shift in (16, 8, 0))
    assert max(red, green, blue) - min(red, green, blue) <= 4


def test_a_table_larger_than_the_area_says_what_a_cell_is():
    plot = heatmap(np.ones((100, 320)), HeatmapOptions(60, 14, title="Accuracy by class"))
    down, across = -(-100 // (2 * plot.area.height)), -(-320 // plot.area.width)
    assert plot.notes == (f"mean of ≤ {down} x {across} entries",)
    assert plot.notes[0] in to_text(plot.canvas)


def test_the_scale_spans_what_is_drawn_and_not_what_was_averaged_away():
    values = np.linspace(0.0, 1.0, 4000)[None]
    values[0, 2000] = 10.0
    plot = heatmap(values, HeatmapOptions(60, 4, colour=False, glyphs=GlyphSet.ASCII))
    shades = plot.canvas.lines()[plot.area.top][plot.area.left :]
    assert (shades[0], shades[-1], len(set(shades))) == (".", "@", 9)


def test_the_colour_scale_stands_before_notes_and_before_the_end_of_a_title():
    title = "5 Feature norm by class train"

    def heading(width, log=False):
        table = np.linspace(0.5, 12.5, 4).repeat(25 * 320).reshape(100, 320)
        return heatmap(table, HeatmapOptions(width, 14, title=title, log=log)).canvas.lines()[0]

    assert heading(36) == "5 Feature norm by cl…  0.5 ████ 12.5"
    assert heading(50) == f"{title}  0.5 ██████████ 12.5"
    assert heading(80) == f"{title}  mean of ≤ 5 x 5 entries       0.5 ██████████ 12.5"
    assert heading(36, log=True) == "5 Feature norm b…  log 0.5 ████ 12.5"
    assert heading(20) == "5 Feature norm by c…"


def test_rows_carry_their_names_and_columns_their_epochs():
    plot = heatmap(
        np.ones((3, 11)),
        HeatmapOptions(
            60, 12, row_names=("conv1", "layer1", "fc"), x_range=(10, 20), x_label="epoch", cursor_x=14.2
        ),
    )
    text = to_text(plot.canvas)
    assert all(f"{name}┤" in text for name in ("conv1", "layer1", "fc"))
    assert (plot.cursor_x, plot.column) == (14.0, 4)
    assert "epoch" in text


def test_names_must_be_as_many_as_rows():
    with pytest.raises(ValueError, match="a name for each row"):
        heatmap(np.ones((2, 2)), HeatmapOptions(10, 5, row_names=("a",)))


def test_a_sparkline_keeps_a_spike_among_ten_thousand_values():
    values = np.zeros(10_000)
    values[1_234] = 1.0
    assert to_text(sparkline(values, 20)).count("█") == 1


def test_a_sparkline_of_a_rising_curve_rises_and_leaves_gaps():
    line = to_text(sparkline(np.arange(8.0), 8))
    assert line == "▁▂▃▄▅▆▇█"
    assert to_text(sparkline(np.array([0.0, np.nan, 1.0, np.inf, 2.0]), 9)) == "▁ ▅ █"
    assert to_text(sparkline(np.arange(8.0), 8, glyphs=GlyphSet.ASCII)).isascii()


@given(arrays(np.float64, st.integers(0, 100)), st.integers(1, 30), st.sampled_from(GlyphSet))
@settings(deadline=None)
def test_any_numbers_make_a_sparkline(values, width, glyph_set):
    canvas = sparkline(values, width, glyphs=glyph_set)
    assert canvas.glyphs.shape == (1, width)
    finite = values[np.isfinite(values)]
    assert (canvas.glyphs != " ").any() == (len(finite) > 0)


LAYERS = (
    "bn1",
    *(f"layer{stage}.{block}.bn{n}" for stage in (1, 2, 3) for block in range(5) for n in (1, 2)),
)


@pytest.mark.parametrize("width", [39, 45, 58, 80, 118])
def test_rows_of_layers_are_told_apart_beside_a_heatmap(width):
    options = HeatmapOptions(width, 2 * len(LAYERS), row_names=LAYERS, colour=False)
    lines = to_text(heatmap(np.arange(2.0 * len(LAYERS)).reshape(-1, 2), options).canvas).splitlines()
    labels = [line.split("┤")[0].strip() for line in lines if "┤" in line]
    assert len(labels) == len(LAYERS) == len(set(labels))
    assert labels[0] == "bn1"
    assert labels[-1].startswith("l")
    assert labels[-1].endswith("2")


@given(st.lists(st.text("abc.1", max_size=12), max_size=6), st.integers(1, 9), st.integers(0, 6))
def test_names_are_cut_no_more_than_they_must_and_never_beyond_their_room(names, width, more):
    found = told_apart(tuple(names), width, width + more, "…")
    assert all(len(name) <= width + more for name in found)
    if all(len(name) <= width for name in names):
        assert found == tuple(names)


def test_a_name_is_cut_at_its_end_where_that_tells_it_apart():
    assert told_apart(("accuracy", "cosine"), 5, 9, "…") == ("accu…", "cosi…")
    assert told_apart(("layer1.0.bn1", "layer1.0.bn2"), 7, 12, "…") == ("layer…1", "layer…2")
    assert told_apart(("ab.x1", "ac.x1", "ab.x2"), 3, 4, "…") == ("ab…1", "ac…1", "ab…2")
    assert told_apart(("abcdef", "abxdef"), 3, 4, "…") == ("abc…", "abx…")
    assert told_apart(("abcdef", "abxdef"), 3, 3, "…") == ("ab…", "ab…")


def test_columns_that_are_items_carry_their_names() -> None:
    options = HeatmapOptions(72, 8, column_names=("ape", "bee", "cow", "a name of twenty one"))
    last = heatmap(np.arange(8.0).reshape(2, 4), options).canvas.lines()[-1]
    assert last.split() == ["ape", "bee", "cow", "a", "name", "of", "t…"]
    with pytest.raises(ValueError, match="1 names for 2 columns"):
        heatmap(np.ones((2, 2)), HeatmapOptions(10, 5, column_names=("a",)))

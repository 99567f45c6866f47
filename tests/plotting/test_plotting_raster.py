"""Does a curve light the dots that it passes, and no others?"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.plotting.glyphs import GLYPHS, GlyphSet
from wbtui.plotting.palette import DASHES
from wbtui.plotting.raster import dashed, pack, trace

inside = st.floats(0, 1)
points = st.lists(st.tuples(inside, inside), min_size=1, max_size=30)


def scaled(pairs, rows, columns):
    ordered = np.array(sorted(pairs))
    return ordered[:, 0] * (columns - 1), ordered[:, 1] * (rows - 1)


@given(points, st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None)
def test_every_point_lights_its_own_dot(pairs, rows, columns):
    x, y = scaled(pairs, rows, columns)
    lit = trace(x, y, rows, columns)
    assert lit.shape == (rows, columns)
    assert lit[np.rint(y).astype(int), np.rint(x).astype(int)].all()


@given(points, st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None)
def test_lit_dots_are_those_near_the_polyline(pairs, rows, columns):
    """Walk the polyline in small steps: every step is near a lit dot, every lit dot near a step."""
    x, y = scaled(pairs, rows, columns)
    lit = np.argwhere(trace(x, y, rows, columns))[:, ::-1].astype(float)
    t = np.linspace(0, len(x) - 1, 200 * len(x))
    walk = np.stack([np.interp(t, np.arange(len(x)), x), np.interp(t, np.arange(len(x)), y)], axis=1)
    apart = np.abs(lit[:, None] - walk[None]).max(axis=2)
    assert apart.min(axis=0).max() <= 1.0
    assert apart.min(axis=1).max() <= 0.75


def test_a_gentle_slope_is_one_dot_thick():
    lit = trace(np.array([0.0, 99.0]), np.array([0.0, 20.0]), 30, 100)
    assert (lit.sum(axis=0) == 1).all()


def test_a_steep_slope_is_one_dot_thick():
    lit = trace(np.array([0.0, 9.0]), np.array([0.0, 99.0]), 100, 10)
    assert (lit.sum(axis=1) == 1).all()


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=5)
def test_ten_thousand_points_light_what_their_segments_light_one_by_one(seed):
    generator = np.random.default_rng(seed)
    x = np.sort(generator.uniform(0, 59, 2_000))
    y = generator.uniform(0, 39, 2_000)
    one_by_one = np.zeros((40, 60), dtype=bool)
    for start in range(len(x) - 1):
        one_by_one |= trace(x[start : start + 2], y[start : start + 2], 40, 60)
    np.testing.assert_array_equal(trace(x, y, 40, 60), one_by_one)


def test_a_spike_among_ten_thousand_points_stays():
    y = np.full(10_000, 20.0)
    y[7_213] = 0.0
    lit = trace(np.linspace(0, 99, 10_000), y, 21, 100)
    assert lit[0].sum() == 1
    assert lit[:, np.flatnonzero(lit[0])[0]].all()


def test_nan_leaves_a_gap_and_a_lone_point_is_lit():
    y = np.full(31, 5.0)
    y[[10, 11, 12, 14, 15, 16]] = np.nan
    lit = trace(np.arange(31.0), y, 11, 31)
    assert np.flatnonzero(~lit.any(axis=0)).tolist() == [10, 11, 12, 14, 15, 16]


@given(
    st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=2, max_size=20),
    st.integers(1, 20),
    st.integers(1, 20),
)
@settings(deadline=None)
def test_a_curve_that_leaves_the_raster_is_cut_at_its_edge(pairs, rows, columns):
    x, y = np.array(sorted(pairs)).T
    narrow = trace(x, y, rows, columns)
    wide = trace(x + 7, y + 5, rows + 12, columns + 15)[5 : 5 + rows, 7 : 7 + columns]
    # moving by whole dots rounds halves of huge coordinates differently, but not what is cut
    if np.abs(np.concatenate((x, y))).max() < 1e3 and not np.any(np.concatenate((x, y)) % 1 == 0.5):
        assert (narrow != wide).mean() <= 0.05
    assert narrow.shape == (rows, columns)


def test_a_segment_across_the_whole_raster_is_drawn_where_it_is_inside():
    lit = trace(np.array([-100.0, 109.0]), np.array([-100.0, 109.0]), 10, 10)
    np.testing.assert_array_equal(lit, np.eye(10, dtype=bool))


def test_each_dot_of_a_cell_has_its_own_bit():
    for glyph_set, per_cell in ((GlyphSet.BRAILLE, 8), (GlyphSet.BLOCK, 4), (GlyphSet.ASCII, 2)):
        glyphs = GLYPHS[glyph_set]
        seen = set()
        for row in range(glyphs.dot_rows):
            for column in range(glyphs.dot_columns):
                lit = np.zeros((2 * glyphs.dot_rows, 3 * glyphs.dot_columns), dtype=bool)
                lit[glyphs.dot_rows + row, glyphs.dot_columns + column] = True
                cells = pack(lit, glyphs)
                assert np.argwhere(cells).tolist() == [[1, 1]]
                seen.add(int(cells[1, 1]))
        assert len(seen) == per_cell
        assert sum(seen) == len(glyphs.table) - 1 == glyphs.all_bits


def test_braille_bits_are_those_of_unicode():
    """The name of a braille character lists its dots: 1 2 3 7 down the left column, 4 5 6 8 down the right."""
    glyphs = GLYPHS[GlyphSet.BRAILLE]
    for row, numbers in enumerate(((1, 4), (2, 5), (3, 6), (7, 8))):
        for column, dot in enumerate(numbers):
            assert glyphs.table[glyphs.dot_bits[row][column]] == chr(0x2800 + (1 << (dot - 1)))


@given(st.lists(st.integers(0, 255), min_size=1, max_size=40), st.sampled_from(DASHES))
def test_a_dash_thins_a_curve_and_never_interrupts_it(cells, pattern):
    whole = np.array([cells], dtype=np.uint8)
    thin = dashed(whole, pattern, GLYPHS[GlyphSet.BRAILLE])
    np.testing.assert_array_equal(thin > 0, whole > 0)
    np.testing.assert_array_equal(thin & ~whole, np.zeros_like(whole))


def test_level_curves_of_different_dashes_look_different():
    glyphs = GLYPHS[GlyphSet.BRAILLE]
    level = np.full((1, 12), 0x09, dtype=np.uint8)
    assert len({dashed(level, pattern, glyphs).tobytes() for pattern in DASHES}) == len(DASHES)

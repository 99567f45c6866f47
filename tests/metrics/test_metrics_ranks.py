"""Does Spearman's correlation agree with scipy's?"""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from wbtui.metrics import spearman, without_rounding

pairs = st.lists(st.tuples(st.integers(-4, 4), st.floats(-1e3, 1e3)), min_size=2, max_size=40)


@settings(deadline=None)
@given(pairs)
def test_agrees_with_scipy_ties_included(values):
    first, second = np.array(values, dtype=float).T
    assume(np.unique(first).size > 1)
    assume(np.unique(second).size > 1)
    assert spearman(first, second) == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-12)


def test_pairs_with_nan_are_left_out():
    first = np.array([1.0, 2.0, np.nan, 3.0, 4.0])
    second = np.array([1.0, np.nan, 9.0, 5.0, 2.0])
    assert spearman(first, second) == pytest.approx(spearman(first[[0, 3, 4]], second[[0, 3, 4]]))


@pytest.mark.parametrize("second", [[2.0, 2.0, 2.0], [1.0, np.nan, np.nan], [np.nan, np.nan, np.nan]])
def test_constant_or_too_short_is_nan(second):
    assert math.isnan(spearman(np.array([1.0, 2.0, 3.0]), np.array(second)))


def test_values_that_float32_cannot_tell_apart_are_no_ties():
    assert spearman(np.array([1.0, 1.0 + 1e-10, 1.0 + 2e-10]), np.array([3, 2, 1])) == pytest.approx(-1.0)
    assert spearman(np.array([1, 2, 3]), np.array([1.0, 1.0 + 1e-10, 1.0 + 2e-10])) == pytest.approx(1.0)


@pytest.mark.parametrize("second", [np.ones(4), np.ones((3, 1)), np.ones((1, 3))])
def test_different_shapes_are_refused(second):
    with pytest.raises(ValueError, match="expected both"):
        spearman(np.ones(3), second)
    with pytest.raises(ValueError, match="expected both"):
        spearman(second.reshape(1, -1), second.reshape(1, -1))


def test_values_that_differ_by_rounding_alone_are_one():
    values = np.array([0.5, 0.3, 0.3 * (1 + 2e-7), np.nan, 0.3 * (1 - 2e-7), 0.1, 0.10001])
    merged = without_rounding(values)
    least = values[4]
    assert merged[[1, 2, 4]].tolist() == [least] * 3
    assert merged[[0, 5, 6]].tolist() == values[[0, 5, 6]].tolist()
    assert np.isnan(merged[3])
    for factor in (
        2.0**-40,
        -(2.0**-40),
        2.0**40,
    ):  # what is rounding depends on the size of the values alone
        least = factor * values[[1, 2, 4]].max() if factor < 0 else factor * values[4]
        assert without_rounding(factor * values)[[1, 2, 4]].tolist() == [least] * 3
        assert without_rounding(factor * values)[[0, 5, 6]].tolist() == (factor * values)[[0, 5, 6]].tolist()
    assert without_rounding(np.zeros(3)).tolist() == [0.0] * 3
    assert without_rounding(np.array([])).shape == (0,)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20), st.integers(0, 100))
def test_merging_keeps_the_order_and_moves_nothing_far(values, seed):
    shaken = np.array(values) * (1 + np.random.default_rng(seed).uniform(-1e-8, 1e-8, len(values)))
    merged = without_rounding(shaken)
    order = np.argsort(shaken)
    assert (np.diff(merged[order]) >= 0).all()
    assert np.abs(merged - shaken).max() <= 1e-6 * len(values) * shaken.max()

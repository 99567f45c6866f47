"""Does Spearman's correlation agree with scipy's?"""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from wbtui.metrics import spearman

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


@pytest.mark.parametrize("second", [[2.0, 2.0, 2.0], [1.0, np.nan, np.nan]])
def test_constant_or_too_short_is_nan(second):
    assert math.isnan(spearman(np.array([1.0, 2.0, 3.0]), np.array(second)))


def test_different_shapes_are_refused():
    with pytest.raises(ValueError, match="expected both"):
        spearman(np.ones(3), np.ones(4))

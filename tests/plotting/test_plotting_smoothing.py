"""Is the moving average the one that its definition names?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.errors import UsageError
from wbtui.plotting import ema

values = st.lists(st.floats(-1e6, 1e6) | st.just(np.nan) | st.just(np.inf), max_size=200)


def one_by_one(row, factor):
    state, weight, averages = 0.0, 0.0, []
    for value in row:
        if not np.isfinite(value):
            averages.append(np.nan)
            continue
        state = factor * state + (1 - factor) * value
        weight = factor * weight + (1 - factor)
        averages.append(state / weight)
    return averages


@given(values, st.floats(0, 0.999))
@settings(deadline=None)
def test_average_follows_the_recurrence(row, factor):
    largest = max((abs(value) for value in row if np.isfinite(value)), default=1.0)
    np.testing.assert_allclose(
        ema(np.array(row), factor), one_by_one(row, factor), rtol=1e-9, atol=1e-9 * largest
    )


def test_average_of_a_constant_is_the_constant_from_the_first_value_on():
    np.testing.assert_allclose(ema(np.full(10_000, 43.1), 0.99), 43.1)


def test_average_leaves_its_argument_alone():
    row = np.arange(10.0)
    ema(row, 0.5)
    np.testing.assert_array_equal(row, np.arange(10.0))


@pytest.mark.parametrize("factor", [-0.1, 1.0, np.nan])
def test_impossible_factors_are_refused(factor):
    with pytest.raises(UsageError, match="less than 1"):
        ema(np.arange(3.0), factor)

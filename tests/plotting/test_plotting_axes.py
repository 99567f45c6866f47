"""Do axes span what can be drawn and carry round numbers that are true?"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wbtui.errors import UsageError
from wbtui.plotting.scale import Scale, finite_bounds
from wbtui.plotting.ticks import number, ticks

finite = st.floats(allow_nan=False, allow_infinity=False)
ordinary = st.floats(-1e12, 1e12)
UNITS = {"k": 1e3, "M": 1e6, "G": 1e9}


def parsed(label):
    return float(label[:-1]) * UNITS[label[-1]] if label[-1] in UNITS else float(label)


@given(ordinary, st.floats(1e-6, 1e12), st.integers(2, 12))
@settings(deadline=None)
def test_ticks_stand_at_the_numbers_that_they_name(low, span, most):
    assume(low + span > low + 1e-6 * abs(low))
    scale = Scale.spanning(low, low + span)
    chosen = ticks(scale, most)
    assert len(chosen) >= 2
    values = np.array([scale.value(tick.fraction) for tick in chosen])
    np.testing.assert_allclose([parsed(tick.label) for tick in chosen], values, rtol=1e-6, atol=1e-6 * span)
    assert all(0 <= tick.fraction <= 1 for tick in chosen)
    steps = np.diff(values)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-3)
    mantissa = steps[0] / 10 ** np.floor(np.log10(steps[0]) + 1e-4)
    assert min(abs(mantissa - round_one) for round_one in (1, 2, 5, 10)) < 1e-2
    assert len(chosen) <= max(most, 5)


@given(finite, finite, st.integers(1, 12), st.booleans())
@settings(deadline=None)
def test_any_two_finite_bounds_make_an_axis(a, b, most, log):
    low, high = min(a, b), max(a, b)
    assume(not log or low > 0)
    scale = Scale.spanning(low, high, log=log)
    fractions = scale.fraction(np.array([low, high]))
    assert ((fractions >= -1e-9) & (fractions <= 1 + 1e-9)).all()
    chosen = ticks(scale, most)
    assert all(0 <= tick.fraction <= 1 and tick.label for tick in chosen)
    assert [tick.fraction for tick in chosen] == sorted({tick.fraction for tick in chosen})


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0, 100, 6, ["0", "20", "40", "60", "80", "100"]),
        (0.31, 0.72, 5, ["0.4", "0.5", "0.6", "0.7"]),
        (0, 0.05, 6, ["0.00", "0.01", "0.02", "0.03", "0.04", "0.05"]),
        (0, 1_200_000, 4, ["0", "0.5M", "1.0M"]),
        (0, 50_000, 6, ["0", "10k", "20k", "30k", "40k", "50k"]),
        (0, 320, 4, ["0", "100", "200", "300"]),
        (-1, 1, 3, ["-1", "0", "1"]),
        (0, 4e-5, 4, ["0", "2e-5", "4e-5"]),
    ],
)
def test_labels_have_as_many_digits_as_the_step_needs(low, high, most, labels):
    chosen = [tick.label for tick in ticks(Scale.spanning(low, high), most)]
    assert [label.lstrip("0.") or "0" for label in chosen] == [label.lstrip("0.") or "0" for label in labels]


def test_whole_axes_have_whole_ticks():
    labels = [tick.label for tick in ticks(Scale.spanning(1, 3), 12, whole=True)]
    assert labels == ["1", "2", "3"]


def test_a_logarithmic_axis_carries_powers_of_ten():
    scale = Scale.spanning(0.002, 4_000, log=True)
    assert [tick.label for tick in ticks(scale, 9)] == ["0.01", "0.1", "1", "10", "100", "1000"]
    assert len(ticks(scale, 3)) <= 4


def test_a_short_logarithmic_axis_carries_round_numbers():
    labels = [float(tick.label) for tick in ticks(Scale.spanning(2.0, 7.0, log=True), 6)]
    assert labels == [2, 3, 4, 5, 6, 7]


def test_what_is_not_finite_never_touches_the_bounds():
    values = np.array([np.nan, 3.0, np.inf, -2.0, -np.inf])
    assert finite_bounds([values, np.array([np.nan])]) == (-2.0, 3.0)
    assert finite_bounds([values], positive=True) == (3.0, 3.0)
    assert finite_bounds([np.array([np.nan, np.inf])]) is None
    assert finite_bounds([np.array([])]) is None


def test_fractions_of_what_cannot_be_drawn_are_nan():
    scale = Scale.spanning(1.0, 100.0, log=True)
    at = scale.fraction(np.array([0.0, -1.0, np.nan, np.inf, 10.0]))
    np.testing.assert_allclose(at, [np.nan, np.nan, np.nan, np.nan, 0.5])


@pytest.mark.parametrize(
    ("low", "high", "log", "said"),
    [(1.0, 0.0, False, "lower first"), (0.0, np.inf, False, "lower first"), (0.0, 1.0, True, "above 0")],
)
def test_impossible_bounds_are_refused(low, high, log, said):
    with pytest.raises(UsageError, match=said):
        Scale.spanning(low, high, log=log)


@pytest.mark.parametrize(
    ("value", "text"),
    [(43.123456, "43.12"), (np.nan, "-"), (1.23456e-7, "1.235e-7"), (12_810.0, "12810"), (0.071, "0.071")],
)
def test_measured_values_are_written_in_four_digits(value, text):
    assert number(value) == text

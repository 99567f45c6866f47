"""Is calibration error what its definition says?"""

import math

import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax

from wbtui.metrics import expected_calibration_error, softmax, top_probability


def ece_by_loop(confidence, correct, n_bins):
    total = 0.0
    for m in range(n_bins):
        inside = [i for i, c in enumerate(confidence) if m / n_bins < c <= (m + 1) / n_bins]
        if inside:
            gap = np.mean([correct[i] for i in inside]) - np.mean([confidence[i] for i in inside])
            total += len(inside) / len(confidence) * abs(gap)
    return total


@pytest.mark.parametrize("n_bins", [1, 10, 15])
def test_ece_agrees_with_a_loop_over_bins(n_bins):
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.01, 1.0, 500)
    # Gaps of one sign add up to one sum, whatever the bins.
    correct = np.sin(40 * confidence) > 0
    expected = ece_by_loop(confidence, correct, n_bins)
    assert expected_calibration_error(confidence, correct, n_bins) == pytest.approx(expected, abs=1e-12)


def test_known_ece_values():
    sure_and_right = expected_calibration_error(np.ones(4), np.ones(4, bool))
    sure_and_wrong = expected_calibration_error(np.ones(4), np.zeros(4, bool))
    assert (sure_and_right, sure_and_wrong) == (0.0, 1.0)
    assert expected_calibration_error(np.zeros(4), np.ones(4, bool)) == 1.0
    assert math.isnan(expected_calibration_error(np.array([]), np.array([], bool)))


def test_fifteen_bins_are_the_custom():
    # 0.62 and 0.66 share (9/15, 10/15]; of 14 or 16 bins they share none.
    confidence, right = np.array([0.62, 0.66]), np.array([False, True])
    assert expected_calibration_error(confidence, right) == pytest.approx(abs(1 - 0.62 - 0.66) / 2)


def test_softmax_agrees_with_scipy_and_survives_large_logits():
    logits = np.array([[1e4, 1e4 - 1.0, -1e4], [0.0, 1.0, 2.0]])
    for some in (logits, logits[0], logits[None]):
        assert softmax(some) == pytest.approx(scipy_softmax(some, axis=-1))


def test_top_probability_agrees_with_scipy_over_many_chunks():
    logits = np.random.default_rng(1).normal(0, 5, (3000, 70)).astype(np.float32)
    expected = scipy_softmax(logits.astype(np.float64), axis=1).max(axis=1)
    assert top_probability(logits) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("confidence", [[0.5, 1.1], [0.5, float("nan")], [-0.1, 0.5]])
def test_confidences_that_are_no_probabilities_are_refused(confidence):
    with pytest.raises(ValueError, match=r"0\.\.1"):
        expected_calibration_error(np.array(confidence), np.ones(2, bool))


def test_bad_shapes_are_refused():
    for confidence, correct in ((np.ones(3), np.ones(2, bool)), (np.ones((2, 2)), np.ones((2, 2), bool))):
        with pytest.raises(ValueError, match="confidence has shape"):
            expected_calibration_error(confidence, correct)
    with pytest.raises(ValueError, match="n_bins is 0"):
        expected_calibration_error(np.ones(2), np.ones(2, bool), 0)
    for logits in (np.ones(3), np.ones((3, 0))):
        with pytest.raises(ValueError, match=r"expected \(N, C\)"):
            top_probability(logits)
    assert top_probability(np.ones((3, 1))).tolist() == [1.0] * 3


def test_a_bin_holds_its_upper_edge_and_not_its_lower_one():
    # (0, 0.5] holds 0.25 and 0.5, whose gaps add up to 0.25; (0.5, 1] holds 0.75.
    confidence, right = np.array([0.25, 0.5, 0.75]), np.array([False, True, False])
    assert expected_calibration_error(confidence, right, n_bins=2) == pytest.approx((0.25 + 0.75) / 3)

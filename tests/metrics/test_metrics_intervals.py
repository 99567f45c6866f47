"""Are intervals those of an explicit resampling, and of scipy?"""

import math
import statistics

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special, stats

from wbtui.metrics import (
    bootstrap_class_mean,
    bootstrap_difference,
    correct_by_class,
    paired_interval,
    seed_statistics,
    welch_interval,
)
from wbtui.metrics.student import student_t_quantile


def make_predictions(seed, accuracy, labels, n_classes):
    rng = np.random.default_rng(seed)
    right = rng.random(labels.size) < accuracy
    return np.where(right, labels, (labels + rng.integers(1, n_classes, labels.size)) % n_classes)


def resample_images(labels, values, rng, resamples):
    """Class means of `values` over images really drawn with replacement, class by class."""
    means = np.zeros(resamples)
    classes = np.unique(labels)
    for k in classes:
        own = values[labels == k]
        means += rng.choice(own, (resamples, own.size)).mean(axis=1) / classes.size
    return means


LABELS = np.repeat(np.arange(6), [50, 40, 50, 9, 50, 20])


def test_bootstrap_matches_drawing_the_images_themselves():
    predictions = make_predictions(0, 0.7, LABELS, 6)
    interval = bootstrap_class_mean(*correct_by_class(LABELS, predictions, 6), seed=1, resamples=20_000)
    drawn = resample_images(LABELS, predictions == LABELS, np.random.default_rng(2), 20_000)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert interval.low == pytest.approx(low, abs=0.004)
    assert interval.high == pytest.approx(high, abs=0.004)
    assert interval.low < interval.estimate < interval.high


def test_paired_bootstrap_matches_drawing_pairs_and_is_narrower_than_unpaired():
    before = make_predictions(0, 0.6, LABELS, 6)
    after = np.where(np.random.default_rng(5).random(LABELS.size) < 0.1, LABELS, before)
    interval = bootstrap_difference(LABELS, before, after, 6, seed=1, resamples=20_000)
    gain = (after == LABELS).astype(float) - (before == LABELS)
    drawn = resample_images(LABELS, gain, np.random.default_rng(2), 20_000)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert interval.low == pytest.approx(low, abs=0.004)
    assert interval.high == pytest.approx(high, abs=0.004)
    assert interval.estimate == pytest.approx(np.mean([gain[k == LABELS].mean() for k in range(6)]))
    alone = bootstrap_class_mean(*correct_by_class(LABELS, after, 6), seed=1)
    assert interval.high - interval.low < alone.high - alone.low


def test_paired_bootstrap_when_every_image_of_a_class_changes():
    labels, before, after = np.zeros(5, int), np.ones(5, int), np.zeros(5, int)
    interval = bootstrap_difference(labels, before, after, 2)
    assert (interval.low, interval.estimate, interval.high) == (1.0, 1.0, 1.0)


def test_paired_bootstrap_where_gains_and_losses_fill_a_class():
    # 60 of 100 images gained and 40 lost: a drawn image is worth 1 or -1, mean 0.2 and variance 1 - 0.2².
    labels = np.zeros(100, int)
    before, after = np.repeat([1, 0], [60, 40]), np.repeat([0, 1], [60, 40])
    interval = bootstrap_difference(labels, before, after, 2, resamples=20_000)
    half = 1.96 * math.sqrt((1 - 0.2**2) / 100)
    assert interval.estimate == pytest.approx(0.2)
    assert interval.low == pytest.approx(0.2 - half, abs=0.011)
    assert interval.high == pytest.approx(0.2 + half, abs=0.011)


def test_paired_bootstrap_of_one_gain_and_one_loss():
    # Of two images drawn each is worth 1 or -1 at even odds: -1, 0 and 1 on average in a quarter, a half, a quarter.
    interval = bootstrap_difference(
        np.zeros(2, int), np.array([0, 1]), np.array([1, 0]), 2, level=0.8, resamples=500
    )
    assert (interval.low, interval.estimate, interval.high) == (-1.0, 0.0, 1.0)


def test_an_end_at_which_gains_and_losses_even_out_is_zero():
    gained, lost = np.array([2, 2, 2]), np.array([0, 0, 1])
    labels = np.repeat(np.arange(3), 10)
    nth = np.tile(np.arange(10), 3)
    wrong = (labels + 1) % 3
    baseline = np.where(nth < gained[labels], wrong, labels)
    other = np.where(nth >= 10 - lost[labels], wrong, labels)
    interval = bootstrap_difference(labels, baseline, other, 3)
    assert interval.estimate == pytest.approx(5 / 30)
    assert interval.low == 0.0


def test_same_seed_same_interval_and_another_seed_another():
    predictions = make_predictions(0, 0.7, LABELS, 6)
    counts = correct_by_class(LABELS, predictions, 6)
    first, again, other = (bootstrap_class_mean(*counts, seed=s) for s in (3, 3, 4))
    assert first == again
    assert first != other


def test_classes_without_images_do_not_enter():
    with_empty = bootstrap_class_mean(np.array([8, 0, 5]), np.array([10, 0, 10]))
    without = bootstrap_class_mean(np.array([8, 5]), np.array([10, 10]))
    assert with_empty == without
    assert bootstrap_class_mean(np.array([1, 5]), np.array([1, 10])).estimate == 0.75  # one image is enough


def test_differences_are_over_the_classes_that_have_images():
    labels, before, after = np.array([0, 2, 2]), np.array([1, 2, 0]), np.array([0, 2, 0])
    assert bootstrap_difference(labels, before, after, 4).estimate == 0.5


def test_no_images_give_nan():
    empty = np.array([], dtype=int)
    for interval in (
        bootstrap_class_mean(*correct_by_class(empty, empty, 3)),
        bootstrap_difference(empty, empty, empty, 3),
    ):
        assert np.isnan([interval.estimate, interval.low, interval.high]).all()


def t_of_beta(probability, freedom):
    """By the inverse of the incomplete beta function, from the side that does not cancel (stats.t does, at 4)."""
    centre, tail = abs(probability - 0.5), min(probability, 1 - probability)
    if centre < tail:
        y = special.betaincinv(0.5, freedom / 2, 2 * centre)
        ratio = y / (1 - y)
    else:
        x = special.betaincinv(freedom / 2, 0.5, 2 * tail)
        ratio = (1 - x) / x
    return math.copysign(math.sqrt(freedom * ratio), probability - 0.5)


near_half = st.builds(lambda side, e: 0.5 + side * 10.0**e, st.sampled_from([-1, 1]), st.floats(-16.0, -1.0))
in_a_tail = st.floats(-30.0, -1.0).map(lambda e: 10.0**e)


@settings(deadline=None, max_examples=120)
@given(st.one_of(st.floats(0.001, 0.999), near_half, in_a_tail), st.floats(1.0, 500.0))
@example(0.5, 3.0)
@example(0.500000001, 4.0)
@example(0.49, 4.0)
@example(0.9, 0.05)
def test_t_quantile_agrees_with_scipy(probability, freedom):
    found = student_t_quantile(probability, freedom)
    assert found == pytest.approx(t_of_beta(probability, freedom), rel=1e-10, abs=1e-15)
    assert found == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(
    ("probability", "freedom", "message"),
    [
        (0.0, 3, "probability is 0.0"),
        (1.0, 3, "probability is 1.0"),
        (1.2, 3, "probability is 1.2"),
        (math.nan, 3, "probability is nan"),
        (0.9, 0, "freedom is 0"),
        (0.9, -1, "freedom is -1"),
        (0.9, math.nan, "freedom is nan"),
    ],
)
def test_quantiles_that_do_not_exist_are_refused(probability, freedom, message):
    with pytest.raises(ValueError, match=message):
        student_t_quantile(probability, freedom)


def test_welch_interval_agrees_with_scipy():
    a, b = np.array([0.38, 0.39, 0.37]), np.array([0.46, 0.44, 0.47, 0.45, 0.52])
    interval = welch_interval(a, b, level=0.9)
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.9)
    assert interval.low == pytest.approx(expected.low, rel=1e-9)
    assert interval.high == pytest.approx(expected.high, rel=1e-9)


def test_welch_with_one_seed_has_a_difference_but_no_ends():
    one, two = np.array([0.4]), np.array([0.5, 0.6])
    for interval, difference in ((welch_interval(one, two), 0.15), (welch_interval(two, one), -0.15)):
        assert interval.estimate == pytest.approx(difference)
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)


def test_welch_without_any_spread_is_a_point():
    interval = welch_interval(np.array([0.5, 0.5]), np.array([0.75, 0.75]))
    assert (interval.low, interval.high) == (0.25, 0.25)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8))
@settings(deadline=None)
def test_paired_interval_agrees_with_scipy(pairs):
    a, b = np.array(pairs).T
    interval = paired_interval(a, b, level=0.9)
    error = stats.sem(b - a)
    low, high = (
        stats.t.interval(0.9, len(pairs) - 1, np.mean(b - a), error) if error else 2 * (np.mean(b - a),)
    )
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-9)
    turned = paired_interval(b, a, level=0.9)
    assert (-turned.high, -turned.low) == pytest.approx((interval.low, interval.high))


def test_pairing_takes_away_what_both_owe_to_the_seed():
    a, gain = np.array([0.60, 0.72, 0.66]), np.array([0.02, 0.024, 0.021])
    paired, welch = paired_interval(a, a + gain), welch_interval(a, a + gain)
    expected = stats.ttest_rel(a + gain, a).confidence_interval(0.95)
    assert (paired.low, paired.high) == pytest.approx((expected.low, expected.high))
    apart = stats.ttest_ind(a + gain, a, equal_var=False).confidence_interval(0.95)
    assert (welch.low, welch.high) == pytest.approx((apart.low, apart.high))
    assert paired.low > 0 > welch.low


def test_one_pair_has_a_difference_but_no_ends_and_pairs_of_another_number_are_refused():
    interval = paired_interval(np.array([0.4]), np.array([0.5]))
    assert interval.estimate == pytest.approx(0.1)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)
    for shape, other in ((2, 3), ((2, 2), (2, 2)), (0, 0)):
        with pytest.raises(ValueError, match=r"expected both \(n,\)"):
            paired_interval(np.ones(shape), np.ones(other))


def test_std_is_the_sample_one_and_nan_for_one_seed():
    for values in ([1.0, 2.0, 4.0], [1.0, 2.0]):
        found = seed_statistics(np.array(values))
        expected = (statistics.mean(values), statistics.stdev(values), len(values))
        assert (found.mean, found.std, found.n) == pytest.approx(expected)
    one = seed_statistics(np.array([0.4]))
    assert (one.mean, one.n) == (0.4, 1)
    assert math.isnan(one.std)
    assert math.isnan(seed_statistics(np.array([])).mean)


def test_wrong_shapes_and_levels_are_refused():
    for level in (0, 1, 1.2, 95):
        with pytest.raises(ValueError, match=f"level is {level}"):
            bootstrap_class_mean(np.array([4]), np.array([4]), level=level)
        for interval in (welch_interval, paired_interval):
            with pytest.raises(ValueError, match=f"level is {level}"):
                interval(np.ones(2), np.zeros(2), level=level)
    for correct, total in (
        (np.zeros(2, int), np.zeros(3, int)),
        (np.ones((2, 2), int), np.ones((2, 2), int)),
    ):
        with pytest.raises(ValueError, match="correct has shape"):
            bootstrap_class_mean(correct, total)
    for correct in (np.array([4, 1]), np.array([-1, 1])):
        with pytest.raises(ValueError, match="between 0 and total"):
            bootstrap_class_mean(correct, np.array([3, 2]))
    two, three = np.zeros(2, int), np.full(2, 3)
    for baseline, other in ((two, three), (three, two), (two, two[:1]), (two[:1], two)):
        with pytest.raises(ValueError, match=r"predictions (run|\(1,\))"):
            bootstrap_difference(two, baseline, other, 3)
    for other in (np.ones((2, 2)), np.array([])):
        with pytest.raises(ValueError, match="other has shape"):
            welch_interval(np.ones(2), other)
    with pytest.raises(ValueError, match="values have shape"):
        seed_statistics(np.ones((2, 2)))

"""Is the exact curve the one that brute force finds at every strength?"""

import numpy as np
import pytest
from brute_force import adjusted, brute_counts, groups_of
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.adjustment import (
    METHODS,
    AdditiveMultiplicative,
    ScoredSet,
    given_prior,
    strength_curve,
)
from wbtui.adjustment.winning import winning_intervals
from wbtui.errors import UsageError
from wbtui.metrics import assign_groups

EXACT = ["none", "additive", "multiplicative", "additive_multiplicative", "tau_norm_no_bias"]


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("centre", [8.0, 1.0, -6.0])
@pytest.mark.parametrize("counts", ["falling", "step", "shuffled", "flat tail"])
def test_exact_curve_is_brute_force_at_500_random_strengths(make, name, centre, counts):
    n_classes = 12
    profile = {
        "falling": None,
        "step": [300] * 6 + [7] * 6,
        "shuffled": [40, 900, 3, 3, 250, 11, 40, 8, 1, 77, 500, 6],
        "flat tail": [480, 300, 120, 60, 30, 10, 5, 5, 5, 5, 5, 5],
    }[counts]
    scored = make(11, 700, n_classes, centre=centre, counts=profile)
    curve = strength_curve(scored, groups_of(scored), METHODS[name])
    assert curve.exact
    strengths = np.random.default_rng(1).uniform(0, METHODS[name].highest_strength, 500)
    expected = brute_counts(name, scored, strengths)
    assert (curve.correct_by_class(strengths) == expected).all()
    by_class = expected / np.bincount(scored.labels, minlength=n_classes)
    at = curve.plateau_at(strengths)
    assert curve.values.all[at] == pytest.approx(by_class.mean(axis=1), abs=1e-12)
    for group in ("many", "medium", "few"):
        ids = curve.groups.classes(group)
        if ids.size:
            assert getattr(curve.values, group)[at] == pytest.approx(by_class[:, ids].mean(axis=1), abs=1e-12)
        else:
            assert np.isnan(getattr(curve.values, group)).all()


@pytest.mark.parametrize("name", ["additive", "multiplicative"])
def test_large_blocks_and_many_chunks_agree_too(make, name):
    scored = make(12, 9000, 60, centre=4.0)
    curve = strength_curve(scored, groups_of(scored), METHODS[name])
    strengths = np.random.default_rng(2).uniform(0, 3, 60)
    assert (curve.correct_by_class(strengths) == brute_counts(name, scored, strengths)).all()


# Out of order, a class that ties at zero with a more and a less frequent one of higher ids wins there alone.
@pytest.mark.parametrize("counts", [[90, 90, 41, 41, 41, 11, 5, 5, 5], [41, 90, 5, 41, 11, 90, 5, 41, 5]])
@pytest.mark.parametrize("name", ["additive", "multiplicative", "additive_multiplicative"])
def test_coarse_logits_with_many_ties_agree_at_random_strengths_and_at_zero(make, name, counts):
    scored = make(13, 800, 9, centre=1.0, step=1.0, counts=counts)
    curve = strength_curve(scored, groups_of(scored), METHODS[name])
    strengths = np.concatenate([[0.0], np.random.default_rng(3).uniform(0, 3, 200)])
    counts = brute_counts(name, scored, strengths)
    assert (curve.correct_by_class(strengths) == counts).all()
    at = curve.plateau_at(strengths)
    assert curve.values.all[at] == pytest.approx((counts / curve.total).mean(axis=1), abs=1e-12)
    assert (np.diff(curve.edges) > 0).all()


small_logits = st.lists(
    st.lists(st.sampled_from([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0]), min_size=4, max_size=4),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=150)
@given(
    small_logits,
    st.lists(st.sampled_from([1, 2, 5, 50, 700]), min_size=4, max_size=4),
    st.sampled_from(["additive", "multiplicative", "additive_multiplicative", "tau_norm_no_bias"]),
    st.integers(0, 3),
)
def test_any_signs_ties_and_counts_agree_with_brute_force(rows, counts, name, label):
    logits = np.array(rows, dtype=np.float32)
    scored = ScoredSet(
        "validation",
        logits,
        np.full(len(rows), label),
        np.array(counts),
        classifier_norms=np.array([0.5, 1.5, 1.5, 0.25]),
        bias=np.array([0.5, 0.0, -0.5, 0.0]),
    )
    curve = strength_curve(scored, groups_of(scored), METHODS[name])
    strengths = np.random.default_rng(len(rows)).uniform(0.001, 3, 25)
    assert (curve.correct_by_class(strengths) == brute_counts(name, scored, strengths)).all()


def test_hand_made_breakpoints():
    # log-ratio of counts is log 9: class 1 wins image 0 from τ = 1/log 9, class 0 wins image 1 until 2/log 9.
    logits = np.array([[3.0, 2.0], [4.0, 2.0]], dtype=np.float32)
    scored = ScoredSet("validation", logits, np.array([1, 0]), np.array([90, 10]))
    curve = strength_curve(scored, assign_groups([90, 10], 50, 20), METHODS["additive"])
    assert curve.edges == pytest.approx([0.0, 1 / np.log(9), 2 / np.log(9), 3.0])
    assert curve.points == pytest.approx([0.5 / np.log(9), 1.5 / np.log(9), 1.5 + 1 / np.log(9)])
    assert curve.values.all.tolist() == [0.5, 1.0, 0.5]
    assert curve.values.many.tolist() == [1.0, 1.0, 0.0]
    assert curve.values.few.tolist() == [0.0, 1.0, 1.0]
    assert np.isnan(curve.values.medium).all()


def test_at_the_breakpoints_themselves_values_and_counts_agree(make):
    scored = make(25, 300, 6)
    curve = strength_curve(scored, groups_of(scored), METHODS["additive"])
    by_class = curve.correct_by_class(curve.edges[:-1]) / curve.total
    assert curve.values.all == pytest.approx(by_class.mean(axis=1), abs=1e-12)
    assert curve.plateau_at(curve.edges[:-1]).tolist() == list(range(len(curve.points)))
    assert curve.plateau_at(np.array([-1.0, 99.0])).tolist() == [0, len(curve.points) - 1]
    # One strength is asked for in another way than many.
    for strengths in (curve.edges, np.nextafter(curve.edges[1:], 0.0)):
        together = curve.correct_by_class(strengths)
        assert [curve.correct_by_class(t[None])[0].tolist() for t in strengths] == together.tolist()


@pytest.mark.parametrize("n_classes", [1, 2])
def test_one_and_two_classes(make, n_classes):
    scored = make(14, 30, n_classes)
    curve = strength_curve(scored, groups_of(scored), METHODS["additive"])
    assert (curve.correct_by_class(np.array([1.0])) == brute_counts("additive", scored, [1.0])).all()


def test_a_class_without_images_and_a_set_without_images(make):
    scored = make(15, 50, 4, labels=np.array([0, 2, 3])[np.arange(50) % 3])
    curve = strength_curve(scored, groups_of(scored), METHODS["additive"])
    summary, at = curve.summary_at(0.7), curve.plateau_at(0.7)
    present = brute_counts("additive", scored, [0.7])[0, [0, 2, 3]] / [17, 17, 16]
    assert summary.by_class[[0, 2, 3]] == pytest.approx(present)
    assert np.isnan(summary.by_class[1])
    # Many are classes 0 and 1, and 1 has no image.
    found = [summary.all, summary.many, summary.medium, summary.few]
    assert found == pytest.approx([present.mean(), *present])
    values = curve.values
    assert [values.all[at], values.many[at], values.medium[at], values.few[at]] == pytest.approx(found)
    nothing = make(15, 0, 4)
    assert np.isnan(strength_curve(nothing, groups_of(nothing), METHODS["additive"]).values.all).all()


def test_a_given_prior_moves_the_curve(make):
    scored = make(16, 300, 6)
    prior = given_prior([3.0, 1.0, 9.0, 2.0, 2.0, 2.0], 6)
    curve = strength_curve(scored, groups_of(scored), METHODS["additive"], prior)
    strengths = np.random.default_rng(4).uniform(0, 3, 50)
    right = [
        (adjusted("additive", scored, t, prior.probability).argmax(axis=1) == scored.labels).sum()
        for t in strengths
    ]
    assert curve.correct_by_class(strengths).sum(axis=1).tolist() == right


def test_kept_bias_is_not_interval_solvable_and_comes_from_a_grid(make):
    scored = make(17, 300, 6)
    curve = strength_curve(scored, groups_of(scored), METHODS["tau_norm"])
    assert not curve.exact
    assert (curve.correct_by_class(curve.points) == brute_counts("tau_norm", scored, curve.points)).all()
    assert np.isnan(
        strength_curve(scored, assign_groups([500] * 6, 100, 20), METHODS["tau_norm"]).values.few
    ).all()
    with pytest.raises(ValueError, match="offsets"):
        winning_intervals(scored, METHODS["tau_norm"].family(scored, None))


def test_a_kept_bias_can_make_a_class_win_twice():
    # With x = 2^-τ class 0 leads class 1 by x - x² - 3/16, positive only between x = 1/4 and 3/4:
    # class 1 wins, loses and wins again, which no interval can hold.
    scored = ScoredSet(
        "validation",
        np.array([[1.0, 1.1875]], dtype=np.float32),
        np.array([1]),
        np.array([5, 5]),
        classifier_norms=np.array([2.0, 4.0]),
        bias=np.array([0.0, 0.1875]),
    )
    winners = [
        int(METHODS["tau_norm"].predict(scored, None, t)[0]) for t in (0.0, 0.4, 0.42, 1.0, 1.99, 2.01, 3.0)
    ]
    assert winners == [1, 1, 0, 0, 0, 1, 1]


def test_equal_biases_make_the_kept_bias_exact_again(make):
    scored = make(18, 200, 5)
    level = ScoredSet(
        "validation",
        scored.logits,
        scored.labels,
        scored.train_counts,
        classifier_norms=scored.classifier_norms,
        bias=np.full(5, 0.25),
    )
    curve = strength_curve(level, groups_of(level), METHODS["tau_norm"])
    assert curve.exact
    strengths = np.random.default_rng(5).uniform(0, 3, 100)
    assert (curve.correct_by_class(strengths) == brute_counts("tau_norm", level, strengths)).all()


def test_one_vs_one_comes_from_the_grid_that_was_asked_for(make):
    scored = make(19, 100, 5)
    grid = np.array([0.0, 0.7, 1.0])
    curve = strength_curve(scored, groups_of(scored), METHODS["one_vs_one"], grid=grid)
    assert curve.points.tolist() == grid.tolist()
    right = METHODS["one_vs_one"].predict(scored, None, 0.7) == scored.labels
    assert curve.correct_by_class(np.array([0.7])).sum() == right.sum()
    assert curve.values.all[1] == pytest.approx((np.bincount(scored.labels[right]) / curve.total).mean())
    # A strength between grid points has the counts of the nearest.
    near = curve.correct_by_class(np.array([0.0, 0.34, 0.36, 0.84, 0.86, 1.0]))
    assert (near == curve.correct_by_class(grid[[0, 0, 1, 1, 2, 2]])).all()
    assert len({tuple(counts) for counts in near.tolist()}) == 3
    half_way = curve.edges[1:-1]
    at_half = curve.values.all[curve.plateau_at(half_way)]
    assert (curve.correct_by_class(half_way) / curve.total).mean(axis=1) == pytest.approx(at_half)
    alone = strength_curve(scored, groups_of(scored), METHODS["one_vs_one"], grid=grid[1:2])
    assert alone.values.all == pytest.approx(curve.values.all[1:2])


def test_a_grid_goes_in_steps_of_a_twentieth_unless_one_is_given(make):
    scored = make(19, 100, 5)
    curve = strength_curve(scored, groups_of(scored), METHODS["one_vs_one"])
    assert curve.points == pytest.approx(np.arange(61) / 20)
    short = strength_curve(scored, groups_of(scored), METHODS["one_vs_one"], highest=0.29)
    assert short.points == pytest.approx(0.29 * np.arange(7) / 6)
    assert strength_curve(scored, groups_of(scored), METHODS["one_vs_one"], highest=0.01).points.size == 2


def test_a_curve_of_test_is_an_oracle_and_one_of_validation_is_not(make):
    for split in ("test", "validation"):
        scored = make(20, 50, 5, split=split)
        assert strength_curve(scored, groups_of(scored), METHODS["additive"]).oracle == (split == "test")


def test_both_methods_curve_for_another_gamma(make):
    scored = make(21, 300, 6)
    curve = strength_curve(scored, groups_of(scored), AdditiveMultiplicative(gamma=0.5))
    strengths = np.random.default_rng(6).uniform(0, 3, 40)
    expected = brute_counts("additive_multiplicative", scored, strengths)
    assert (curve.correct_by_class(strengths) == expected).all()


@pytest.mark.parametrize("grid", [[1.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0], [-1.0, 1.0], [], [[0.0, 1.0]]])
def test_a_grid_that_does_not_ascend_is_refused(make, grid):
    scored = make(22, 20, 5)
    with pytest.raises(UsageError, match="ascending"):
        strength_curve(scored, groups_of(scored), METHODS["one_vs_one"], grid=np.array(grid))


@pytest.mark.parametrize("highest", [-1.0, np.inf, np.nan])
def test_a_range_that_is_none_is_refused(make, highest):
    scored = make(23, 20, 5)
    with pytest.raises(UsageError, match="highest strength"):
        strength_curve(scored, groups_of(scored), METHODS["additive"], highest=highest)

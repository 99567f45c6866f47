"""Is the strength chosen on validation, by the stated rule, and the oracle called one?"""

import math
import re

import numpy as np
import pytest

from wbtui.adjustment import (
    CRITERIA,
    GAMMAS,
    METHODS,
    AdditiveMultiplicative,
    AllAccuracy,
    FewAboveFloor,
    HarmonicMean,
    NegativeLogits,
    ScoredSet,
    choose_pair,
    choose_strength,
    evaluate,
    given_prior,
    negative_logits,
    oracle_choice,
    published_choice,
    score,
    strength_curve,
)
from wbtui.adjustment.curve import GroupValues
from wbtui.errors import UsageError
from wbtui.metrics import accuracy_by_class, assign_groups, expected_calibration_error, softmax


def two_class_curve(margins_tail, margins_head, split="validation"):
    """Tail images won from their margin on, head images lost at theirs, in units of τ."""
    unit = math.log(9)
    rows = [[m * unit, 0.0] for m in [*margins_tail, *margins_head]]
    labels = [1] * len(margins_tail) + [0] * len(margins_head)
    scored = ScoredSet(split, np.array(rows, np.float32), np.array(labels), np.array([90, 10]))
    return strength_curve(scored, assign_groups([90, 10], 50, 20), METHODS["additive"])


def test_the_middle_of_the_best_plateau_is_chosen():
    choice = choose_strength(two_class_curve([0.5, 1.0], [2.0, 3.5]))
    assert choice.strength == pytest.approx(1.5, abs=1e-6)
    assert choice.plateau == pytest.approx((1.0, 2.0), abs=1e-6)
    assert (choice.objective, choice.basis, choice.n_images) == (1.0, "validation", 4)


def test_of_several_best_plateaus_the_longest_wins_and_of_equals_the_first():
    # All is 0.75 on [0.5, 0.75), [1, 2) and [2.5, 3]; every other plateau is worse.
    longest = choose_strength(two_class_curve([0.5, 1.0, 2.5], [0.75, 2.0, 9.0]))
    assert longest.strength == pytest.approx(1.5, abs=1e-6)
    equal = choose_strength(two_class_curve([0.5, 2.0], [1.0, 9.0]))
    first, last = equal.plateau
    assert (first, last) == pytest.approx((2.0, 3.0), abs=1e-6)
    twins = choose_strength(two_class_curve([0.5, 1.75, 9.0], [1.0, 2.25, 9.0]))
    assert twins.plateau == pytest.approx((0.5, 1.0), abs=1e-6)
    by_a_hair = choose_strength(two_class_curve([0.5, 1.75, 9.0], [1.0, 2.25 + 4e-7, 9.0]))
    assert by_a_hair.plateau == pytest.approx((0.5, 1.0), abs=1e-6)


def test_values_that_differ_by_the_rounding_of_thirds_are_one_value():
    # All is 1/2 before 0.3 by the head image and from 2.5 on by three tail images of a sixth each.
    curve = two_class_curve([0.75, 2.0, 2.5], [0.3])
    assert curve.values.all[0] > curve.values.all[-1]
    choice = choose_strength(curve)
    assert choice.plateau == pytest.approx((2.5, 3.0), abs=1e-6)
    assert (choice.standard_error, choice.within_one_error) == (0.0, (0.0, 3.0))


def test_the_middle_is_that_of_all_adjacent_best_plateaus():
    # Few is best from 1 on; that a head image is lost at 2.5 does not touch it.
    choice = choose_strength(two_class_curve([1.0], [2.5]), FewAboveFloor())
    assert choice.plateau == pytest.approx((1.0, 3.0), abs=1e-6)
    assert choice.strength == pytest.approx(2.0, abs=1e-6)


def test_a_method_without_a_strength_has_one_choice(make):
    scored = make(3, 100, 5)
    curve = strength_curve(scored, assign_groups(scored.train_counts, 100, 20), METHODS["none"])
    choice = choose_strength(curve)
    assert (choice.strength, choice.plateau) == (0.0, (0.0, 0.0))


def test_a_plateau_that_leaves_the_searched_range_is_clipped():
    choice = choose_strength(two_class_curve([2.0], [50.0]))
    assert choice.plateau == pytest.approx((2.0, 3.0), abs=1e-6)
    assert choice.strength == pytest.approx(2.5, abs=1e-6)


def test_on_a_grid_a_grid_point_is_chosen(make):
    scored = make(0, 300, 6)
    grid = np.linspace(0, 3, 13)
    curve = strength_curve(
        scored, assign_groups(scored.train_counts, 100, 20), METHODS["one_vs_one"], grid=grid
    )
    choice = choose_strength(curve)
    assert choice.strength in grid
    assert not curve.exact
    right = METHODS["one_vs_one"].predict(scored, None, choice.strength)
    by_class = accuracy_by_class(scored.labels, right, 6)
    assert np.nanmean(by_class) == pytest.approx(curve.values.all.max())


@pytest.mark.parametrize(("step", "points"), [(0.05, 4), (0.1, 18), (0.25, 4)])
def test_the_middle_between_two_grid_points_goes_to_the_lower(step, points):
    sure = ScoredSet(
        "validation",
        np.eye(3, dtype=np.float32) * 50 + 1,
        np.arange(3),
        np.full(3, 10),
        class_mean_feature_norms=np.ones(3),
    )
    grid = step * np.arange(points)
    groups = assign_groups(sure.train_counts, 100, 20)
    curve = strength_curve(sure, groups, METHODS["one_vs_one"], grid=grid)
    assert curve.values.all.tolist() == [1.0] * points
    assert choose_strength(curve).strength == grid[points // 2 - 1]


def test_a_plateau_by_a_hair_is_not_chosen_even_where_it_is_best():
    # For 5e-7 of strength the tail image is won and the head image not yet lost.
    curve = two_class_curve([1.0], [1.0 + 5e-7])
    assert curve.values.all.max() == 1.0
    choice = choose_strength(curve)
    assert choice.objective == 0.5
    assert choice.plateau == (0.0, 3.0)


def test_harmonic_mean_and_tail_under_a_floor():
    curve = two_class_curve([0.5, 1.5, 2.8], [1.0, 2.0, 2.5])
    floor = choose_strength(curve, FewAboveFloor(many_floor=0.6))
    assert floor.plateau == pytest.approx((1.5, 2.0), abs=1e-6)
    # Few is 1 from 2.8 on, but head accuracy is under the floor there.
    assert floor.within_one_error == floor.plateau
    free = choose_strength(curve, FewAboveFloor())
    assert free.plateau == pytest.approx((2.8, 3.0), abs=1e-6)
    harmonic = choose_strength(curve, HarmonicMean())
    assert harmonic.objective == pytest.approx(2 / (1 / (2 / 3) + 1 / (2 / 3)))
    criteria = {name: choose_strength(curve, one).criterion for name, one in CRITERIA.items()}
    assert criteria == {"all": "all", "harmonic": "harmonic", "few": "few"}


def test_the_harmonic_mean_leaves_empty_groups_out_and_is_zero_where_one_is():
    many, few = np.array([0.9, 0.5]), np.array([0.3, 0.0])
    values = GroupValues(all=many, many=many, medium=np.full(2, np.nan), few=few)
    assert HarmonicMean().objective(values) == pytest.approx([2 / (1 / 0.9 + 1 / 0.3), 0.0])
    three = GroupValues(all=many, many=many, medium=np.array([0.6, 1.0]), few=np.array([0.3, 0.2]))
    expected = [3 / (1 / 0.9 + 1 / 0.6 + 1 / 0.3), 3 / (2.0 + 1.0 + 5.0)]
    assert HarmonicMean().objective(three) == pytest.approx(expected)


def test_a_floor_holds_up_to_rounding_and_none_asks_for_no_head_classes():
    few, nan = np.array([0.2, 0.4, 0.6]), np.full(3, np.nan)
    values = GroupValues(all=few, many=np.array([0.7, 0.7 - 1e-12, 0.69]), medium=nan, few=few)
    assert FewAboveFloor(many_floor=0.7).admissible(values).tolist() == [True, True, False]
    assert FewAboveFloor().admissible(GroupValues(few, nan, nan, few)).tolist() == [True] * 3
    assert FewAboveFloor(many_floor=1.0).admissible(values).tolist() == [False] * 3


def test_a_floor_nobody_reaches_is_refused_with_the_highest_there_is():
    curve = two_class_curve([0.5], [-1.0, 2.0])
    with pytest.raises(UsageError, match=r"highest head accuracy on validation is 50\.00 %"):
        choose_strength(curve, FewAboveFloor(many_floor=0.9))
    for beyond, percent in ((75, "7500"), (1.01, "101"), (-0.1, "-10")):
        with pytest.raises(UsageError, match=f"is {percent} %, expected .* fraction"):
            FewAboveFloor(many_floor=beyond)


def test_an_empty_group_cannot_be_maximised():
    scored = ScoredSet("validation", np.zeros((2, 2), np.float32), np.array([0, 1]), np.array([500, 400]))
    curve = strength_curve(scored, assign_groups([500, 400], 100, 20), METHODS["additive"])
    with pytest.raises(UsageError, match="no validation image"):
        choose_strength(curve, FewAboveFloor())
    headless = strength_curve(scored, assign_groups([500, 400], 600, 550), METHODS["additive"])
    with pytest.raises(UsageError, match="no validation image"):
        choose_strength(headless, FewAboveFloor(many_floor=0.5))
    nothing = ScoredSet("validation", np.zeros((0, 2), np.float32), np.zeros(0, int), np.array([500, 400]))
    curve = strength_curve(nothing, assign_groups([500, 400], 100, 20), METHODS["additive"])
    with pytest.raises(UsageError, match=r"cannot choose by harmonic mean.*no validation image"):
        choose_strength(curve, HarmonicMean())


def test_fewer_images_make_a_wider_range_within_one_error(make):
    widths = []
    for n_images in (60, 6000):
        scored = make(1, n_images, 6)
        curve = strength_curve(scored, assign_groups(scored.train_counts, 100, 20), METHODS["additive"])
        choice = choose_strength(curve)
        low, high = choice.within_one_error
        assert low <= choice.strength <= high
        near = curve.values.all >= choice.objective - choice.standard_error
        assert low == curve.edges[:-1][near].min()
        assert high == curve.edges[1:][near].max()
        assert high - low > 2 * (choice.plateau[1] - choice.plateau[0])
        widths.append((high - low, choice.standard_error))
    assert widths[0][0] > widths[1][0]
    assert widths[0][1] > widths[1][1]


@pytest.mark.parametrize("present", [5, 3])
def test_the_standard_error_is_the_binomial_one_over_the_classes_that_have_images(make, present):
    scored = make(2, 400, 5, labels=np.arange(400) % present)
    curve = strength_curve(scored, assign_groups(scored.train_counts, 100, 20), METHODS["additive"])
    choice = choose_strength(curve)
    correct, n = curve.correct_by_class(np.array([choice.strength]))[0][:present], curve.total[:present]
    p = correct / n
    assert choice.standard_error == pytest.approx(np.sqrt((p * (1 - p) / n).sum()) / present, rel=0.06)


def test_one_image_a_class_varies_in_no_resample():
    assert choose_strength(two_class_curve([0.5], [1.0])).standard_error == 0.0


def test_a_choice_on_test_is_an_oracle():
    assert choose_strength(two_class_curve([0.5], [2.0], split="test")).basis == "oracle"


def test_a_published_strength_is_of_the_nearest_number_of_classes_and_rests_on_no_images():
    choice = published_choice(METHODS["multiplicative"], 100)
    assert (choice.basis, choice.strength, choice.criterion, choice.n_images) == ("published", 0.65, "", 0)
    assert choice.plateau == (0.65, 0.65)
    assert np.isnan([choice.objective, choice.standard_error, *choice.within_one_error]).all()


def test_a_floor_that_test_misses_leaves_no_oracle():
    rows = np.array([[0.0, 3.0], [3.0, 0.0]], np.float32)
    test = ScoredSet("test", rows, np.array([0, 1]), np.array([90, 10]))
    curve = strength_curve(test, assign_groups([90, 10], 50, 20), METHODS["additive"])
    assert oracle_choice(curve, FewAboveFloor(many_floor=0.9)) is None
    assert oracle_choice(curve, AllAccuracy()) == choose_strength(curve)


def test_evaluation_holds_confusion_calibration_and_interval(make):
    test = make(7, 400, 6, split="test")
    groups = assign_groups(test.train_counts, 100, 20)
    result = evaluate(test, groups, METHODS["additive"], 1.0)
    p = test.train_counts / test.train_counts.sum()
    probabilities = softmax(test.logits - np.log(p))
    predictions = probabilities.argmax(axis=1)
    assert (result.score.predictions == predictions).all()
    expected = accuracy_by_class(test.labels, predictions, 6)
    assert result.score.accuracy.all == pytest.approx(np.nanmean(expected))
    assert result.score.accuracy.by_class == pytest.approx(expected)
    assert result.score.confusion.sum() == 400
    ece = expected_calibration_error(probabilities.max(axis=1), predictions == test.labels)
    assert result.calibration_error == pytest.approx(ece, abs=1e-5)
    assert result.interval.low < result.interval.estimate < result.interval.high
    assert result.interval.estimate == pytest.approx(np.nanmean(expected))


def test_one_vs_one_has_no_calibration(make):
    test = make(8, 50, 6)
    groups = assign_groups(test.train_counts, 100, 20)
    assert math.isnan(evaluate(test, groups, METHODS["one_vs_one"], 0.7).calibration_error)


def test_groups_of_another_number_of_classes_are_refused(make):
    with pytest.raises(ValueError, match="by_class"):
        score(make(9, 20, 6), assign_groups([500, 5], 100, 20), METHODS["none"], 0.0)


def test_the_pair_is_at_least_as_good_as_either_alone(make):
    scored = make(10, 400, 8)
    groups = assign_groups(scored.train_counts, 100, 20)
    method, choice = choose_pair(scored, groups)
    alone = choose_strength(strength_curve(scored, groups, METHODS["additive"]))
    assert choice.objective >= alone.objective - 1e-9
    found = score(scored, groups, method, choice.strength).accuracy.all
    assert found == pytest.approx(choice.objective, abs=1e-9)


def leaning_to_the_head(seed, n_images):
    """Positive logits of which multiplying by p^-0.55 makes the right ones the largest."""
    counts = np.array([500, 60, 9, 2])
    wanted = np.random.default_rng(seed).gamma(2.0, 2.0, (n_images, 4))
    logits = (wanted * (counts / counts.sum()) ** 0.55).astype(np.float32)
    return ScoredSet("validation", logits, wanted.argmax(axis=1), counts), assign_groups(counts, 100, 20)


@pytest.mark.parametrize(("seed", "n_images"), [(4, 300), (1, 12)])
def test_the_pair_is_the_first_of_the_best_over_a_grid_of_gammas(seed, n_images):
    scored, groups = leaning_to_the_head(seed, n_images)
    assert pytest.approx(np.arange(21) / 10) == GAMMAS
    best = [
        choose_strength(strength_curve(scored, groups, AdditiveMultiplicative(gamma=g))).objective
        for g in GAMMAS
    ]
    method, choice = choose_pair(scored, groups)
    first = int(np.flatnonzero(np.array(best) > max(best) - 1e-9)[0])  # of 12 images the largest comes later
    assert 0 < first < 20
    assert (method.gamma, choice.objective) == (GAMMAS[first], best[first])
    sure = ScoredSet("validation", np.eye(4, dtype=np.float32) * 50, np.arange(4), scored.train_counts)
    assert choose_pair(sure, groups)[0].gamma == 0.0  # of equal ones the first


def test_the_pair_is_chosen_by_the_criterion_and_the_class_frequencies_that_are_given():
    scored, groups = leaning_to_the_head(4, 300)
    prior = given_prior([4, 3, 2, 1], 4)
    method, choice = choose_pair(scored, groups, FewAboveFloor(many_floor=0.7), prior)
    found = score(scored, groups, method, choice.strength, prior).accuracy
    assert choice.criterion == "few"
    assert found.few == pytest.approx(choice.objective)
    assert found.many >= 0.7


def test_a_floor_that_only_some_gammas_keep_is_kept_by_the_pair(make):
    scored = make(10, 400, 8)
    groups = assign_groups(scored.train_counts, 100, 20)
    curves = [strength_curve(scored, groups, AdditiveMultiplicative(gamma=g)) for g in GAMMAS]
    second, highest = np.sort([curve.values.many.max() for curve in curves])[-2:]
    floor = (second + highest) / 2
    method, choice = choose_pair(scored, groups, FewAboveFloor(many_floor=floor))
    assert 0 < method.gamma < 2
    assert score(scored, groups, method, choice.strength).accuracy.many >= floor
    with pytest.raises(UsageError, match="highest head accuracy on validation") as refused:
        choose_pair(scored, groups, FewAboveFloor(many_floor=highest + 0.001))
    told = float(re.search(r"is ([\d.]+) %", str(refused.value))[1]) / 100
    assert highest - 1e-4 < told <= highest + 1e-9
    assert choose_pair(scored, groups, FewAboveFloor(many_floor=told))


def test_negative_logits_are_counted_and_warned_of():
    rows = np.array([[2.0, 1.0, -1.0], [2.0, -1.0, -1.0], [-1.0, 3.0, 1.0], [-2.0, -1.0, -3.0]], np.float32)
    scored = ScoredSet("test", rows, np.array([0, 0, 0, 0]), np.array([9, 3, 1]))
    warning = negative_logits(scored, METHODS["multiplicative"])
    assert (warning.without_rival, warning.lost, warning.all_negative) == (0.25, 0.25, 0.25)
    assert "25.0%" in warning.message()
    for name in ("none", "additive", "one_vs_one"):
        assert negative_logits(scored, METHODS[name]) is None


@pytest.mark.parametrize(
    "name", ["multiplicative", "tau_norm_no_bias", "tau_norm", "additive_multiplicative"]
)
@pytest.mark.parametrize("chunk", [4 * 7, 1 << 16])
def test_what_is_said_to_be_so_at_every_strength_is(monkeypatch, name, chunk):
    rng = np.random.default_rng(4)
    facts = {"classifier_norms": rng.uniform(0.3, 2, 4), "bias": rng.normal(0, 2, 4)}
    scored = ScoredSet(
        "test",
        rng.normal(-0.5, 1, (300, 4)).astype(np.float32),
        rng.integers(0, 4, 300),
        np.array([90, 30, 9, 3]),
        **facts,
    )
    monkeypatch.setattr("wbtui.adjustment.scored.CHUNK_VALUES", chunk)
    warning = negative_logits(scored, METHODS[name])
    positive = scored.logits - (facts["bias"] if name.startswith("tau") else 0.0) > 0
    lost = ~positive[np.arange(300), scored.labels] & positive.any(axis=1)
    alone = positive.sum(axis=1) == 1
    shares = (warning.lost, warning.without_rival, warning.all_negative)
    assert shares == (lost.mean(), alone.mean(), (~positive).all(axis=1).mean())
    predictions = np.stack([METHODS[name].predict(scored, None, t) for t in np.linspace(0, 3, 31)])
    some_right = (predictions == scored.labels)[:, lost].any()
    some_change = (predictions != predictions[0])[:, alone].any()
    assert warning.adds == some_right == some_change == (name in ("tau_norm", "additive_multiplicative"))
    assert ("factors" in warning.message()) == ("factors alone" in warning.brief()) == warning.adds


def test_a_pair_that_multiplies_by_one_meets_no_negative_logits():
    scored = ScoredSet("test", np.array([[2.0, -1.0]], np.float32), np.array([1]), np.array([9, 3]))
    assert negative_logits(scored, AdditiveMultiplicative(gamma=0.0)) is None
    assert negative_logits(scored, AdditiveMultiplicative(gamma=0.1)) is not None


def test_a_warning_on_one_line_leaves_out_what_does_not_happen():
    said = "negative logits limit multiplying: "
    assert NegativeLogits(0.0, 0.25, 4e-4).brief() == said + "25.0% of images can never become right"
    assert NegativeLogits(6e-4, 0.0, 0.5, adds=True).brief() == (
        said
        + "by its factors alone 0.1% of images keep their class, 50.0% of images turn against rare classes"
    )
    assert (
        NegativeLogits(0.0, 4e-4, 0.0, adds=True).brief() == said + "less than 0.1% of images are concerned"
    )


def test_a_logit_of_0_is_not_positive_and_no_images_give_no_warning():
    zero = ScoredSet("test", np.array([[0.0, -1.0]], np.float32), np.array([0]), np.array([9, 3]))
    assert negative_logits(zero, METHODS["multiplicative"]).all_negative == 1.0
    nothing = ScoredSet("test", np.zeros((0, 2), np.float32), np.zeros(0, int), np.array([9, 3]))
    assert negative_logits(nothing, METHODS["multiplicative"]) is None


def test_positive_logits_give_no_warning_and_a_dropped_bias_counts():
    rows = np.array([[2.0, 1.0]], np.float32)
    facts = {"classifier_norms": np.ones(2), "bias": np.array([0.0, 1.5])}
    scored = ScoredSet("test", rows, np.array([0]), np.array([9, 3]), **facts)
    assert negative_logits(scored, METHODS["multiplicative"]) is None
    assert negative_logits(scored, METHODS["tau_norm_no_bias"]).without_rival == 1.0

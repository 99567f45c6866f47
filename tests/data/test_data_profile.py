"""Do class counts, splits and class-balanced weights follow the papers' rules?"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.config import DataConfig
from wbtui.data.profile import SplitPlan, class_balanced_weights, class_counts, cut, split_counts
from wbtui.errors import UsageError

CIFAR10_HOLDOUT = [4980, 2985, 1790, 1073, 643, 386, 231, 139, 83, 50]


def _groups(counts: tuple[int, ...]) -> tuple[int, int, int]:
    """Many n > 100, Medium, Few n < 20."""
    many, few = sum(n > 100 for n in counts), sum(n < 20 for n in counts)
    return many, len(counts) - many - few, few


def test_cifar100_holdout_counts_are_the_papers() -> None:
    plan = split_counts(DataConfig(source="cifar100"), [500] * 100)
    counts = plan.train_counts
    assert sum(counts) == 10_457
    assert counts[:3] == (480, 458, 437)
    assert counts[-3:] == (5, 5, 5)
    assert _groups(counts) == (34, 35, 31)
    assert (plan.validation_per_class, plan.n_max, plan.classes) == (20, 480, 100)


def test_cifar100_full_counts_are_the_papers() -> None:
    plan = split_counts(DataConfig(source="cifar100", split_rule="full"), [500] * 100)
    counts = plan.train_counts
    assert sum(counts) == 10_847
    assert counts[:3] == (500, 477, 455)
    assert counts[-1] == 5
    assert _groups(counts) == (35, 35, 30)
    assert plan.validation_per_class == 0


def test_cifar10_holdout_counts_are_the_papers() -> None:
    plan = split_counts(DataConfig(source="cifar10"), [5000] * 10)
    assert list(plan.train_counts) == CIFAR10_HOLDOUT


def test_a_half_is_rounded_to_the_even_count() -> None:
    assert class_counts("exponential", 2, 5, 2.0, "round").tolist() == [5, 2]
    assert class_counts("exponential", 2, 7, 2.0, "round").tolist() == [7, 4]


def test_class_balanced_weights_match_the_known_values() -> None:
    cifar100 = class_counts("exponential", 100, 480, 100.0, "round")
    known = [0.04707, 0.21527, 0.22392, 1.10403, 1.16208, 4.41281]
    np.testing.assert_allclose(
        class_balanced_weights(cifar100, 0.9999)[[0, 33, 34, 68, 69, 99]], known, atol=5e-6
    )
    cifar10 = [0.05073, 0.07711, 0.12141, 0.19558, 0.31953, 0.52553, 0.87141, 1.44155, 2.40742, 3.98974]
    np.testing.assert_allclose(class_balanced_weights(CIFAR10_HOLDOUT, 0.9999), cifar10, atol=5e-6)


def test_class_balanced_weights_sum_to_the_number_of_classes_and_beta_0_weighs_equally() -> None:
    assert class_balanced_weights([100, 10, 1], 0.99).sum() == pytest.approx(3.0)
    np.testing.assert_array_equal(class_balanced_weights([100, 10, 1], 0.0), [1.0, 1.0, 1.0])


def test_class_balanced_weights_refuse_an_empty_class() -> None:
    with pytest.raises(ValueError, match="at least 1 image"):
        class_balanced_weights([3, 0], 0.9)


def test_step_profile_gives_the_first_half_n_max() -> None:
    assert class_counts("step", 4, 100, 10.0, "floor").tolist() == [100, 100, 10, 10]
    assert class_counts("step", 5, 100, 10.0, "floor").tolist() == [100, 100, 10, 10, 10]


def test_round_and_floor_differ_where_the_papers_do() -> None:
    assert class_counts("exponential", 3, 100, 7.0, "round").tolist() == [100, 38, 14]
    assert class_counts("exponential", 3, 100, 7.0, "floor").tolist() == [100, 37, 14]


@given(imbalance_factor=st.integers(1, 500), smallest=st.integers(1, 50), classes=st.integers(2, 300))
@settings(deadline=None)
def test_a_whole_smallest_count_is_not_lost_to_rounding(
    imbalance_factor: int, smallest: int, classes: int
) -> None:
    counts = class_counts("exponential", classes, imbalance_factor * smallest, imbalance_factor, "floor")
    assert counts[0] == imbalance_factor * smallest
    assert counts[-1] == smallest
    assert (np.diff(counts) <= 0).all()


@given(
    classes=st.integers(2, 100),
    n_max=st.integers(1, 2000),
    imbalance_factor=st.floats(1.0, 500.0),
    rounding=st.sampled_from(["round", "floor"]),
)
@settings(deadline=None)
def test_counts_are_within_one_image_of_the_formula_or_refused(
    classes: int, n_max: int, imbalance_factor: float, rounding: str
) -> None:
    exact = [n_max / imbalance_factor ** (k / (classes - 1)) for k in range(classes)]
    try:
        counts = class_counts("exponential", classes, n_max, imbalance_factor, rounding)  # type: ignore[arg-type]
    except UsageError:
        assert exact[-1] < 1.0
        return
    bound = 0.5 if rounding == "round" else 1.0
    assert all(abs(n - x) <= bound + 1e-6 for n, x in zip(counts.tolist(), exact, strict=True))
    assert counts[-1] >= 1


def test_a_class_that_would_be_empty_is_refused() -> None:
    with pytest.raises(UsageError, match=r"class 9 no training image.*n_max = 40"):
        class_counts("exponential", 10, 40, 100.0, "round")


def test_images_per_class_0_means_the_smallest_class_found() -> None:
    assert split_counts(DataConfig(imbalance_factor=1, split_rule="full"), [9, 7, 8]).train_counts == (
        7,
        7,
        7,
    )


def test_a_given_class_size_may_exceed_what_tail_classes_have_left() -> None:
    config = DataConfig(images_per_class=500, imbalance_factor=100)
    plan = split_counts(config, [500, 68, 25])
    assert plan.train_counts == (480, 48, 5)


def test_a_class_with_too_few_images_is_named_with_what_it_has_and_what_was_asked() -> None:
    config = DataConfig(images_per_class=500)
    with pytest.raises(
        UsageError,
        match=r"class 1 \(cat\) of digits has 67 images, 48 to train and 20 to .*"
        r"expected a smaller data.images_per_class .* or data.validation_per_class",
    ):
        split_counts(config, [500, 67, 25], ("dog", "cat", "owl"))
    with pytest.raises(UsageError, match="class 0 of digits has 499 images"):
        split_counts(config, [499, 68, 25])


def test_natural_profile_keeps_what_is_found_and_validates_on_the_last_images() -> None:
    natural = DataConfig(profile="natural", validation_per_class=2)
    plan = split_counts(natural, [5, 9, 3])
    assert (plan.train_counts, plan.validation_per_class, plan.n_max) == ((3, 7, 1), 2, 7)
    full = natural.model_copy(update={"split_rule": "full"})
    assert split_counts(full, [5, 9, 3]).train_counts == (5, 9, 3)
    assert plan.description == "natural counts; the last 2 images of each class validate"
    assert split_counts(full, [5, 9, 3]).description == "natural counts; none validate"
    with pytest.raises(
        UsageError, match=r"class 2 of digits has 2 images.*expected a smaller data.validation_per_class"
    ):
        split_counts(natural, [5, 9, 2])


def test_only_the_first_classes_are_taken() -> None:
    config = DataConfig(classes=2, imbalance_factor=1, split_rule="full")
    assert split_counts(config, [4, 5, 1]).train_counts == (4, 4)
    with pytest.raises(UsageError, match=r"data.classes = 4: digits has 3 classes"):
        split_counts(config.model_copy(update={"classes": 4}), [4, 5, 1])


@pytest.mark.parametrize("profile", ["exponential", "step", "natural"])
def test_one_class_is_no_long_tail(profile: Any) -> None:
    with pytest.raises(UsageError, match=r"at least 2 classes: data.classes = 1"):
        split_counts(DataConfig(profile=profile, classes=1), [100, 100])
    with pytest.raises(UsageError, match="at least 2 classes: digits has 1"):
        split_counts(DataConfig(profile=profile), [100])
    if profile != "natural":
        with pytest.raises(UsageError, match="at least 2 classes, got 1"):
            class_counts(profile, 1, 100, 10.0, "round")


def test_validation_that_takes_all_is_refused() -> None:
    with pytest.raises(UsageError, match=r"validation_per_class = 20 leaves nothing"):
        split_counts(DataConfig(), [20, 30])
    assert split_counts(DataConfig(imbalance_factor=1), [21, 30]).train_counts == (1, 1)


def test_the_rule_is_described_beside_its_numbers() -> None:
    holdout = split_counts(DataConfig(), [500] * 10)
    assert "n_max 480 = 500 - 20, rounded" in holdout.description
    full = split_counts(DataConfig(split_rule="full"), [500] * 10)
    assert "n_max 500, floored" in full.description


@given(data=st.data(), classes=st.integers(2, 6))
@settings(deadline=None)
def test_cut_takes_the_first_images_of_each_class_and_then_the_next(data: Any, classes: int) -> None:
    labels = np.array(data.draw(st.lists(st.integers(0, classes), min_size=1, max_size=60)))
    plan = SplitPlan(tuple(data.draw(st.integers(1, 9)) for _ in range(classes)), 2, 9, "")
    train, validation = cut(labels, plan)
    for k in range(classes):
        positions = [i for i, y in enumerate(labels) if y == k]
        n = plan.train_counts[k]
        assert [i for i in train if labels[i] == k] == positions[:n]
        assert [i for i in validation if labels[i] == k] == positions[n : n + 2]
    assert not (labels[train] == classes).any()
    assert not (labels[validation] == classes).any()
    assert list(train) == sorted(train)


def test_effective_number_by_its_geometric_series() -> None:
    """(1-β^n)/(1-β) is Σ β^i, i < n: an independent way to the weights."""
    counts, beta = [30, 8, 2], 0.9
    effective = [math.fsum(beta**i for i in range(n)) for n in counts]
    inverse = [1 / e for e in effective]
    expected = [3 * w / math.fsum(inverse) for w in inverse]
    np.testing.assert_allclose(class_balanced_weights(counts, beta), expected, rtol=1e-12)


def test_one_image_that_validates_is_one() -> None:
    for profile, which in (("natural", "last"), ("exponential", "next")):
        config = DataConfig(
            source="npz", root="x", profile=profile, imbalance_factor=2, validation_per_class=1
        )
        said = split_counts(config, [20, 20]).description
        assert said.endswith(f"the {which} image of each class validates")

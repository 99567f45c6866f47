"""Are classes grouped by the papers' strict bounds?"""

import math

import numpy as np
import pytest

from wbtui.metrics import assign_groups, head_first


def test_bounds_are_strict_on_both_sides():
    groups = assign_groups([101, 100, 20, 19, 0], many_above=100, few_below=20)
    assert [groups.name_of(k) for k in range(5)] == ["many", "medium", "medium", "few", "few"]
    assert groups.sizes() == {"many": 1, "medium": 2, "few": 2}
    assert groups.classes("medium").tolist() == [1, 2]
    assert assign_groups([101, 102], 100, 20).sizes() == {"many": 2, "medium": 0, "few": 0}
    with pytest.raises(ValueError, match="read-only"):
        groups.membership[0] = 2


def test_cifar10_fixture_gives_4_3_3():
    counts = [4980, 2985, 1790, 1073, 643, 386, 231, 139, 83, 50]
    assert list(assign_groups(counts, 1000, 200).sizes().values()) == [4, 3, 3]


def test_cifar100_profiles_give_the_published_sizes():
    k = np.arange(100) / 99
    holdout = np.round(480 * 0.01**k).astype(int)
    full = np.floor(500 * 0.01**k + 1e-9).astype(int)
    assert list(assign_groups(holdout, 100, 20).sizes().values()) == [34, 35, 31]
    assert list(assign_groups(full, 100, 20).sizes().values()) == [35, 35, 30]


def test_group_means_leave_out_nan_and_empty_groups_are_nan_not_zero():
    groups = assign_groups([500, 400, 300], 100, 20)
    means = groups.means(np.array([0.5, np.nan, 1.0]))
    assert means["many"] == 0.75
    assert math.isnan(means["medium"])
    assert math.isnan(means["few"])


@pytest.mark.parametrize("counts", [[], [[1, 2]], [3, -1]])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="counts"):
        assign_groups(counts, 100, 20)


def test_overlapping_bounds_are_refused():
    with pytest.raises(ValueError, match="both Many and Few"):
        assign_groups([1, 2, 3], many_above=1, few_below=3)
    assert assign_groups([1, 2, 3], many_above=2, few_below=3).sizes() == {"many": 1, "medium": 0, "few": 2}


def test_values_of_another_number_of_classes_are_refused():
    with pytest.raises(ValueError, match=r"expected \(3,\)"):
        assign_groups([1, 2, 3], 2, 2).means(np.zeros(4))


def test_head_first_orders_classes_by_their_training_images_and_keeps_equals_in_order():
    assert head_first(np.array([5, 100, 5, 20])).tolist() == [1, 3, 0, 2]
    assert head_first(np.array([4980.0, 643.0, 50.0])).tolist() == [0, 1, 2]
    assert head_first(np.repeat([5, 9], 50).astype(np.uint8)).tolist() == [*range(50, 100), *range(50)]

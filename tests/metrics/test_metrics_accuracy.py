"""Do accuracies and confusion counts agree with a loop over images?"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.metrics import (
    accuracy_by_class,
    assign_groups,
    confusion_matrix,
    correct_by_class,
    summarise_accuracy,
)


@st.composite
def predicted(draw):
    n_classes = draw(st.integers(1, 7))
    n_images = draw(st.integers(0, 40))
    ids = st.lists(st.integers(0, n_classes - 1), min_size=n_images, max_size=n_images)
    return n_classes, np.array(draw(ids), dtype=np.int64), np.array(draw(ids), dtype=np.int64)


@settings(deadline=None)
@given(predicted())
def test_confusion_and_accuracy_agree_with_a_loop(case):
    n_classes, labels, predictions = case
    counts = [[0] * n_classes for _ in range(n_classes)]
    for label, prediction in zip(labels, predictions, strict=True):
        counts[label][prediction] += 1
    assert confusion_matrix(labels, predictions, n_classes).tolist() == counts
    for k, value in enumerate(accuracy_by_class(labels, predictions, n_classes)):
        if sum(counts[k]):
            assert value == counts[k][k] / sum(counts[k])
        else:
            assert math.isnan(value)


def test_all_is_the_mean_over_classes_not_over_images():
    labels = np.array([0, 0, 0, 0, 1, 2, 2])
    predictions = np.array([0, 0, 0, 1, 1, 0, 0])
    groups = assign_groups([300, 50, 5, 7], 100, 20)
    summary = summarise_accuracy(accuracy_by_class(labels, predictions, 4), groups)
    assert summary.all == pytest.approx((0.75 + 1.0 + 0.0) / 3)
    assert (summary.many, summary.medium, summary.few) == (0.75, 1.0, 0.0)
    assert math.isnan(summary.by_class[3])


def test_no_images_at_all_give_nan_without_a_warning():
    empty = np.array([], dtype=np.int64)
    summary = summarise_accuracy(accuracy_by_class(empty, empty, 2), assign_groups([5, 5], 100, 20))
    assert math.isnan(summary.all)


def test_counts_are_correct_and_total():
    correct, total = correct_by_class(np.array([0, 1, 1]), np.array([0, 1, 0]), 3)
    assert correct.tolist() == [1, 1, 0]
    assert total.tolist() == [1, 2, 0]


def test_ids_of_a_narrow_type_do_not_overflow():
    confusion = confusion_matrix(np.array([120], np.int8), np.array([121], np.int8), 122)
    assert np.argwhere(confusion).tolist() == [[120, 121]]


@pytest.mark.parametrize("count", [confusion_matrix, correct_by_class])
@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        (np.zeros(3, int), np.zeros(2, int), "labels have shape"),
        (np.zeros((2, 2), int), np.zeros((2, 2), int), "labels have shape"),
        (np.array([0, 3]), np.array([0, 1]), "labels run from 0 to 3"),
        (np.array([0, 1]), np.array([-1, 1]), "predictions run from -1"),
        (np.array([0.0, 1.0]), np.array([0, 1]), "integer class ids"),
    ],
)
def test_bad_ids_are_refused_with_what_was_expected(count, labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        count(labels, predictions, 3)


def test_no_classes_are_refused():
    with pytest.raises(ValueError, match="n_classes is 0"):
        confusion_matrix(np.array([], int), np.array([], int), 0)

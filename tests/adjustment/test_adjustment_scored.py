"""Are predictions that cannot be adjusted refused, and priors what they say?"""

import numpy as np
import pytest

from wbtui.adjustment import METHODS, ScoredSet, given_prior, training_prior, validation_prior
from wbtui.errors import UsageError


def build(**changes):
    facts = {
        "split": "test",
        "logits": np.zeros((4, 3), dtype=np.float32),
        "labels": np.array([0, 1, 2, 0]),
        "train_counts": np.array([5, 3, 2]),
    }
    return ScoredSet(**(facts | changes))


@pytest.mark.parametrize("row", [0, 2])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinite_logits_are_refused_with_their_place(value, row):
    logits = np.zeros((4, 3), dtype=np.float32)
    logits[row, 1] = value
    place = rf"\(row {row}, class 1\)"
    with pytest.raises(UsageError, match=rf"test predictions: logits hold .* {place}.*diverged"):
        build(logits=logits)


def test_nan_beyond_the_first_chunk_is_found():
    logits = np.zeros((70_000, 2), dtype=np.float32)
    logits[69_999, 0] = np.nan
    with pytest.raises(UsageError, match=r"row 69999, class 0"):
        build(logits=logits, labels=np.zeros(70_000, int), train_counts=np.ones(2, int))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"logits": np.zeros((4, 3))}, "float64"),
        ({"logits": np.zeros(4, np.float32)}, r"expected float32 \(N, C\)"),
        ({"logits": np.zeros((4, 0), np.float32)}, "C >= 1"),
        ({"labels": np.array([0, 1, 2])}, r"shape \(3,\)"),
        ({"labels": np.array([0.0, 1.0, 2.0, 0.0])}, "expected integers"),
        ({"labels": np.array([0, 1, 3, 0])}, r"expected 0\.\.2"),
        ({"labels": np.array([0, 1, -1, 0])}, r"labels run from -1 to 1, expected 0\.\.2"),
        ({"train_counts": np.array([5, 3])}, "train_counts has shape"),
        ({"train_counts": np.array([5, 3, -1])}, "nothing negative"),
        ({"bias": np.array([0.0, np.nan, 0.0])}, "bias holds NaN"),
        ({"classifier_norms": np.ones(4)}, "classifier_norms has shape"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        build(**changes)


def test_the_training_prior_is_the_share_of_training_images():
    prior = training_prior(build())
    assert prior.probability == pytest.approx([0.5, 0.3, 0.2])
    assert prior.source == "training counts"


def test_a_class_without_training_images_is_refused_only_where_its_frequency_matters():
    scored = build(train_counts=np.array([5, 0, 2]))
    with pytest.raises(UsageError, match="class 1 has 0"):
        METHODS["additive"].predict(scored, None, 1.0)
    assert METHODS["none"].predict(scored, None, 0.0).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("counts", [[1.0, 2.0], [1.0, 0.0, 2.0], [1.0, np.inf, 2.0], [1.0, np.nan, 2.0]])
def test_given_counts_must_be_one_positive_number_a_class(counts):
    with pytest.raises(UsageError, match="class prior"):
        given_prior(counts, 3)


def test_a_prior_of_another_number_of_classes_is_refused():
    with pytest.raises(UsageError, match="2 classes for logits of 3"):
        METHODS["additive"].predict(build(), given_prior([1.0, 1.0], 2), 1.0)


@pytest.mark.parametrize("chunk", [4 * 7, 1 << 16])
def test_the_validation_prior_is_the_mean_posterior_with_classes_weighing_alike(make, monkeypatch, chunk):
    monkeypatch.setattr("wbtui.adjustment.scored.CHUNK_VALUES", chunk)
    validation = make(0, 300, 4)
    expected = np.zeros(4)
    for k in range(4):
        posteriors = []
        for z in validation.logits[validation.labels == k].astype(float):
            e = np.exp(z - z.max())
            posteriors.append(e / e.sum())
        expected += np.mean(posteriors, axis=0) / 4
    prior = validation_prior(validation)
    assert prior.probability == pytest.approx(expected)
    assert prior.source == "validation"


def test_a_validation_prior_needs_images_of_every_class():
    with pytest.raises(UsageError, match="class 2 has no validation images"):
        validation_prior(build(split="validation", labels=np.array([0, 1, 1, 0])))

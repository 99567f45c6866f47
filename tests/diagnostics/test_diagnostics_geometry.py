"""Are cosine similarities, norms, counts and loss those of their definitions?"""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from wbtui.diagnostics import SplitStatistics, split_geometry


def split(seed, samples=40, classes=5, size=7, relu=False):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, samples)
    features = (rng.normal(size=(classes, size))[labels] + rng.normal(size=(samples, size))).astype(
        np.float32
    )
    logits = rng.normal(size=(samples, classes)).astype(np.float32)
    return logits, (np.maximum(features, 0) if relu else features), labels


def measured(logits, features, labels, classes=5):
    return split_geometry(
        torch.as_tensor(logits),
        torch.as_tensor(features),
        torch.as_tensor(labels, dtype=torch.int64),
        classes,
    )


def cosine_over_pairs(features, labels, classes):
    h = features.astype(np.float64)
    cosine = np.full((classes, classes), np.nan)
    for i, j in itertools.product(range(classes), repeat=2):
        pairs = [
            h[a] @ h[b] / np.linalg.norm(h[a]) / np.linalg.norm(h[b])
            for a, b in itertools.product(np.flatnonzero(labels == i), np.flatnonzero(labels == j))
            if a != b
        ]
        if pairs:
            cosine[i, j] = np.mean(pairs)
    return cosine


@given(seed=st.integers(0, 10_000), samples=st.integers(2, 40))
@settings(deadline=None, max_examples=30)
def test_cosine_similarity_is_the_mean_over_pairs(seed, samples):
    logits, features, labels = split(seed, samples)  # few samples leave classes empty or alone
    geometry, pairs = measured(logits, features, labels), cosine_over_pairs(features, labels, 5)
    np.testing.assert_allclose(geometry.cosine, pairs, atol=1e-9)
    intra, inter = np.diagonal(pairs), pairs[~np.eye(5, dtype=bool)]
    for scalar, values in ((geometry.cosine_intra, intra), (geometry.cosine_inter, inter)):
        present = values[~np.isnan(values)]
        assert scalar == pytest.approx(present.mean() if len(present) else math.nan, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e30])
def test_cosine_similarity_does_not_depend_on_length(scale):
    logits, features, labels = split(3)
    cosine = measured(logits, features * np.float32(scale), labels).cosine
    np.testing.assert_allclose(cosine, measured(logits, features, labels).cosine, atol=1e-6)


def test_intra_means_the_same_class():
    labels = np.repeat([0, 1], 4)
    features = np.eye(2, dtype=np.float32)[labels] * np.arange(1, 9, dtype=np.float32)[:, None]
    geometry = measured(np.zeros((8, 2), np.float32), features, labels, 2)
    assert (geometry.cosine_intra, geometry.cosine_inter) == (pytest.approx(1.0), pytest.approx(0.0))


def test_a_zero_feature_leaves_its_class_without_cosine_and_the_others_alone():
    logits, features, labels = split(0)
    before = measured(logits, features, labels).cosine
    features[np.flatnonzero(labels == 2)[0]] = 0.0
    after = measured(logits, features, labels).cosine
    assert np.isnan(after[2]).all()
    assert np.isnan(after[:, 2]).all()
    others = [0, 1, 3, 4]
    np.testing.assert_allclose(after[np.ix_(others, others)], before[np.ix_(others, others)])


@given(seed=st.integers(0, 10_000), relu=st.booleans())
@settings(deadline=None, max_examples=20)
def test_norms_and_means_by_class(seed, relu):
    logits, features, labels = split(seed, samples=20, relu=relu)
    geometry = measured(logits, features, labels)
    for k in range(5):
        own = features[labels == k].astype(np.float64)
        if len(own) == 0:
            assert np.isnan(geometry.feature_norms[k])
            assert np.isnan(geometry.mean_feature_norms[k])
            continue
        assert geometry.feature_norms[k] == pytest.approx(np.linalg.norm(own, axis=1).mean(), rel=1e-9)
        assert geometry.mean_feature_norms[k] == pytest.approx(np.linalg.norm(own.mean(axis=0)), rel=1e-9)
        np.testing.assert_allclose(geometry.class_means[k], own.mean(axis=0), atol=1e-9)


def test_counts_confusion_and_loss():
    logits, features, labels = split(1)
    geometry = measured(logits, features, labels)
    confusion = np.zeros((5, 5), dtype=int)
    for truth, row in zip(labels, logits, strict=True):
        confusion[truth, row.argmax()] += 1
    np.testing.assert_array_equal(geometry.confusion, confusion)
    np.testing.assert_array_equal(geometry.counts, np.bincount(labels, minlength=5))
    np.testing.assert_array_equal(geometry.correct, confusion.diagonal())
    losses = -log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels]
    assert geometry.loss == pytest.approx(losses.mean(), rel=1e-6)


def test_more_samples_than_one_chunk_of_rows(monkeypatch):
    logits, features, labels = split(2)
    whole = measured(logits, features, labels)
    monkeypatch.setattr("wbtui.diagnostics.class_sums._ROWS", 7)
    chunks = measured(logits, features, labels)
    np.testing.assert_allclose(chunks.cosine, whole.cosine, rtol=1e-12)
    assert chunks.fisher.value == pytest.approx(whole.fisher.value, rel=1e-12)
    np.testing.assert_allclose(chunks.feature_norms, whole.feature_norms, rtol=1e-12)


def test_an_empty_split_is_all_nan():
    geometry = measured(np.zeros((0, 5), np.float32), np.zeros((0, 7), np.float32), [])
    assert geometry.counts.sum() == geometry.confusion.sum() == 0
    assert math.isnan(geometry.loss)
    assert math.isnan(geometry.cosine_intra)
    assert np.isnan(geometry.feature_norms).all()


def test_batches_collected_are_the_split_measured_at_once():
    logits, features, labels = (torch.as_tensor(part) for part in split(3))
    statistics = SplitStatistics(50, 5, 7, "cpu")  # room for more than come
    for _ in range(2):  # the second epoch overwrites the first
        statistics.reset()
        for rows in torch.split(torch.arange(40), 13):
            statistics.add(logits[rows].requires_grad_(), features[rows], labels[rows])
    assert torch.equal(statistics.logits, logits)
    assert torch.equal(statistics.features, features)
    assert torch.equal(statistics.labels, labels)
    assert not statistics.logits.requires_grad
    at_once, collected = split_geometry(logits, features, labels, 5), statistics.result()
    np.testing.assert_array_equal(collected.cosine, at_once.cosine)
    assert collected.fisher == at_once.fisher


def test_low_precision_batches_are_kept_in_fp32():
    statistics = SplitStatistics(2, 3, 4, "cpu")
    logits = torch.tensor([[1.5, 2.0, 3.0]] * 2, dtype=torch.bfloat16)
    statistics.add(logits, torch.ones(2, 4, dtype=torch.bfloat16), torch.tensor([0, 2]))
    assert statistics.logits.dtype == statistics.features.dtype == torch.float32
    assert torch.equal(statistics.logits, logits.float())


def test_adding_reads_no_value_back():
    # The meta device has no values: anything that waited for one would fail.
    statistics = SplitStatistics(4, 3, 2, "meta")
    statistics.add(*(torch.empty(shape, device="meta") for shape in ((4, 3), (4, 2), (4,))))
    assert statistics.features.shape == (4, 2)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            ((3, 4), (3, 2), (3,)),
            r"logits and features are \(3, 4\) and \(3, 2\), expected \(3, 3\) and \(3, 2\)",
        ),
        (((5, 3), (5, 2), (5,)), "5 samples were added where there is room for 4"),
    ],
)
def test_batches_that_do_not_fit_are_refused(shapes, message):
    with pytest.raises(ValueError, match=message):
        SplitStatistics(4, 3, 2, "cpu").add(*(torch.zeros(shape) for shape in shapes))

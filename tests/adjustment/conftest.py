"""Scored sets made by hand or at random, and the plain way to adjust them."""

import numpy as np
import pytest

from wbtui.adjustment import ScoredSet


def make_set(
    seed=0,
    n_images=200,
    n_classes=8,
    *,
    split="validation",
    centre=3.0,
    step=None,
    counts=None,
    labels=None,
):
    """Random logits with a signal; `step` rounds them, so that exact ties are common."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n_images) if labels is None else np.asarray(labels)
    if counts is None:
        counts = np.maximum(500 * 0.01 ** (np.arange(n_classes) / max(n_classes - 1, 1)), 1).astype(np.int64)
    counts = np.asarray(counts)
    logits = rng.normal(centre, 2.0, (labels.size, n_classes)) + np.log(counts / counts.sum())
    logits[np.arange(labels.size), labels] += 3.0
    if step is not None:
        logits = np.round(logits / step) * step
    return ScoredSet(
        split=split,
        logits=logits.astype(np.float32),
        labels=labels,
        train_counts=counts,
        classifier_norms=rng.uniform(0.4, 2.0, n_classes),
        bias=rng.normal(0, 0.3, n_classes),
        class_mean_feature_norms=rng.uniform(0.5, 2.0, n_classes),
    )


@pytest.fixture
def make():
    return make_set

"""Is Fisher's discriminant ratio the one of its definition, also where the scatter is singular?"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.diagnostics import fisher_discriminant_ratio, split_geometry

EPS32 = float(np.finfo(np.float32).eps)


def measured(features, labels, classes):
    h = torch.as_tensor(np.asarray(features, dtype=np.float32))
    y = torch.as_tensor(np.asarray(labels, dtype=np.int64))
    return split_geometry(torch.zeros(len(y), classes), h, y, classes).fisher


def scatters(features, labels):
    """S_W and S_B sample by sample, from the definition."""
    h, y = np.asarray(features, dtype=np.float32).astype(np.float64), np.asarray(labels)
    within, between = np.zeros((h.shape[1],) * 2), np.zeros((h.shape[1],) * 2)
    for k in np.unique(y):
        mean = h[y == k].mean(axis=0)
        for row in h[y == k]:
            within += np.outer(row - mean, row - mean)
        between += (y == k).sum() * np.outer(mean - h.mean(axis=0), mean - h.mean(axis=0))
    return within, between


def expected(features, labels):
    within, between = scatters(features, labels)
    return np.trace(np.linalg.pinv(within, rcond=within.shape[0] * EPS32, hermitian=True) @ between)


def clusters(seed, classes=4, per_class=12, size=5, spread=1.0):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), per_class)
    features = rng.normal(size=(classes, size))[labels] * 2 + rng.normal(size=(len(labels), size)) * spread
    return features, labels


SQUARE = [(0, 0), (2, 0), (0, 2), (2, 2)]


def test_toy_of_two_squares_is_eight():
    fisher = measured([*SQUARE, (4, 4), (6, 4), (4, 6), (6, 6)], [0] * 4 + [1] * 4, 2)
    assert fisher.value == pytest.approx(8.0, rel=1e-12)
    assert (fisher.rank, fisher.flagged) == (2, False)
    assert (fisher.within, fisher.between) == (pytest.approx(16.0), pytest.approx(64.0))


def test_toy_with_two_samples_less():
    fisher = measured([*SQUARE, (4, 4), (6, 4)], [0] * 4 + [1] * 2, 2)
    assert fisher.value == pytest.approx(6 + 5 / 9, rel=1e-12)


@given(seed=st.integers(0, 10_000), size=st.integers(1, 9), classes=st.integers(2, 6))
@settings(deadline=None, max_examples=40)
def test_random_features_agree_with_the_definition(seed, size, classes):
    features, labels = clusters(seed, classes=classes, size=size)
    fisher, (within, between) = measured(features, labels, classes), scatters(features, labels)
    assert fisher.rank == size
    assert not fisher.flagged
    assert fisher.value == pytest.approx(np.trace(np.linalg.solve(within, between)), rel=1e-9)
    assert fisher.within == pytest.approx(np.trace(within), rel=1e-12)
    assert fisher.between == pytest.approx(np.trace(between), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_collinear_features_are_measured_on_their_range_and_flagged(seed):
    rng = np.random.default_rng(seed)
    plane, labels = clusters(seed, size=3)
    # Entries on a grid, so that the product is exact in fp32 and the rank exactly 3.
    features = np.round(plane * 64) @ rng.integers(-3, 4, size=(3, 8))
    fisher = measured(features, labels, 4)
    assert (fisher.rank, fisher.flagged) == (3, True)
    assert fisher.value == pytest.approx(expected(features, labels), rel=1e-6)


def test_dead_dimensions_change_nothing_but_the_flag():
    features, labels = clusters(3)
    alive = measured(features, labels, 4)
    dead = measured(np.hstack([features, np.zeros((len(labels), 7))]), labels, 4)
    assert (dead.rank, dead.flagged) == (5, True)
    assert dead.value == pytest.approx(alive.value, rel=1e-9)


def test_fewer_samples_than_dimensions_are_flagged():
    features, labels = clusters(4, classes=5, per_class=4, size=64)
    fisher = measured(features, labels, 5)
    assert (fisher.rank, fisher.flagged) == (15, True)
    assert fisher.value == pytest.approx(expected(features, labels), rel=1e-6)


def test_a_direction_too_faint_for_fp32_is_left_out():
    features, labels = clusters(5, size=4)
    features[:, 0] *= (
        1e-5  # its scatter is 1e-10 of the largest, under D eps32 = 5e-7: no ridge, no explosion
    )
    fisher = measured(features, labels, 4)
    assert (fisher.rank, fisher.flagged) == (3, True)
    assert fisher.value == pytest.approx(measured(features[:, 1:], labels, 4).value, rel=1e-3)


@given(seed=st.integers(0, 10_000), stretch=st.floats(0.3, 3.0))
@settings(deadline=None, max_examples=30)
def test_invertible_maps_change_nothing_at_full_rank(seed, stretch):
    rng = np.random.default_rng(seed)
    features, labels = clusters(seed)
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    mapped = features @ rotation @ np.diag(stretch ** np.arange(-2.0, 3.0)) + rng.normal(size=5)
    value = measured(features, labels, 4).value
    assert measured(mapped, labels, 4).value == pytest.approx(value, rel=2e-3)


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_order_of_samples_and_names_of_classes_change_nothing(seed):
    rng = np.random.default_rng(seed)
    features, labels = clusters(seed)
    order, names = rng.permutation(len(labels)), rng.permutation(4)
    other = measured(features[order], names[labels[order]], 4)
    assert other.value == pytest.approx(measured(features, labels, 4).value, rel=1e-9)


def test_a_class_with_one_sample_counts_between_and_not_within():
    features, labels = clusters(6)
    features, labels = np.vstack([features, np.full((1, 5), 9.0)]), np.append(labels, 4)
    without, fisher = measured(features[:-1], labels[:-1], 5), measured(features, labels, 5)
    assert fisher.within == pytest.approx(without.within)
    assert fisher.value == pytest.approx(expected(features, labels), rel=1e-6)
    assert fisher.value > without.value


def test_an_empty_class_changes_nothing():
    features, labels = clusters(7)
    assert measured(features, labels, 9) == measured(features, labels, 4)


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_collapsed_classes_have_no_ratio(offset):
    labels = np.repeat([0, 1, 2], 7)
    features = (np.random.default_rng(0).normal(size=(3, 6)) + offset)[labels]
    fisher = measured(features, labels, 3)
    assert math.isnan(fisher.value)
    assert (fisher.rank, fisher.flagged) == (0, True)
    assert fisher.between > 0


def test_scatter_that_is_only_fp32_rounding_has_no_ratio():
    labels = np.repeat([0, 1, 2], 20)
    features = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)[labels]
    shaken = np.random.default_rng(1).random(features.shape) < 0.5
    features[shaken] = np.nextafter(features[shaken], np.float32(np.inf))
    fisher = measured(features, labels, 3)
    assert fisher.within > 0
    assert math.isnan(fisher.value)
    assert (fisher.rank, fisher.flagged) == (0, True)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_diverged_features_are_flagged_and_raise_nothing(bad):
    features, labels = clusters(8)
    features[0, 0] = bad
    fisher = measured(features, labels, 4)
    assert math.isnan(fisher.value)
    assert (fisher.rank, fisher.flagged) == (0, True)


@pytest.mark.parametrize("samples", [0, 1])
def test_next_to_no_samples_have_no_ratio(samples):
    assert math.isnan(measured(np.ones((samples, 3)), [0] * samples, 2).value)


def test_near_collapse_keeps_precision():
    # Within-class spread is 1e-5 of the means: an fp32 Gram matrix would have nothing left.
    features, labels = clusters(9, per_class=40, spread=1e-5)
    fisher = measured(features, labels, 4)
    within, between = scatters(features, labels)
    assert fisher.value == pytest.approx(np.trace(np.linalg.solve(within, between)), rel=1e-6)


def test_cholesky_and_eigenvectors_agree():
    # The same scatter, once of full rank and once with a dimension of exactly no scatter beside it.
    features, labels = clusters(10)
    within, _ = scatters(features, labels)
    means = torch.from_numpy(np.stack([features[labels == k].mean(axis=0) for k in range(4)]))
    counts = torch.full((4,), 12.0, dtype=torch.float64)
    full = fisher_discriminant_ratio(torch.from_numpy(within), means, counts)
    padded = torch.zeros(6, 6, dtype=torch.float64)
    padded[:5, :5] = torch.from_numpy(within)
    wide = fisher_discriminant_ratio(padded, torch.cat([means, torch.ones(4, 1).double()], dim=1), counts)
    assert wide.value == pytest.approx(full.value, rel=1e-10)
    assert (full.rank, wide.rank) == (5, 5)


@pytest.mark.parametrize(("least", "rank"), [(3.9, 3), (4.1, 4)])
def test_the_rank_counts_eigenvalues_above_dimensions_times_eps32_of_the_largest(least, rank):
    within = torch.diag(torch.tensor([1.0, 0.5, 0.2, least * EPS32], dtype=torch.float64))
    means = torch.tensor([[1.0, 1.0, 1.0, 0.0], [-1.0, -1.0, -1.0, 0.0]], dtype=torch.float64)
    fisher = fisher_discriminant_ratio(within, means, torch.tensor([3, 3]))
    assert (fisher.rank, fisher.flagged) == (rank, rank < 4)
    assert fisher.value == pytest.approx(6 * (1 + 2 + 5))


@pytest.mark.parametrize(("share", "rank"), [(0.9, 0), (1.1, 2)])
def test_scatter_counts_above_eps32_squared_of_the_second_moment(share, rank):
    means = torch.tensor([[100.0, 0.0], [0.0, 200.0]], dtype=torch.float64)
    second_moment = 3 * 100.0**2 + 5 * 200.0**2
    within = share * EPS32**2 * second_moment * torch.eye(2, dtype=torch.float64)
    assert fisher_discriminant_ratio(within, means, torch.tensor([3, 5])).rank == rank

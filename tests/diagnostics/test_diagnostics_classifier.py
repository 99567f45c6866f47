"""Are classifier norms, BatchNorm scales and the stage-2 closed form what they claim to be?"""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from wbtui.config import ModelConfig
from wbtui.diagnostics import (
    batchnorm_scales,
    classifier_norms,
    closed_form_gauge,
    closed_form_weight,
)
from wbtui.models import build_model


def loss(weight, features, labels, alphas, weight_decay, cb_form):
    """The stage-2 objective, written out: class-weighted loss plus λ/2 ‖W‖²."""
    logits = features @ weight.T
    if cb_form == "ce":
        data = (alphas[labels] * F.cross_entropy(logits, labels, reduction="none")).mean()
    else:
        one_hot = F.one_hot(labels, len(weight)).to(logits)
        data = F.binary_cross_entropy(logits.softmax(dim=1), one_hot, weight=alphas[labels][:, None])
    return data + weight_decay / 2 * weight.square().sum()


def converged(features, labels, alphas, weight_decay, cb_form="ce"):
    weight = torch.zeros(len(alphas), features.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight], max_iter=2000, tolerance_grad=1e-11, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = loss(weight, features, labels, alphas, weight_decay, cb_form)
        value.backward()
        return value

    optimizer.step(closure)
    return weight.detach()


def long_tailed(classes=6, size=9, seed=0):
    rng = np.random.default_rng(seed)
    counts = np.array([40, 25, 16, 9, 6, 4])[:classes]
    labels = np.repeat(np.arange(classes), counts)
    features = np.abs(rng.normal(size=(classes, size)))[labels] + 0.1 * rng.random((len(labels), size))
    means = np.stack([features[labels == k].mean(axis=0) for k in range(classes)])
    alphas = 1 / counts
    return torch.from_numpy(features), torch.from_numpy(labels), means, counts, alphas / alphas.mean()


@pytest.mark.parametrize("cb_form", ["ce", "bce_softmax"])
def test_closed_form_is_the_gradient_at_no_weight(cb_form):
    # At W = 0 every p is 1/C, so the closed form under decay λ is minus the data gradient over λ: exactly.
    features, labels, means, counts, alphas = long_tailed()
    weight = torch.zeros(6, 9, dtype=torch.float64, requires_grad=True)
    loss(weight, features, labels, torch.from_numpy(alphas), 0.0, cb_form).backward()
    expected = closed_form_weight(means, counts, alphas, 0.3, cb_form)
    np.testing.assert_allclose(-weight.grad.numpy() / 0.3, expected, atol=1e-12)


@pytest.mark.parametrize("cb_form", ["ce", "bce_softmax"])
def test_training_converges_to_the_closed_form_under_strong_decay(cb_form):
    features, labels, means, counts, alphas = long_tailed()
    errors = []
    for weight_decay in (1.0, 10.0, 100.0):
        trained = converged(features, labels, torch.from_numpy(alphas), weight_decay, cb_form).numpy()
        predicted = closed_form_weight(means, counts, alphas, weight_decay, cb_form)
        errors.append(closed_form_gauge(trained, predicted, means).relative_error)
    assert errors[2] < 0.01
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize(("weight_decay", "correlation"), [(1.0, 0.99), (0.01, -0.99)])
def test_norms_follow_the_means_only_under_strong_decay(weight_decay, correlation):
    # 20 collapsed classes in 64 dimensions, orthogonal means whose length grows from head to tail.
    lengths = np.linspace(1.0, 2.0, 20)
    means = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 20)))[0].T * lengths[:, None]
    alphas = np.ones(20)
    features, labels = torch.from_numpy(means), torch.arange(20)
    trained = converged(features, labels, torch.from_numpy(alphas), weight_decay).numpy()
    predicted = closed_form_weight(means, np.ones(20, dtype=int), alphas, weight_decay)
    gauge = closed_form_gauge(trained, predicted, means)
    assert gauge.norm_correlation == pytest.approx(correlation, abs=0.01)
    assert (gauge.relative_error < 0.1) is (weight_decay == 1.0)


def test_an_empty_class_pulls_nowhere():
    means = np.array([[1.0, 0.0], [0.0, 2.0], [math.nan, math.nan]])
    weight = closed_form_weight(means, np.array([2, 1, 0]), np.array([1.0, 2.0, 5.0]), 0.5)
    pull = np.array([[2.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(weight, (pull - pull.mean(axis=0)) / (0.5 * 3))
    assert not math.isnan(closed_form_gauge(weight, weight, means).norm_correlation)


def test_without_decay_there_is_no_closed_form():
    with pytest.raises(ValueError, match="weight_decay = 0"):
        closed_form_weight(np.ones((2, 2)), np.array([1, 1]), np.ones(2), 0.0)


def test_gauge_of_a_zero_or_uniform_classifier_is_undefined_not_an_error():
    means = np.array([[1.0, 0.0], [0.0, 2.0]])
    gauge = closed_form_gauge(np.zeros((2, 2), np.float32), np.ones((2, 2)), means)
    assert math.isnan(gauge.relative_error)
    assert math.isnan(gauge.norm_correlation)


@pytest.mark.parametrize("feature", [0.1, math.nan])
def test_class_means_of_equal_norms_or_none_correlate_with_nothing(feature):
    weight, means = np.diag([1.0, 2.0, 3.0]), np.diag([feature] * 3)
    gauge = closed_form_gauge(weight, weight, means)
    assert (gauge.relative_error, math.isnan(gauge.norm_correlation)) == (0.0, True)


def test_the_error_is_a_share_of_the_trained_weight():
    predicted = np.array([[3.0, 0.0], [0.0, -4.0]])
    assert closed_form_gauge(2 * predicted, predicted, predicted).relative_error == pytest.approx(0.5)


def test_norms_that_differ_by_rounding_alone_correlate_with_nothing():
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(9, 30))
    weight *= 0.1 / np.linalg.norm(weight, axis=1, keepdims=True)
    means = rng.normal(size=(9, 30))
    assert math.isnan(closed_form_gauge(weight.astype(np.float32), weight, means).norm_correlation)


def test_classifier_norms_leave_the_bias_out():
    torch.manual_seed(0)
    head = build_model(ModelConfig(name="resnet8"), 4, 1, 8).head
    head.bias.data.fill_(100.0)
    np.testing.assert_allclose(
        classifier_norms(head), np.linalg.norm(head.weight.detach(), axis=1), rtol=1e-6
    )


def test_batchnorm_scales_by_layer_and_overall():
    net = nn.Sequential(
        nn.BatchNorm2d(2),
        nn.Sequential(nn.ReLU(), nn.BatchNorm1d(4)),
        nn.BatchNorm1d(3, affine=False),
        nn.BatchNorm1d(1),
    )
    net[0].weight.data = torch.tensor([1.0, 3.0])
    net[1][1].weight.data = torch.tensor([0.0, -1.0, 1.0, 8.0])
    net[3].weight.data = torch.tensor([5.0])
    scales = batchnorm_scales(net)
    assert scales.names == ("0", "1.1", "3")
    np.testing.assert_allclose(scales.layers, [2.0, 2.0, 5.0])
    net[1][1].weight.data[3] = 20.0
    scales = batchnorm_scales(net)
    np.testing.assert_allclose(scales.layers, [2.0, 5.0, 5.0])
    assert scales.layer_mean == pytest.approx(4.0)
    assert scales.mean == pytest.approx(29 / 7)


def test_a_net_without_batchnorm_has_no_scale():
    scales = batchnorm_scales(nn.Linear(2, 2))
    assert scales.layers.shape == (0,)
    assert math.isnan(scales.mean)
    assert math.isnan(scales.layer_mean)

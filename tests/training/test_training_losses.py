"""Every loss against an independent computation in numpy, one image at a time."""

import math

import numpy as np
import pytest
import torch

from wbtui.catalog import LossName
from wbtui.config import LossConfig
from wbtui.training.losses import LOSSES, build_loss, feature_penalty

COUNTS = np.array([100, 40, 7, 2])
LABELS = [0, 1, 1, 2, 3, 3]
LOGITS = np.random.default_rng(3).normal(0, 3, (6, 4))


def value(config: LossConfig, progress: float = 0.0) -> float:
    loss = build_loss(config, COUNTS, torch.device("cpu"), progress)
    return float(loss(torch.tensor(LOGITS, dtype=torch.float32), torch.tensor(LABELS)))


def probabilities(z: np.ndarray) -> list[float]:
    exponents = [math.exp(v - max(z)) for v in z]
    return [e / sum(exponents) for e in exponents]


def cross_entropies(logits: np.ndarray) -> list[float]:
    return [-math.log(probabilities(z)[y]) for z, y in zip(logits, LABELS, strict=True)]


def weights(beta: float) -> list[float]:
    raw = [(1 - beta) / (1 - beta**n) for n in COUNTS.tolist()]
    return [len(raw) * w / sum(raw) for w in raw]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_cross_entropy() -> None:
    assert value(LossConfig(name="ce")) == pytest.approx(mean(cross_entropies(LOGITS)), rel=1e-5)


def test_class_balanced_cross_entropy_weighs_each_image_and_divides_by_the_batch() -> None:
    w = weights(0.999)
    expected = mean([w[y] * ce for y, ce in zip(LABELS, cross_entropies(LOGITS), strict=True)])
    assert value(LossConfig(name="cb", beta=0.999)) == pytest.approx(expected, rel=1e-5)


def test_released_class_balanced_loss_is_binary_cross_entropy_on_softmax_over_batch_and_classes() -> None:
    w, total = weights(0.9999), 0.0
    for z, y in zip(LOGITS, LABELS, strict=True):
        for k, p in enumerate(probabilities(z)):
            total += -w[y] * (math.log(p) if k == y else math.log(1 - p))
    assert value(LossConfig(name="cb", cb_form="bce_softmax")) == pytest.approx(total / (6 * 4), rel=1e-4)


def test_released_class_balanced_gradient_is_c_minus_one_times_smaller_at_uniform_probabilities() -> None:
    gradients = []
    for form in ("ce", "bce_softmax"):
        logits = torch.zeros(2, 10, requires_grad=True)
        config = LossConfig.model_validate({"name": "cb", "cb_form": form})
        loss = build_loss(config, np.full(10, 5), torch.device("cpu"), 0.0)
        loss(logits, torch.tensor([0, 3])).backward()
        gradients.append(logits.grad)
    assert torch.allclose(gradients[0], gradients[1] * 9, atol=1e-6)


def test_focal() -> None:
    expected = mean([(1 - math.exp(-ce)) ** 2.0 * ce for ce in cross_entropies(LOGITS)])
    assert value(LossConfig(name="focal", gamma=2.0)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_gradient_is_finite_for_a_certain_image(gamma: float) -> None:
    logits = torch.tensor([[200.0, 0.0, 0.0, 0.0]], requires_grad=True)
    build_loss(LossConfig(name="focal", gamma=gamma), COUNTS, torch.device("cpu"), 0.0)(
        logits, torch.tensor([0])
    ).backward()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", LossName.__args__)
@pytest.mark.parametrize("form", ["ce", "bce_softmax"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_not_finite_make_a_loss_that_is_not(name: LossName, form: str, bad: float) -> None:
    """So that the trainer sees it: torch's own binary cross-entropy would raise, and end a CUDA context."""
    config = LossConfig.model_validate({"name": name, "cb_form": form})
    loss = build_loss(config, COUNTS, torch.device("cpu"), 0.9)
    logits = torch.tensor(LOGITS, dtype=torch.float32)
    logits[2, 3] = bad
    assert not torch.isfinite(loss(logits, torch.tensor(LABELS)))


@pytest.mark.parametrize("name", LossName.__args__)
@pytest.mark.parametrize("form", ["ce", "bce_softmax"])
def test_gradients_are_those_of_the_whole_loss(name: LossName, form: str) -> None:
    """Nothing in a loss is taken for a constant: autograd agrees with finite differences."""
    config = LossConfig.model_validate({"name": name, "cb_form": form, "gamma": 2.0, "tau": 0.7})
    loss = build_loss(config, COUNTS, torch.device("cpu"), 0.9)
    logits = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: loss(z, torch.tensor(LABELS)), logits)


def test_ldam_takes_the_margin_off_the_true_logit_and_reweighs_late() -> None:
    config = LossConfig(name="ldam", max_margin=0.5, scale=30.0, reweight_from=0.8)
    raw = [n**-0.25 for n in COUNTS.tolist()]
    shifted = LOGITS.copy()
    for i, y in enumerate(LABELS):
        shifted[i, y] -= 30.0 * 0.5 * raw[y] / max(raw)
    plain = cross_entropies(shifted)
    assert value(config, 0.79) == pytest.approx(mean(plain), rel=1e-5)
    w = weights(0.9999)
    weighted = sum(w[y] * ce for y, ce in zip(LABELS, plain, strict=True))
    assert value(config, 0.8) == pytest.approx(weighted / sum(w[y] for y in LABELS), rel=1e-5)


def test_balanced_softmax_and_logit_adjusted_loss_differ_by_nothing_at_tau_one() -> None:
    expected = mean(cross_entropies(LOGITS + np.log(COUNTS)))
    assert value(LossConfig(name="balanced_softmax")) == pytest.approx(expected, rel=1e-5)
    assert value(LossConfig(name="la", tau=1.0)) == pytest.approx(expected, rel=1e-5)


def test_logit_adjusted_loss_at_another_strength() -> None:
    expected = mean(cross_entropies(LOGITS + 0.4 * np.log(COUNTS / COUNTS.sum())))
    assert value(LossConfig(name="la", tau=0.4)) == pytest.approx(expected, rel=1e-5)


def test_vector_scaling() -> None:
    scale, shift = (COUNTS / COUNTS.max()) ** 0.2, 0.5 * np.log(COUNTS / COUNTS.sum())
    expected = mean(cross_entropies(LOGITS * scale + shift))
    assert value(LossConfig(name="vs", gamma=0.2, tau=0.5)) == pytest.approx(expected, rel=1e-5)


def test_feature_penalty_is_half_lambda_times_the_mean_squared_norm() -> None:
    h = np.random.default_rng(0).normal(size=(5, 7))
    expected = 0.01 / 2 * mean([float((row**2).sum()) for row in h])
    assert float(feature_penalty(torch.tensor(h), 0.01)) == pytest.approx(expected, rel=1e-6)


def test_every_loss_that_can_be_named_exists() -> None:
    assert set(LOSSES) == set(LossName.__args__)

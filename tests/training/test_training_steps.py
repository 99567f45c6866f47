"""What trains, how it decays, at what rate, and what MaxNorm does to the classifier."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from wbtui.config import ModelConfig, StageConfig
from wbtui.models.model import WbModel, build_model
from wbtui.training.constraints import MaxNorm, maxnorm_threshold
from wbtui.training.optimization import batchnorms, build_optimizer, learning_rate, prepare, set_mode
from wbtui.training.runtime import Runtime
from wbtui.training.stage import RunningSums, Stage

CPU = Runtime(torch.device("cpu"), "fp32", 1)


def small_model(head: str = "linear") -> WbModel:
    torch.manual_seed(0)
    config = ModelConfig.model_validate({"name": "resnet8", "width": 4, "head": head})
    return build_model(config, classes=3, channels=1, image_size=8)


def one_step(model: WbModel, config: StageConfig) -> None:
    stage = Stage(0, config, model, np.array([9, 3, 1]), CPU)
    stage.begin_epoch(0)
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(6, 1, 8, 8, generator=generator)
    stage.step(images, torch.tensor([0, 0, 0, 1, 1, 2]), rate=0.1)


def changed(model: WbModel, config: StageConfig) -> set[str]:
    prepare(model, config)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    one_step(model, config)
    return {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


def test_cosine_starts_at_the_learning_rate_and_ends_near_zero() -> None:
    stage = StageConfig(learning_rate=0.4, epochs=10, schedule="cosine")
    assert learning_rate(stage, 0, 0, 5) == pytest.approx(0.4)
    assert learning_rate(stage, 5, 0, 5) == pytest.approx(0.2)
    assert 0 < learning_rate(stage, 9, 4, 5) < 0.001


def test_a_constant_rate_stays() -> None:
    stage = StageConfig(learning_rate=0.4, epochs=10, schedule="constant")
    assert {learning_rate(stage, epoch, batch, 5) for epoch in range(10) for batch in range(5)} == {0.4}


def test_papers_cosine_is_stepped_before_each_epoch_so_the_last_runs_at_zero() -> None:
    stage = StageConfig(learning_rate=0.01, epochs=320, schedule="cosine_papers")
    for e in (0, 7, 200, 319):
        expected = 0.005 * (1 + np.cos(np.pi * (e + 1) / 320))
        assert learning_rate(stage, e, 3, 9) == pytest.approx(expected, abs=1e-12)
    assert learning_rate(stage, 319, 0, 9) == pytest.approx(0.0, abs=1e-12)


def test_decay_is_the_gradient_of_half_lambda_squared_norm_over_all_that_trains() -> None:
    """One step with decay differs from one without by -lr λ θ, BatchNorm and biases included."""
    with_decay, without, start = small_model(), small_model(), small_model()
    # The rate is that of the step, 0.1, whatever the stage begins with.
    one_step(with_decay, StageConfig(weight_decay=0.5, learning_rate=0.7))
    one_step(without, StageConfig(weight_decay=0.0, learning_rate=0.7))
    for (name, a), (_, b), (_, theta) in zip(
        with_decay.named_parameters(), without.named_parameters(), start.named_parameters(), strict=True
    ):
        assert torch.allclose(a - b, -0.1 * 0.5 * theta, atol=1e-6), name


def test_feature_regularization_adds_the_gradient_of_half_lambda_mean_squared_feature_norm() -> None:
    """One step with FR differs from one without by -lr λ_F/2 times the gradient of mean_i ‖h_i‖², in no classifier."""
    regularized, without, start = small_model(), small_model(), small_model()
    one_step(regularized, StageConfig(feature_regularization=0.5))
    one_step(without, StageConfig())
    features = start.train().features(torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(1)))
    sum(h @ h for h in features).div(6).backward()
    for (name, a), b, theta in zip(
        regularized.named_parameters(), without.parameters(), start.parameters(), strict=True
    ):
        expected = torch.zeros_like(b) if theta.grad is None else -0.1 * 0.25 * theta.grad
        assert torch.allclose(a - b, expected, atol=1e-6), name


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.9, False), (0.9, True), (0.0, False)])
def test_the_optimizer_is_torchs_to_the_bit_with_its_state(momentum: float, nesterov: bool) -> None:
    config = StageConfig(weight_decay=0.1, momentum=momentum, nesterov=nesterov)
    ours, theirs = small_model(), small_model()
    mine = build_optimizer(ours, config)
    plain = torch.optim.SGD(
        theirs.parameters(), lr=0.1, momentum=momentum, nesterov=nesterov, weight_decay=0.1, fused=True
    )
    for step in range(4):
        for model, optimizer in ((ours, mine), (theirs, plain)):
            images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(step))
            optimizer.zero_grad(set_to_none=True)
            model(images)[0].square().mean().backward()
            optimizer.step()
        mine.load_state_dict(mine.state_dict())
    assert all(map(torch.equal, ours.parameters(), theirs.parameters()))
    states = [optimizer.state_dict() for optimizer in (mine, plain)]
    assert states[0]["param_groups"] == states[1]["param_groups"]
    assert str(states[0]["state"]) == str(states[1]["state"])


def test_a_step_does_not_import_torchs_compiler() -> None:
    """It takes as long as torch itself, at every start of a run."""
    script = (
        "import sys, torch\nfrom wbtui.config import StageConfig\n"
        "from wbtui.training.optimization import EagerSGD\n"
        "weight = torch.nn.Parameter(torch.ones(2)); weight.grad = torch.ones(2)\n"
        "optimizer = EagerSGD([weight], lr=0.1, momentum=0.9, fused=True)\n"
        "optimizer.step(); optimizer.zero_grad(); optimizer.load_state_dict(optimizer.state_dict())\n"
        "print([name for name in ('torch._dynamo', 'sympy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_decay_without_batchnorm_spares_exactly_its_scales_and_shifts() -> None:
    model = small_model()
    config = StageConfig(weight_decay=0.5, decay_rule="no_bn")
    prepare(model, config)
    decays = {
        id(p): g["weight_decay"] for g in build_optimizer(model, config).param_groups for p in g["params"]
    }
    spared = {id(p) for layer in batchnorms(model) for p in layer.parameters()}
    assert {key for key, decay in decays.items() if decay == 0.0} == spared
    assert len(decays) == len(list(model.parameters()))


def test_fixed_batchnorm_scales_stand_at_the_constant_and_do_not_move() -> None:
    model = small_model()
    one_step(model, StageConfig(bn_scale="fixed", fixed_bn_scale=0.07, weight_decay=0.5))
    for layer in batchnorms(model):
        assert torch.equal(layer.weight, torch.full_like(layer.weight, 0.07))


def test_a_classifier_stage_moves_the_classifier_alone() -> None:
    moved = changed(small_model(), StageConfig(trains="classifier", weight_decay=0.1))
    assert moved == {"head.weight", "head.bias"}


def test_what_a_stage_freezes_stays_also_where_the_stage_before_left_gradients() -> None:
    model, start = small_model(), small_model()
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    config = StageConfig(trains="classifier", weight_decay=0.5)
    prepare(model, config)
    build_optimizer(model, config).step()
    pairs = zip(model.named_parameters(), start.parameters(), strict=True)
    moved = {name for (name, after), before in pairs if not torch.equal(after, before)}
    assert moved == {"head.weight", "head.bias"}


def test_unfrozen_statistics_move_with_a_frozen_net_when_asked() -> None:
    moved = changed(small_model(), StageConfig(trains="classifier", freeze_bn_stats=False))
    assert any(name.endswith("running_mean") for name in moved)
    assert not any(name.startswith("backbone") and name.endswith("weight") for name in moved)


def test_a_scale_stage_moves_one_scale_a_class_alone() -> None:
    model = small_model()
    model.head.add_class_scale()
    assert changed(model, StageConfig(trains="classifier_scale")) == {"head.class_scale"}


def test_with_an_etf_only_the_bias_of_the_classifier_trains() -> None:
    moved = changed(small_model("etf"), StageConfig())
    assert "head.bias" in moved
    assert "head.weight" not in moved


def test_set_mode_freezes_statistics_only_where_the_stage_says() -> None:
    model = small_model()
    set_mode(model, StageConfig(trains="classifier"))
    assert not model.backbone.training
    assert model.head.training
    set_mode(model, StageConfig())
    assert model.backbone.training


@pytest.mark.parametrize(("loss", "anew"), [("ldam", [0, 8]), ("focal", [0])])
def test_deferred_weights_come_with_the_last_fifth_of_the_epochs(loss: str, anew: list[int]) -> None:
    config = StageConfig.model_validate({"epochs": 10, "loss": {"name": loss}})
    stage = Stage(0, config, small_model("cosine"), np.array([9, 3, 1]), CPU)
    losses = []
    for epoch in range(10):
        stage.begin_epoch(epoch)
        losses.append(stage.loss)
    assert [e for e in range(10) if e == 0 or losses[e] is not losses[e - 1]] == anew


def test_maxnorm_threshold_lies_a_tenth_above_the_smallest_norm() -> None:
    assert maxnorm_threshold(torch.tensor([2.0, 1.0, 3.0]), 0.1) == pytest.approx(1.2)


def test_maxnorm_projects_long_rows_and_keeps_short_ones() -> None:
    weight = torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0], [1.2, 1.65]])
    maxnorm = MaxNorm.of(torch.tensor([0.5, 2.0]).repeat(2), 1.0)
    assert maxnorm.cut.tolist() == [False] * 4
    maxnorm.project(weight)
    assert torch.allclose(weight, torch.tensor([[1.2, 1.6], [0.3, 0.4], [0.0, 0.0], [1.17635, 1.61748]]))
    assert maxnorm.cut.tolist() == [True, False, False, True]
    maxnorm.project(weight)
    assert maxnorm.cut.tolist() == [True, False, False, True]
    maxnorm.forget()
    maxnorm.project(weight)
    assert maxnorm.cut.tolist() == [False] * 4
    MaxNorm.of(weight.norm(dim=1), 0.0).project(weight)  # δ is that of the zero row
    assert torch.equal(weight, torch.zeros(4, 2))


def test_rows_that_were_just_projected_are_not_counted_as_cut_again() -> None:
    weight = torch.randn(500, 64, generator=torch.Generator().manual_seed(0))
    maxnorm = MaxNorm(0.3, torch.zeros(500, dtype=torch.bool))
    maxnorm.project(weight)
    assert maxnorm.cut.all()
    assert (weight.norm(dim=1) > 0.3).any()  # by rounding
    maxnorm.forget()
    maxnorm.project(weight)
    assert not maxnorm.cut.any()


def test_maxnorm_holds_after_every_step_and_spares_the_bias() -> None:
    model = small_model()
    with torch.no_grad():
        model.head.bias.fill_(50.0)
    config = StageConfig(trains="classifier", constraint="maxnorm", learning_rate=1.0)
    stage = Stage(1, config, model, np.array([9, 3, 1]), CPU)
    stage.begin_epoch(0)
    for _ in range(5):
        stage.step(torch.randn(6, 1, 8, 8), torch.tensor([0, 0, 0, 1, 1, 2]), rate=1.0)
        assert (model.head.weight.norm(dim=1) <= stage.maxnorm.threshold * (1 + 1e-5)).all()
    assert (model.head.bias > 10).all()


def test_maxnorm_bounds_the_rows_that_it_projects_whatever_scale_lws_has_given_them() -> None:
    model = small_model()
    norms = model.head.norms()
    with torch.no_grad():
        model.head.add_class_scale().copy_(torch.tensor([5.0, 0.1, 3.0]))
    config = StageConfig(trains="classifier", constraint="maxnorm", maxnorm_fraction=0.5)
    stage = Stage(2, config, model, np.array([9, 3, 1]), CPU)
    assert stage.maxnorm.threshold == pytest.approx(((norms.min() + norms.max()) / 2).item())


def test_maxnorm_once_an_epoch_lets_norms_grow_in_between() -> None:
    config = StageConfig(trains="classifier", constraint="maxnorm", maxnorm_every="epoch")
    model = small_model()
    stage = Stage(1, config, model, np.array([9, 3, 1]), CPU)
    stage.begin_epoch(0)
    stage.step(torch.randn(6, 1, 8, 8), torch.tensor([0, 0, 0, 1, 1, 2]), rate=1.0)
    assert (model.head.weight.norm(dim=1) > stage.maxnorm.threshold).any()
    stage.end_epoch()
    assert (model.head.weight.norm(dim=1) <= stage.maxnorm.threshold * (1 + 1e-5)).all()


def test_running_sums_count_hits_by_class_and_find_the_first_bad_batch() -> None:
    sums = RunningSums(3, torch.device("cpu"))
    sums.add(torch.tensor(2.0), torch.tensor([[1.0, 0, 0], [1.0, 0, 0]]), torch.tensor([0, 2]), batch=0)
    sums.add(torch.tensor(float("nan")), torch.tensor([[0.0, 1, 0]]), torch.tensor([1]), batch=1)
    sums.add(torch.tensor(float("inf")), torch.tensor([[0.0, 1, 0]]), torch.tensor([0]), batch=2)
    assert sums.correct.tolist() == [1, 1, 0]
    assert sums.seen.tolist() == [2, 1, 1]
    assert sums.first_bad_batch.item() == 1

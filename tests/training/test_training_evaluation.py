"""Is what is measured of a split what its name says, from the weights that stand now?"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from wbtui.config import EvaluationConfig, ModelConfig, StageConfig
from wbtui.data.batches import DeviceImages
from wbtui.diagnostics.geometry import SplitGeometry, split_geometry
from wbtui.metrics.groups import assign_groups
from wbtui.models.model import WbModel, build_model
from wbtui.report.compare import METRICS
from wbtui.store.format import Metric
from wbtui.training.evaluation import Evaluator
from wbtui.training.measures import Measures
from wbtui.training.outputs import classifier_of
from wbtui.training.runtime import Runtime
from wbtui.training.stage import RunningSums, Stage

CPU = Runtime(torch.device("cpu"), "fp32", 1)
COUNTS = np.array([9, 3, 1])
LABELS = torch.tensor([0, 0, 0, 1, 1, 1, 2])
IMAGES = torch.randint(0, 256, (7, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model() -> WbModel:
    torch.manual_seed(0)
    return build_model(ModelConfig(name="resnet8", width=4), classes=3, channels=1, image_size=8)


def evaluator(model: WbModel, tta: str = "none") -> Evaluator:
    images = DeviceImages(IMAGES, LABELS, mean=[0.4], std=[0.3])
    config = EvaluationConfig.model_validate({"batch_size": 3, "tta": tta})
    return Evaluator(model, {"test": images}, 3, 16, config, CPU)


def normalised() -> torch.Tensor:
    return (IMAGES.float() / 255 - 0.4) / 0.3


def test_mirror_averaging_is_the_mean_of_the_logits_of_an_image_and_its_left_right_mirror(
    model: WbModel,
) -> None:
    model.eval()
    with torch.no_grad():
        expected = (model(normalised())[0] + model(normalised().flip(-1))[0]) / 2
        plain = model.features(normalised())
    geometry, logits = evaluator(model, "flip").measure("test")
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)
    means = [plain[k == LABELS].double().mean(0).numpy() for k in range(3)]
    np.testing.assert_allclose(geometry.class_means, means, rtol=1e-4, atol=1e-6)


def test_a_split_is_measured_with_the_statistics_of_batchnorm_not_with_those_of_its_batches(
    model: WbModel,
) -> None:
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    _, logits = evaluator(model).measure("test")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    model.eval()
    torch.testing.assert_close(logits, model(normalised())[0], rtol=1e-4, atol=1e-5)


def test_features_are_kept_only_while_the_net_stands_still(model: WbModel) -> None:
    measured = evaluator(model)
    measured.freeze(True)
    first = measured.measure("test")[1].clone()
    with torch.no_grad():
        model.head.weight.mul_(2)
        model.backbone.conv1.weight.mul_(-1)
    kept = measured.measure("test")[1].clone()
    bias = model.head.bias.detach()
    torch.testing.assert_close(kept - bias, 2 * (first - bias), rtol=1e-4, atol=1e-5)
    measured.freeze(False)
    moved = measured.measure("test")[1].clone()
    assert not torch.allclose(moved, kept)
    with torch.no_grad():
        model.backbone.conv1.weight.mul_(-1)
    assert not torch.allclose(measured.measure("test")[1], moved)


@pytest.mark.parametrize(
    ("trains", "freeze_bn_stats", "frozen"),
    [
        ("all", True, False),
        ("classifier", True, True),
        ("classifier", False, False),
        ("classifier_scale", True, True),
    ],
)
def test_a_net_whose_statistics_move_does_not_stand_still(
    model: WbModel, trains: str, freeze_bn_stats: bool, frozen: bool
) -> None:
    model.head.add_class_scale()
    config = StageConfig.model_validate({"trains": trains, "freeze_bn_stats": freeze_bn_stats})
    assert Stage(1, config, model, COUNTS, CPU).frozen is frozen


# ---------------------------------------------------------------------- names


def measured() -> tuple[SplitGeometry, np.ndarray, np.ndarray]:
    """A split of 20, 12 and 8 images, its features (40, 5) and its logits (40, 3).

    The first class is wide around 0: its features are the longest, and their mean the shortest.
    """
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], [20, 12, 8])
    spread = np.array([4.0, 1.0, 1.0])[labels]
    features = spread[:, None] * rng.normal(size=(40, 5)) + labels[:, None] * [1.0, 0.0, -1.0, 0.5, 0.0]
    logits = rng.normal(size=(40, 3)) + np.eye(3)[labels]
    geometry = split_geometry(
        torch.tensor(logits, dtype=torch.float32),
        torch.tensor(features, dtype=torch.float32),
        torch.tensor(labels),
        3,
    )
    return geometry, features, logits


def measures(model: WbModel) -> Measures:
    data: Any = SimpleNamespace(train_counts=COUNTS, class_names=("a", "b", "c"))
    return Measures(data, assign_groups(COUNTS, 8, 2), model, ["test"])


def test_every_figure_of_a_split_stands_under_its_own_name(model: WbModel) -> None:
    geometry, features, logits = measured()
    scalars, vectors = measures(model).of_split("test", geometry)
    own = [features[:20], features[20:32], features[32:]]
    overall = features.mean(0)
    within = sum((h - h.mean(0)).T @ (h - h.mean(0)) for h in own)
    between = sum(len(h) * np.outer(h.mean(0) - overall, h.mean(0) - overall) for h in own)
    unit = [h / np.linalg.norm(h, axis=1, keepdims=True) for h in own]
    intra = [((u @ u.T).sum() - len(u)) / (len(u) * (len(u) - 1)) for u in unit]
    inter = [(unit[i] @ unit[j].T).mean() for i in range(3) for j in range(3) if i != j]
    norms = [np.linalg.norm(h, axis=1).mean() for h in own]
    right = logits.argmax(1) == np.repeat([0, 1, 2], [20, 12, 8])
    accuracy = [right[:20].mean(), right[20:32].mean(), right[32:].mean()]
    loss = F.cross_entropy(torch.tensor(logits), torch.tensor(np.repeat([0, 1, 2], [20, 12, 8])))
    expected = {
        "accuracy.all": np.mean(accuracy),
        "accuracy.many": accuracy[0],
        "accuracy.medium": accuracy[1],
        "accuracy.few": accuracy[2],
        "loss": loss.item(),
        "fdr": np.trace(np.linalg.solve(within, between)),
        "fdr.rank": 5,
        "fdr.within": np.trace(within),
        "fdr.between": np.trace(between),
        "fdr.flagged": 0,
        "cosine.intra": np.mean(intra),
        "cosine.inter": np.mean(inter),
        "feature_norm.spearman": np.corrcoef([2, 1, 0], np.argsort(np.argsort(norms)))[0, 1],
    }
    assert scalars == pytest.approx({f"test.{name}": float(value) for name, value in expected.items()})
    kept_of_weights = scalars | {"bn.scale.mean": 0.5}
    assert measures(model).figures(kept_of_weights | {"lr": 0.1, "running.loss": 0.2}) == kept_of_weights
    assert vectors["test.accuracy@class"] == pytest.approx(accuracy)
    assert vectors["test.feature_norm@class"] == pytest.approx(norms)
    mean_norms = [np.linalg.norm(h.mean(0)) for h in own]
    assert vectors["test.mean_feature_norm@class"] == pytest.approx(mean_norms)
    kept = classifier_of(model.head, COUNTS, geometry)
    assert kept.class_mean_feature_norms == pytest.approx(mean_norms)


def test_what_is_declared_of_a_split_is_what_is_measured(model: WbModel) -> None:
    declared: list[Metric] = []
    writer: Any = SimpleNamespace(define=declared.append)
    geometry, _, _ = measured()
    found = measures(model)
    found.define(writer)
    scalars, vectors = found.of_split("test", geometry)
    assert {metric.name for metric in declared if metric.name.startswith("test.")} == {
        *scalars,
        *vectors,
        *found.matrices("test", geometry),
    }
    layers = tuple(name for name, layer in model.named_modules() if isinstance(layer, torch.nn.BatchNorm2d))
    assert {(metric.axis, metric.width, metric.names) for metric in declared} == {
        ("scalar", 1, ()),
        ("class", 3, ("a", "b", "c")),
        ("matrix", 3, ("a", "b", "c")),
        ("layer", len(layers), layers),
    }


@pytest.mark.parametrize("constraint", ["none", "maxnorm"])
def test_what_is_declared_of_training_and_the_model_is_what_an_epoch_measures(
    model: WbModel, constraint: str
) -> None:
    declared: list[Metric] = []
    writer: Any = SimpleNamespace(define=declared.append)
    found = measures(model)
    found.define(writer)
    config = StageConfig.model_validate({"constraint": constraint, "maxnorm_fraction": 0.5})
    stage = Stage(0, config, model, COUNTS, CPU)
    with torch.no_grad():
        model.head.weight.mul_(torch.tensor([[0.2], [0.5], [9.0]]))
    if stage.maxnorm:
        stage.maxnorm.project(model.head.weight)
    scales = [layer.weight.detach() for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for number, scale in enumerate(scales):
        scale += number
    sums = RunningSums(3, CPU.device)
    sums.add(torch.tensor(1.0), torch.zeros(4, 3), torch.tensor([0, 0, 0, 1]), batch=0)
    scalars, vectors = found.of_epoch(stage, sums, rate=0.1)
    elsewhere = {"time.epoch_seconds", "time.images_per_second"}
    elsewhere |= {"stage2.closed_form_error", "stage2.norm_correlation"}
    if not stage.maxnorm:
        elsewhere |= {"maxnorm.threshold", "maxnorm.active"}
    of_splits = ("train.", "test.")
    assert {metric.name for metric in declared if not metric.name.startswith(of_splits)} == {
        *scalars,
        *vectors,
        *elsewhere,
    }
    assert scalars["lr"] == 0.1
    assert scalars.get("maxnorm.active") == (1.0 if stage.maxnorm else None)
    norms = np.linalg.norm(model.head.weight.detach(), axis=1)
    assert vectors["classifier.norm@class"] == pytest.approx(norms)
    assert scalars["classifier.norm.spearman"] == pytest.approx(-1.0)
    layer_means = [scale.mean().item() for scale in scales]
    assert vectors["bn.scale@layer"] == pytest.approx(layer_means)
    assert scalars["bn.scale.layer_mean"] == pytest.approx(np.mean(layer_means))
    assert scalars["bn.scale.mean"] == pytest.approx(torch.cat(scales).mean().item())


def test_the_loss_of_an_epoch_is_the_mean_over_its_images(model: WbModel) -> None:
    sums = RunningSums(3, CPU.device)
    sums.add(torch.tensor(1.0), torch.zeros(4, 3), torch.tensor([0, 0, 0, 1]), batch=0)
    sums.add(torch.tensor(4.0), torch.zeros(2, 3), torch.tensor([0, 2]), batch=1)
    stage = Stage(0, StageConfig(constraint="maxnorm", maxnorm_fraction=0.5), model, COUNTS, CPU)
    scalars, _ = measures(model).of_epoch(stage, sums, rate=0.1)
    assert scalars["running.loss"] == pytest.approx((4 * 1.0 + 2 * 4.0) / 6)
    assert scalars["running.accuracy.all"] == pytest.approx(1 / 3)
    norms = np.linalg.norm(model.head.weight.detach().numpy(), axis=1)
    assert scalars["maxnorm.threshold"] == pytest.approx((norms.min() + norms.max()) / 2)


def test_comparisons_call_better_what_is_declared_as_better(model: WbModel) -> None:
    declared: dict[str, Metric] = {}
    writer: Any = SimpleNamespace(define=lambda metric: declared.setdefault(metric.name, metric))
    data: Any = SimpleNamespace(train_counts=COUNTS, class_names=("a", "b", "c"))
    Measures(data, assign_groups(COUNTS, 8, 2), model, ["validation", "test"]).define(writer)
    for one in METRICS:
        better = {"higher": 1, "lower": -1, "none": 0}[declared[one.metric].better]
        assert (one.better, one.title[-1]) == (better, {1: "↑", -1: "↓"}.get(better, one.title[-1])), (
            one.metric
        )

"""What is measured of a classifier, against gradients and what is known of it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from wbtui.config import ModelConfig, StageConfig
from wbtui.diagnostics.geometry import split_geometry
from wbtui.metrics.groups import assign_groups
from wbtui.models.model import WbModel, build_model
from wbtui.training.constraints import MaxNorm
from wbtui.training.losses import build_loss
from wbtui.training.measures import Measures

COUNTS = np.array([9, 3, 1])
DECAY = 0.5


def small_model(head: str = "linear") -> WbModel:
    torch.manual_seed(0)
    config = ModelConfig.model_validate({"name": "resnet8", "width": 4, "head": head})
    return build_model(config, classes=3, channels=1, image_size=8)


def measures(model: WbModel) -> Measures:
    data: Any = SimpleNamespace(train_counts=COUNTS, class_names=("a", "b", "c"))
    return Measures(data, assign_groups(COUNTS, 8, 2), model, ["test"])


@pytest.mark.parametrize("scale", [None, [2.0, -1.0, 0.5]])  # of LWS, from a stage before
@pytest.mark.parametrize("sampler", ["shuffled", "class_balanced"])
@pytest.mark.parametrize(
    "loss",
    [
        {"name": "ce"},
        {"name": "ce", "cb_form": "bce_softmax"},  # a form that only the class-balanced loss has
        {"name": "cb"},
        {"name": "cb", "cb_form": "bce_softmax"},
    ],
)
def test_the_closed_form_is_minus_the_gradient_at_zero_over_the_decay(
    loss: dict[str, str], sampler: str, scale: list[float] | None
) -> None:
    """Where decay keeps logits small the classifier stands at -gradient(0)/λ of the loss that the sampler shows."""
    stage = StageConfig.model_validate(
        {"trains": "classifier", "weight_decay": DECAY, "sampler": sampler, "loss": loss}
    )
    features, labels = torch.rand(13, 16), torch.repeat_interleave(torch.arange(3), torch.tensor(COUNTS))
    shown = torch.arange(13)
    if sampler == "class_balanced":  # nine of each class: every image of it equally often
        shown = torch.cat([torch.arange(9), torch.arange(9, 12).repeat(3), torch.tensor([12]).repeat(9)])
    model = small_model()
    weight = model.head.weight
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.zero_()
        if scale is not None:
            model.head.add_class_scale().copy_(torch.tensor(scale))
    value = build_loss(stage.loss, COUNTS, torch.device("cpu"), 0.0)
    value(model.head(features[shown]), labels[shown]).backward()
    with torch.no_grad():
        weight.copy_(-weight.grad / DECAY)
    geometry = split_geometry(torch.zeros(13, 3), features, labels, 3)
    assert measures(model).of_stage_two(stage, geometry)["stage2.closed_form_error"] < 1e-5


def test_there_is_no_closed_form_for_losses_whose_gradient_it_does_not_describe() -> None:
    geometry = split_geometry(torch.zeros(3, 3), torch.rand(3, 16), torch.arange(3), 3)
    for settings in ({"weight_decay": 0.0}, {"weight_decay": 0.1, "loss": {"name": "balanced_softmax"}}):
        stage = StageConfig.model_validate({"trains": "classifier", **settings})
        assert measures(small_model()).of_stage_two(stage, geometry) == {}


def test_norms_that_differ_by_rounding_alone_have_no_rank_correlation() -> None:
    assert np.isnan(measures(small_model("etf")).of_model()[0]["classifier.norm.spearman"])
    model = small_model()
    assert not np.isnan(measures(model).of_model()[0]["classifier.norm.spearman"])
    maxnorm = MaxNorm.of(model.head.norms(), 0.0)
    with torch.no_grad():
        maxnorm.project(model.head.weight.mul_(torch.tensor([[3.0], [1.7], [5.1]])))
    assert maxnorm.cut.all()
    assert np.isnan(measures(model).of_model()[0]["classifier.norm.spearman"])

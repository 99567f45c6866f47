"""A recorded step never asks the host: every loss, head, penalty, constraint and net runs on tensors without values.

torch's meta tensors have shapes and a device but no values, so whatever needs one (`.item()`, a branch, a mask as an
index) fails at once, and copies between host and device are refused on top. A CUDA graph breaks at the same places.
What the kernels themselves do on CUDA no CPU can tell.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from wbtui import catalog
from wbtui.config import ModelConfig, StageConfig
from wbtui.data.batches import DeviceImages
from wbtui.data.epoch_plan import EpochPlan, batch_bounds
from wbtui.models.model import build_model
from wbtui.training.engine import StaticSteps
from wbtui.training.losses import LOSSES, Loss
from wbtui.training.runtime import Runtime
from wbtui.training.stage import CachedFeatures, RunningSums, Stage

META = torch.device("meta")
IMAGES, CLASSES, BATCH, PADDING, SIDE = 22, 3, 8, 2, 32
COUNTS = np.array([12, 7, 3])


class RefusedError(Exception):
    """A step touched the host."""


class OnTheDeviceAlone(TorchDispatchMode):
    """Notes which operations there are, and refuses tensors of the host: a constant from there is a copy."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = str(function)
        self.seen.add(name)
        # Fused SGD has no kernel for tensors without values; it changes its arguments and returns nothing.
        made = None if name.startswith("aten._fused_sgd_") else function(*args, **(kwargs or {}))
        for leaf in tree_leaves((args, kwargs, made)):
            if isinstance(leaf, Tensor) and leaf.device != META:
                raise RefusedError(f"{name} on a tensor of {leaf.device}")
        return made


class Pretended:
    """A recorder that runs each step once under refusal."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self) -> "Pretended":
        return self

    def warm_up(self, function: Callable[[], None]) -> None:
        """There is no library to warm."""

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        with OnTheDeviceAlone() as watching:
            function()
        self.seen |= watching.seen
        return function

    def pace(self) -> None:
        """Nothing is replayed."""


@pytest.fixture(autouse=True)
def _without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Autocast does not know the device; a stage takes MaxNorm's threshold from values, before anything is recorded."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr("wbtui.training.constraints.maxnorm_threshold", lambda *_: 1.0)


def recorded(stage: dict[str, Any], model: dict[str, Any], loss: Loss | None = None) -> set[str]:
    """Record the steps of a stage, for the full batch and the remainder; the names of the operations in them."""
    config = StageConfig.model_validate({"epochs": 4, "batch_size": BATCH, "learning_rate": 0.1, **stage})
    described = ModelConfig.model_validate({"name": "resnet8", "width": 4, **model})
    net = build_model(described, CLASSES, channels=3, image_size=SIDE)
    if config.trains == "classifier_scale":
        net.head.add_class_scale()
    net.to(memory_format=torch.channels_last).to(META)
    working = Stage(0, config, net, COUNTS, Runtime(META, "fp32", 1, "graphs"))
    working.optimizer._need_device_dtype_check_for_fused = False
    working.begin_epoch(3)
    if loss is not None:
        working.loss = loss

    labels = torch.zeros(IMAGES, dtype=torch.int64)
    source: DeviceImages | CachedFeatures = DeviceImages(
        torch.zeros(IMAGES, 3, SIDE, SIDE, dtype=torch.uint8),
        labels,
        mean=(0.5, 0.5, 0.5),
        std=(0.2, 0.2, 0.2),
        device=META,
        crop_padding=PADDING,
    )
    if config.features == "cached":
        source = CachedFeatures(torch.zeros(IMAGES, described.feature_size, device=META), labels.to(META))
    plan = EpochPlan(
        labels, torch.zeros(IMAGES, 2, dtype=torch.int64), labels > 0, batch_bounds(IMAGES, BATCH), PADDING
    )
    recorder = Pretended()
    steps = StaticSteps(working, source, RunningSums(CLASSES, META), recorder, META)
    steps.begin_epoch(plan.to(META), [0.1] * len(plan), 0)
    return recorder.seen


@pytest.mark.parametrize("head", ["linear", "cosine", "etf"])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_and_head_is_recordable(loss: str, head: str) -> None:
    seen = recorded({"loss": {"name": loss, "reweight_from": 0.5}}, {"head": head})
    assert {
        "aten.convolution_backward.default",
        "aten._fused_sgd_.tensor_lr",
        "aten.index_add_.default",
    } <= seen


STAGES: dict[str, dict[str, Any]] = {
    "constraint": {"trains": "classifier", "constraint": "maxnorm"},
    "constraint_each_epoch": {"trains": "classifier", "constraint": "maxnorm", "maxnorm_every": "epoch"},
    "released_loss": {"loss": {"name": "cb", "cb_form": "bce_softmax"}},
    "moving_statistics": {"trains": "classifier", "freeze_bn_stats": False},
    "cached": {"trains": "classifier", "features": "cached", "constraint": "maxnorm"},
    "scale": {"trains": "classifier_scale", "sampler": "class_balanced"},
    "penalty": {"feature_regularization": 0.01, "decay_rule": "no_bn"},
    "nesterov": {"nesterov": True},
    "fixed_scale_no_momentum": {"bn_scale": "fixed", "momentum": 0.0},
}


@pytest.mark.parametrize("name", STAGES)
def test_every_kind_of_stage_is_recordable(name: str) -> None:
    assert "aten._fused_sgd_.tensor_lr" in recorded(STAGES[name], {})


@pytest.mark.parametrize("net", sorted(catalog.nets()))
def test_every_net_is_recordable(net: str) -> None:
    assert "aten._fused_sgd_.tensor_lr" in recorded({}, {"name": net, "width": 16})


def asks_for_a_value(z: Tensor, y: Tensor) -> Tensor:
    return z.mean() * z.detach().max().item()


def branches(z: Tensor, y: Tensor) -> Tensor:
    return z.mean() if (y > 0).any() else z.sum()


def takes_by_mask(z: Tensor, y: Tensor) -> Tensor:
    return z[y > 0].sum()


def brings_a_constant(z: Tensor, y: Tensor) -> Tensor:
    return (z * torch.tensor([1.0, 2.0, 3.0]).to(z.device)).sum()


def looks_from_the_host(z: Tensor, y: Tensor) -> Tensor:
    return z.sum() * z.detach().cpu().mean()


@pytest.mark.parametrize(
    "loss", [asks_for_a_value, branches, takes_by_mask, brings_a_constant, looks_from_the_host]
)
def test_a_step_that_asks_the_host_is_found(loss: Loss) -> None:
    with pytest.raises((RefusedError, RuntimeError)):  # NotImplementedError, which torch raises too, is one
        recorded({}, {}, loss)

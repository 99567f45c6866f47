"""Which parameters train in a stage, how do they decay, and at what learning rate?"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from wbtui.config import StageConfig
from wbtui.models.model import WbModel


def prepare(model: WbModel, stage: StageConfig) -> None:
    """Set `requires_grad` and fixed BatchNorm scales as the stage says. Buffers (an ETF's W) never train."""
    for parameter in model.parameters():
        parameter.requires_grad_(stage.trains == "all")
    if stage.trains == "classifier":
        for parameter in model.head.parameters():
            parameter.requires_grad_(True)
    if stage.trains == "classifier_scale":
        model.head.class_scale.requires_grad_(True)
    if stage.bn_scale == "fixed":
        for layer in batchnorms(model):
            nn.init.constant_(layer.weight, stage.fixed_bn_scale)
            layer.weight.requires_grad_(False)


def set_mode(model: WbModel, stage: StageConfig) -> None:
    """Train mode, with frozen BatchNorm statistics where the stage freezes them."""
    model.train()
    if stage.trains != "all" and stage.freeze_bn_stats:
        model.backbone.eval()


def batchnorms(model: nn.Module) -> list[_BatchNorm]:
    """The BatchNorm layers of a model, in order."""
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


def _bare(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of torch without the wrapper that keeps torch.compile away from it."""
    bare: Callable[..., Any] = getattr(method, "__wrapped__", method)
    return bare


class EagerSGD(torch.optim.SGD):
    """torch's SGD, to the bit. Its wrappers import torch.compile, used or not, and that doubles a start."""

    add_param_group = _bare(torch.optim.SGD.add_param_group)
    zero_grad = _bare(torch.optim.SGD.zero_grad)
    state_dict = _bare(torch.optim.SGD.state_dict)
    load_state_dict = _bare(torch.optim.SGD.load_state_dict)
    step = torch.no_grad()(_bare(torch.optim.SGD.step))


def build_optimizer(model: WbModel, stage: StageConfig) -> torch.optim.SGD:
    """SGD whose own weight_decay is λ, as the papers' loss + λ/2 Σ‖θ‖² over what trains.

    Fused on every device: one kernel a step instead of several a parameter.
    """
    exempt: set[int] = set()
    if stage.decay_rule == "no_bn":
        exempt = {id(parameter) for layer in batchnorms(model) for parameter in layer.parameters()}
    training = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decayed = [parameter for parameter in training if id(parameter) not in exempt]
    spared = [parameter for parameter in training if id(parameter) in exempt]
    groups = [{"params": decayed, "weight_decay": stage.weight_decay}]
    if spared:
        groups.append({"params": spared, "weight_decay": 0.0})
    return EagerSGD(
        groups, lr=stage.learning_rate, momentum=stage.momentum, nesterov=stage.nesterov, fused=True
    )


def learning_rate(stage: StageConfig, epoch: int, batch: int, batches: int) -> float:
    """The learning rate of one step.

    Args:
        stage: T = stage.epochs and the schedule.
        epoch: epochs of the stage already finished, e (from 0).
        batch: batches of the epoch already finished.
        batches: batches an epoch.

    Returns:
        cosine: lr/2 (1 + cos(π t)), t the finished share of all steps; cosine_papers: lr/2 (1 + cos(π (e+1)/T)),
        stepped before each epoch as the papers' code does, so that the last epoch runs at 0; constant: lr.
    """
    if stage.schedule == "constant":
        return stage.learning_rate
    finished = epoch + 1 if stage.schedule == "cosine_papers" else epoch + batch / batches
    done = finished / stage.epochs
    return 0.5 * stage.learning_rate * (1.0 + math.cos(math.pi * done))


def set_learning_rate(optimizer: torch.optim.Optimizer, value: float) -> None:
    """Give every group the learning rate of this step."""
    for group in optimizer.param_groups:
        group["lr"] = value

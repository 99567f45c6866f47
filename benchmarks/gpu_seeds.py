"""Would several seeds in one process be faster than several processes? A prototype, measured beside the plain ways.

S nets of one configuration take each step together: their weights are stacked, and either torch.func.vmap runs the net
over the stack, or every convolution is written as one of S groups. The rest (images, plan, recorded steps, fused SGD)
is the trainer's own. What a seed computes must stay what it computes alone; that is checked first.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F
from gpu_several import rates_at_once
from gpu_ways import (
    DEVICE,
    DRY,
    EAGER,
    EAGER_BF16,
    GRAPHS,
    GRAPHS_BF16,
    NET,
    SIZE,
    Found,
    Loop,
    Way,
    device_images,
    growing,
    images_per_second,
    left,
    made_images,
    recipe,
    release,
)
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from wbtui.config import ModelConfig
from wbtui.data.epoch_plan import EpochPlan, epoch_plan
from wbtui.models.model import WbModel, build_model
from wbtui.models.nets.cifar_resnet import PaddedShortcutBlock
from wbtui.training.engine import build_steps
from wbtui.training.optimization import learning_rate
from wbtui.training.runtime import Runtime
from wbtui.training.stage import RunningSums

SMALL = replace(SIZE, net=SIZE.net if NET or DRY else "resnet32")
"""Launches weigh most where the net is small."""

STACKS = (2, 3) if DRY else (2, 4, 8)
WORTH_BUILDING = 1.5


def seeds() -> Found:
    """Images a second in sum over the seeds, stacked and plain; the ratio of the best of both."""
    found = growing({"net": SMALL.net, "apart": {}, "images_per_second": {}, "failed": {}})
    rates: dict[str, float] = found["images_per_second"]
    for way in (EAGER_BF16, GRAPHS_BF16):
        rates[f"one, {way.name}"] = rate(Loop(way, size=SMALL).steps())
    for form in FORMS:
        try:
            found["apart"][form] = apart = differences(form)
        except (RuntimeError, NotImplementedError) as error:
            found["failed"][form] = str(error)
            print(f"{form}: {error}")
            continue
        print(
            f"{form}: after 3 steps in fp32, weights of a seed differ from those alone by {apart:.1e} of their size"
        )
        for way, count in product((EAGER_BF16, GRAPHS_BF16), STACKS):
            name = f"{count} by {form}, {way.name}"
            release()
            try:
                if left() > 150:
                    rates[name] = rate(Stack(form, count, way).steps())
            except (RuntimeError, NotImplementedError) as error:
                found["failed"][name] = str(error)
                print(f"{name}: {error}")
    environment = {} if DRY else {"WBTUI_GPU_NET": SMALL.net}
    for trainers in SIZE.trainers[1:]:
        if left() > 60:
            rates[f"{trainers} processes, {GRAPHS_BF16.name}"] = sum(
                rates_at_once(GRAPHS_BF16, trainers, environment)
            )
    for name, value in rates.items():
        print(f"{name:28} {value:9.0f} images/s in sum")
    stacked = max((value for name, value in rates.items() if " by " in name), default=0.0)
    ratio = stacked / max(value for name, value in rates.items() if " by " not in name)
    print(f"stacked over the best of the plain ways: {ratio:.2f}; worth building above {WORTH_BUILDING}")
    passed = bool(found["apart"]) and max(found["apart"].values()) < 1e-3
    return found | {"ratio": ratio, "worth_building": ratio > WORTH_BUILDING, "passed": passed}


def rate(steps: Iterator[int]) -> float:
    """Images a second, after some steps that warm up."""
    images_per_second(steps, max(SIZE.steps // 10, 1))
    return images_per_second(steps, SIZE.steps)


# ---------------------------------------------------------------------- S nets as one

Logits = Callable[[Tensor], Tensor]
"""(S * B, C, H, W), the images of the first seed first, to (S * B, classes)."""


@dataclass(frozen=True)
class Together:
    """Several nets as one function of all their images."""

    logits: Logits
    parameters: list[Tensor]
    """Stacked, (S, ...) or with S times the channels; they train."""

    buffers: list[Tensor]
    own: Callable[[], list[Tensor]]
    """Stacked classifier weights (S, classes, D), for comparison."""


def by_vmap(models: list[WbModel], runtime: Runtime) -> Together:
    """torch.func: the net over stacked weights; its convolutions become grouped ones."""
    parameters, buffers = stack_module_state(models)  # type: ignore[arg-type]
    single = copy.deepcopy(models[0])
    for layer in single.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.__class__ = OwnBatchNorm

    def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], images: Tensor) -> Tensor:
        logits: Tensor = functional_call(single, (parameters, buffers), (images,))[0]
        return logits

    def logits(images: Tensor) -> Tensor:
        with runtime.autocast():
            each = torch.vmap(one)(parameters, buffers, images.unflatten(0, (len(models), -1)))
        return each.flatten(0, 1).float()

    trained = list(parameters.values())
    return Together(logits, trained, list(buffers.values()), lambda: [parameters["head.weight"]])


class OwnBatchNorm(nn.BatchNorm2d):
    """BatchNorm by torch's own kernels: to choose cuDNN's, torch asks for a memory format that vmap does not tell."""

    def forward(self, maps: Tensor) -> Tensor:
        """As of `BatchNorm2d`."""
        kept, torch.backends.cudnn.enabled = torch.backends.cudnn.enabled, False
        try:
            return super().forward(maps)
        finally:
            torch.backends.cudnn.enabled = kept


def by_groups(models: list[WbModel], runtime: Runtime) -> Together:
    """One net with S times the channels, whose convolutions keep the seeds apart as groups."""
    count = len(models)
    body = side_by_side([model.backbone for model in models])
    weight = nn.Parameter(torch.stack([model.head.weight.detach() for model in models]))
    bias = nn.Parameter(torch.stack([_present(model.head.bias).detach() for model in models]))

    def logits(images: Tensor) -> Tensor:
        seeds_apart = images.unflatten(0, (count, -1)).transpose(0, 1)  # (B, S, C, H, W)
        with runtime.autocast():
            features = body(seeds_apart.flatten(1, 2).contiguous(memory_format=torch.channels_last))
        by_seed = features.float().unflatten(1, (count, -1)).transpose(0, 1)  # (S, B, D)
        return torch.baddbmm(bias[:, None], by_seed, weight.transpose(1, 2)).flatten(0, 1)

    trained = [*body.parameters(), weight, bias]
    return Together(logits, trained, list(body.buffers()), lambda: [weight])


FORMS: dict[str, Callable[[list[WbModel], Runtime], Together]] = {"groups": by_groups, "vmap": by_vmap}
"""In the order in which they are tried: what a broken recording leaves behind would spoil the next one's."""


def side_by_side(nets: list[nn.Module]) -> nn.Module:
    """A copy of the first CIFAR-style ResNet, widened to hold them all."""
    first = nets[0]
    if isinstance(first, nn.Conv2d):
        wide = nn.Conv2d(
            first.in_channels * len(nets),
            first.out_channels * len(nets),
            first.kernel_size,  # type: ignore[arg-type]
            stride=first.stride,  # type: ignore[arg-type]
            padding=first.padding,  # type: ignore[arg-type]
            groups=len(nets),
            bias=False,
            device=first.weight.device,
        )
        wide.weight.data = torch.cat([net.weight.detach() for net in nets])  # type: ignore[misc]
        return wide.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
    if isinstance(first, nn.BatchNorm2d):
        # Every net starts from the same scales and statistics.
        return nn.BatchNorm2d(first.num_features * len(nets), device=first.weight.device)
    wide_net = copy.copy(first)
    wide_net._modules = {
        name: side_by_side([net.get_submodule(name) for net in nets]) for name in first._modules
    }
    if isinstance(wide_net, PaddedShortcutBlock):
        return SideBySideBlock(wide_net, len(nets))
    return wide_net


class SideBySideBlock(nn.Module):
    """A widened block, whose shortcut pads the channels of each net by itself."""

    def __init__(self, block: PaddedShortcutBlock, count: int) -> None:
        super().__init__()
        self.block, self._count = block, count

    def forward(self, maps: Tensor) -> Tensor:
        """As of `PaddedShortcutBlock`, with `count` times the channels."""
        block, stride = self.block, self.block.stride
        residual = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(maps)))))
        if stride > 1:
            apart = maps[:, :, ::stride, ::stride].unflatten(1, (self._count, -1))
            maps = F.pad(apart, (0, 0, 0, 0, *block.zero_channels)).flatten(1, 2)
        return F.relu(residual + maps)


def _present(bias: Tensor | None) -> Tensor:
    assert bias is not None
    return bias


# ---------------------------------------------------------------------- the trainer's steps on them


class StackedStage:
    """What the engine asks of a stage, for several nets at once."""

    def __init__(self, together: Together, count: int) -> None:
        self._together, self._count = together, count
        self.config = recipe(SMALL)
        self.optimizer = torch.optim.SGD(
            together.parameters, lr=0.01, momentum=0.9, weight_decay=5e-3, fused=True
        )
        self.loss = F.cross_entropy

    def tensors(self) -> list[Tensor]:
        """What a step changes."""
        return [*self._together.parameters, *self._together.buffers]

    def step(self, inputs: Tensor, labels: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        """One step of each seed."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        return self.descend(inputs, labels)

    def descend(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Forward, backward and update: the sum of the seeds' losses has each seed's own gradient."""
        logits = self._together.logits(inputs)
        loss = self._count * F.cross_entropy(logits, labels)
        loss.backward()
        self.optimizer.step()
        return loss.detach() / self._count, logits.detach()


class Stack:
    """Several seeds on the same images, each with its own weights, order and augmentation."""

    def __init__(self, form: str, count: int, way: Way) -> None:
        way.set_flags()
        x, y = made_images(SMALL.images, 1, SMALL)
        self.labels, self._count = torch.from_numpy(y), count
        models = [fresh(seed).to(memory_format=torch.channels_last).to(DEVICE) for seed in range(count)]  # type: ignore[call-overload]
        for model in models:
            model.train()
        self.together = FORMS[form](models, way.runtime)
        self.stage = StackedStage(self.together, count)
        self.sums = RunningSums(SMALL.classes, DEVICE)
        images = device_images(x, y, crop_padding=4)
        self._steps = build_steps(self.stage, images, self.sums, way.runtime)  # type: ignore[arg-type]

    def steps(self) -> Iterator[int]:
        """One step of all seeds after the other; yields the images of each."""
        epoch = 0
        while True:
            plan = joined([seed_plan(self.labels, seed, epoch) for seed in range(self._count)]).to(DEVICE)
            rates = [learning_rate(self.stage.config, epoch, batch, len(plan)) for batch in range(len(plan))]
            self._steps.begin_epoch(plan, rates, 0)
            for batch, (first, last) in enumerate(plan.bounds):
                self._steps.take(batch)
                yield last - first
            self.sums.reset()
            epoch += 1


def fresh(seed: int) -> WbModel:
    torch.manual_seed(seed)
    return build_model(ModelConfig(name=SMALL.net), SMALL.classes, 3, SMALL.side)


def seed_plan(labels: Tensor, seed: int, epoch: int) -> EpochPlan:
    return epoch_plan(
        labels, SMALL.batch, seed=seed, stage=0, epoch=epoch, crop_padding=4, horizontal_flip=True
    )


def joined(plans: list[EpochPlan]) -> EpochPlan:
    """One plan whose batches are those of all plans, the first plan's images first in each."""
    parts, bounds, end = [], [], 0
    for first, last in plans[0].bounds:
        parts += [(plan, slice(first, last)) for plan in plans]
        bounds.append((end, end + len(plans) * (last - first)))
        end = bounds[-1][1]
    order, offsets, flips = (
        torch.cat([getattr(plan, name)[shown] for plan, shown in parts])
        for name in ("order", "offsets", "flips")
    )
    return EpochPlan(order, offsets, flips, tuple(bounds), plans[0].crop_padding)


def differences(form: str) -> float:
    """Largest difference of a seed's classifier weights, stacked against alone, after 3 steps in fp32."""
    way = EAGER if DEVICE.type == "cpu" else GRAPHS
    stack = Stack(form, 2, way)
    steps = stack.steps()
    for _ in range(3):
        next(steps)
    stacked = stack.together.own()[0].detach().cpu().numpy()
    worst = 0.0
    for seed in range(2):
        loop = Loop(EAGER, seed=seed, size=SMALL)
        plan = seed_plan(loop.labels, seed, 0).to(DEVICE)
        images = device_images(*made_images(SMALL.images, 1, SMALL), crop_padding=4)
        loop.stage.begin_epoch(0)
        for batch in range(3):
            inputs, labels = images.batch(plan, batch)
            loop.stage.step(inputs, labels, learning_rate(recipe(SMALL), 0, batch, len(plan)))
        alone = loop.model.head.weight.detach().cpu().numpy()
        worst = max(worst, float(np.abs(stacked[seed] - alone).max() / np.abs(alone).max()))
    return worst

"""In which order, with which crops and mirror images, does one epoch show its training images?"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Sampler = Literal["shuffled", "class_balanced"]


@dataclass(frozen=True, eq=False)
class EpochPlan:
    """Everything random about one epoch's images: a function of (seed, stage, epoch) alone.

    So a run that was killed inside an epoch makes the same plan again and goes on at its next batch.
    """

    order: Tensor
    """(N,) int64 positions in the training split, in the order shown."""

    offsets: Tensor
    """(N, 2) int64 rows and columns, 0..2p, where the crop of the padded image begins; p = crop padding."""

    flips: Tensor
    """(N,) bool, whether the image is mirrored."""

    bounds: tuple[tuple[int, int], ...]
    """First and past-the-last place in `order` of each batch."""

    crop_padding: int
    """p, pixels of zero around each image, that the offsets were drawn for."""

    def __len__(self) -> int:
        """Batches of the epoch."""
        return len(self.bounds)

    def to(self, device: torch.device | str) -> "EpochPlan":
        """The same plan on a device: one copy an epoch, after which no batch needs to synchronise."""
        return replace(
            self,
            order=self.order.to(device, non_blocking=True),
            offsets=self.offsets.to(device, non_blocking=True),
            flips=self.flips.to(device, non_blocking=True),
        )


def epoch_plan(
    labels: Tensor,
    batch_size: int,
    *,
    seed: int,
    stage: int,
    epoch: int,
    crop_padding: int = 0,
    horizontal_flip: bool = False,
    sampler: Sampler = "shuffled",
) -> EpochPlan:
    """The plan of one epoch over a training split.

    Args:
        labels: (N,) class ids of the split, on the CPU.
        batch_size: Images a batch.
        seed: The run's seed.
        stage: Index of the stage, from 0.
        epoch: Number of the epoch.
        crop_padding: p pixels around the image, within which the crop begins; 0: no crop.
        horizontal_flip: Whether half of the images are mirrored.
        sampler: `shuffled`: every image once; `class_balanced`: N images, classes equally often (cRT, LWS).

    Returns:
        The plan on the CPU, whatever the device of the run: CUDA and CPU share one order.
    """
    n = len(labels)
    entropy = np.random.SeedSequence((seed, stage, epoch)).generate_state(1, np.uint64)[0]
    generator = torch.Generator().manual_seed(int(entropy >> np.uint64(1)))
    if sampler == "shuffled":
        order = torch.randperm(n, generator=generator)
    else:
        order = _class_balanced_order(labels, generator)
    offsets = torch.randint(0, 2 * crop_padding + 1, (n, 2), generator=generator)
    flips = torch.rand(n, generator=generator) < (0.5 if horizontal_flip else 0.0)
    return EpochPlan(order, offsets, flips, batch_bounds(n, batch_size), crop_padding)


def batch_bounds(n: int, batch_size: int) -> tuple[tuple[int, int], ...]:
    """First and past-the-last image of each batch of an epoch of n images.

    The last, smaller batch is kept; a single image left over joins the batch before: BatchNorm needs two.
    """
    starts = list(range(0, n, batch_size))
    if len(starts) > 1 and n - starts[-1] == 1:
        starts.pop()
    return tuple(zip(starts, [*starts[1:], n], strict=True))


def _class_balanced_order(labels: Tensor, generator: torch.Generator) -> Tensor:
    """(N,) positions: each class N/C times, its images in shuffled rounds as in the sampler of cRT."""
    n = len(labels)
    members = torch.split(torch.argsort(labels, stable=True), torch.bincount(labels).tolist())
    classes = len(members)
    draws = torch.full((classes,), n // classes)
    draws[torch.randperm(classes, generator=generator)[: n % classes]] += 1
    drawn = []
    for images, wanted in zip(members, draws.tolist(), strict=True):
        rounds = -(-wanted // len(images))
        shuffled = torch.rand(rounds, len(images), generator=generator).argsort(dim=1).flatten()
        drawn.append(images[shuffled[:wanted]])
    return torch.cat(drawn)[torch.randperm(n, generator=generator)]

"""Are batches what a slow, plain loop over the same plan would give, and plans a function of seed, stage and epoch?"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from wbtui.data.batches import DeviceImages
from wbtui.data.epoch_plan import EpochPlan, Sampler, batch_bounds, epoch_plan

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


def _split(n: int = 23, channels: int = 3, size: int = 6) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (n, channels, size, size), dtype=torch.uint8, generator=generator)
    return images, torch.arange(n) % 4


def _device_images(channels: int = 3, padding: int = 2, channels_last: bool = True) -> DeviceImages:
    images, labels = _split(channels=channels)
    return DeviceImages(
        images,
        labels,
        mean=MEAN[:channels],
        std=STD[:channels],
        channels_last=channels_last,
        crop_padding=padding,
    )


def _by_hand(images: Tensor, plan: EpochPlan, place: int, padding: int) -> np.ndarray:
    """One augmented image: numpy pad, crop, mirror, then normalise."""
    image = images[plan.order[place]].numpy()
    size = image.shape[1]
    row, column = plan.offsets[place].tolist()
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
    crop = padded[:, row : row + size, column : column + size]
    if plan.flips[place]:
        crop = crop[:, :, ::-1]
    channels = len(image)
    mean, std = (np.array(x[:channels])[:, None, None] for x in (MEAN, STD))
    return (crop / 255.0 - mean) / std


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize("channels_last", [False, True])
def test_batches_are_cropped_mirrored_and_normalised_as_by_hand(
    channels: int, padding: int, channels_last: bool
) -> None:
    images, labels = _split(channels=channels)
    plan = epoch_plan(labels, 5, seed=1, stage=0, epoch=1, crop_padding=padding, horizontal_flip=True)
    assert 0 < int(plan.flips.sum()) < len(plan.flips)
    device = _device_images(channels, padding, channels_last)
    seen = 0
    for b, (start, stop) in enumerate(plan.bounds):
        batch, batch_labels = device.batch(plan, b)
        assert batch.dtype == torch.float32
        assert torch.equal(batch_labels, labels[plan.order[start:stop]])
        for i in range(stop - start):
            expected = _by_hand(images, plan, start + i, padding)
            np.testing.assert_allclose(batch[i].numpy(), expected, atol=2e-6)
        seen += len(batch)
    assert seen == len(labels)


def test_memory_format_is_the_one_asked_for() -> None:
    _, labels = _split()
    plan = epoch_plan(labels, 8, seed=0, stage=0, epoch=1, crop_padding=2)
    batch, _ = _device_images(channels_last=True).batch(plan, 0)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    batch, _ = _device_images(channels_last=False).batch(plan, 0)
    assert batch.is_contiguous()


def test_eval_batches_go_through_the_split_in_file_order() -> None:
    images, labels = _split()
    batches = list(_device_images().eval_batches(10))
    assert [len(x) for x, _ in batches] == [10, 10, 3]
    mean, std = (torch.tensor(x)[:, None, None] for x in (MEAN, STD))
    expected = images / 255 - mean
    torch.testing.assert_close(torch.cat([x for x, _ in batches]), expected / std)
    assert torch.equal(torch.cat([y for _, y in batches]), labels)


def _bytes(plan: EpochPlan) -> list[bytes]:
    return [tensor.numpy().tobytes() for tensor in (plan.order, plan.offsets, plan.flips)]


@pytest.mark.parametrize("sampler", ["shuffled", "class_balanced"])
def test_the_same_seed_stage_and_epoch_give_the_same_bytes_whatever_was_drawn_before(
    sampler: Sampler,
) -> None:
    labels = (torch.arange(50) > 37).long() + (torch.arange(50) > 45)
    drawn = {"seed": 5, "stage": 1, "crop_padding": 4, "horizontal_flip": True}
    first = epoch_plan(labels, 8, epoch=7, sampler=sampler, **drawn)  # type: ignore[arg-type]
    torch.rand(11)
    epoch_plan(labels, 8, epoch=6, sampler=sampler, **drawn)  # type: ignore[arg-type]
    again = epoch_plan(labels, 8, epoch=7, sampler=sampler, **drawn)  # type: ignore[arg-type]
    assert _bytes(first) == _bytes(again)
    device = DeviceImages(*_split(50), mean=MEAN, std=STD, crop_padding=4)
    assert torch.equal(device.batch(first, 3)[0], device.batch(again, 3)[0])


def test_plans_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    epoch_plan(torch.arange(9) % 2, 4, seed=0, stage=0, epoch=1, crop_padding=1, horizontal_flip=True)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("changed", [{"seed": 1}, {"stage": 1}, {"epoch": 2}])
def test_another_seed_stage_or_epoch_gives_another_plan(changed: dict[str, int]) -> None:
    labels = torch.arange(50) % 3
    usual = {"seed": 0, "stage": 0, "epoch": 1, "crop_padding": 4}
    first, other = epoch_plan(labels, 8, **usual), epoch_plan(labels, 8, **(usual | changed))  # type: ignore[arg-type]
    assert not torch.equal(first.order, other.order)
    assert not torch.equal(first.offsets, other.offsets)


def test_a_shuffled_epoch_shows_every_image_once_with_offsets_in_range() -> None:
    labels = (torch.arange(500) > 480).long()  # classes drawn equally often would leave images out
    plan = epoch_plan(labels, 8, seed=0, stage=0, epoch=1, crop_padding=4)
    assert sorted(plan.order.tolist()) == list(range(500))
    assert set(plan.offsets.flatten().tolist()) == set(range(9))
    assert not plan.flips.any()


def test_half_of_the_images_are_mirrored() -> None:
    plan = epoch_plan(torch.zeros(4000, dtype=torch.int64), 8, seed=0, stage=0, epoch=1, horizontal_flip=True)
    assert 0.46 < plan.flips.double().mean().item() < 0.54  # five standard deviations each way
    assert not plan.offsets.any()


@given(counts=st.lists(st.integers(1, 30), min_size=2, max_size=8), seed=st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=50)
def test_a_class_balanced_epoch_draws_classes_equally_often_and_images_in_turn(
    counts: list[int], seed: int
) -> None:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    plan = epoch_plan(labels, 4, seed=seed, stage=1, epoch=1, sampler="class_balanced")
    drawn = torch.bincount(labels[plan.order], minlength=len(counts))
    assert len(plan.order) == len(labels)
    assert int(drawn.max() - drawn.min()) <= 1
    shown = torch.bincount(plan.order, minlength=len(labels))
    for k in range(len(counts)):
        assert int(shown[labels == k].max() - shown[labels == k].min()) <= 1


def test_images_beyond_equal_shares_fall_to_any_class() -> None:
    labels = torch.tensor([0, 0, 0, 0, 0, 0, 1, 2])
    drawn = [
        torch.bincount(
            labels[epoch_plan(labels, 4, seed=0, stage=1, epoch=e, sampler="class_balanced").order]
        )
        for e in range(40)
    ]
    assert torch.stack(drawn).sum(dim=0).min() > 40 * 2
    assert {tuple(one.tolist()) for one in drawn} == {(2, 3, 3), (3, 2, 3), (3, 3, 2)}


@given(n=st.integers(1, 300), batch_size=st.integers(2, 64))
@settings(deadline=None)
def test_batches_cover_the_epoch_and_none_is_a_single_image(n: int, batch_size: int) -> None:
    bounds = batch_bounds(n, batch_size)
    assert [i for start, stop in bounds for i in range(start, stop)] == list(range(n))
    sizes = [stop - start for start, stop in bounds]
    assert all(size == batch_size for size in sizes[:-1])
    assert sizes[-1] <= batch_size + 1
    assert min(sizes) > 1 or n == 1


def test_a_remainder_of_one_joins_the_batch_before() -> None:
    assert batch_bounds(9, 4) == ((0, 4), (4, 9))
    assert batch_bounds(5, 4) == ((0, 5),)
    assert batch_bounds(10, 4) == ((0, 4), (4, 8), (8, 10))


def test_a_plan_keeps_its_batches_on_another_device() -> None:
    plan = epoch_plan(torch.arange(9) % 2, 4, seed=0, stage=0, epoch=1).to("meta")
    assert {tensor.device.type for tensor in (plan.order, plan.offsets, plan.flips)} == {"meta"}
    assert len(plan) == 2


def test_a_plan_for_another_padding_is_refused() -> None:
    plan = epoch_plan(torch.arange(23) % 4, 4, seed=0, stage=0, epoch=1, crop_padding=4)
    with pytest.raises(ValueError, match="padding of 4, the images have 2"):
        _device_images(padding=2).batch(plan, 0)

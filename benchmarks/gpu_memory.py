"""How much device memory do the papers' run and a 224-pixel net take, and what is the largest batch?"""

from collections.abc import Callable
from dataclasses import replace

import torch
from gpu_ways import (
    DEVICE,
    DRY,
    EAGER,
    EAGER_BF16,
    GRAPHS,
    GRAPHS_BF16,
    SIZE,
    Found,
    Loop,
    Size,
    Way,
    finish,
    growing,
    left,
    release,
)

from wbtui.training.out_of_memory import ran_out

LARGE = (
    replace(SIZE, net="resnext50", side=32, classes=2, batch=2)
    if DRY
    else replace(SIZE, net="resnext50", side=224, classes=1_000, batch=256)
)
"""ImageNet-LT's net on made images, which lie on the device as bytes: a batch of them, or one a class."""

DRY_LIMIT = 3
"""In a dry run larger batches are said not to fit."""


def memory() -> Found:
    """Peak device memory of the papers' run: an epoch's recordings, some steps, and the eval pass over test."""
    found = growing({})
    for way in (EAGER, EAGER_BF16, GRAPHS, GRAPHS_BF16):
        release()
        loop = Loop(way)
        steps = loop.steps()
        for _ in range(min(SIZE.steps, 20)):
            next(steps)
        loop.evaluator()[0].measure("test")
        found[way.name] = peaks()
        print(f"{way.name:12} {in_words(found[way.name])}")
        del loop, steps
    return found


def memory_224() -> Found:
    """ResNeXt50 at 224 pixels: the peak at batch 256, and by each precision the largest batch that trains."""
    found = growing({"net": LARGE.net, "side": LARGE.side, "batch": LARGE.batch})

    def at_the_batch(way: Way) -> None:
        found[way.name] = trained(way, LARGE)
        print(
            f"{LARGE.net} at {LARGE.side} pixels, batch {LARGE.batch}, {way.name}: {in_words(found[way.name])}"
        )

    for way in (EAGER, EAGER_BF16):
        at_the_batch(way)
        tried: dict[int, Found | None] = {}

        def fits(batch: int, way: Way = way, tried: dict[int, Found | None] = tried) -> bool:
            tried[batch] = trained(way, replace(LARGE, batch=batch))
            print(f"  batch {batch}: {in_words(tried[batch])}", flush=True)
            return tried[batch] is not None

        largest = largest_batch(fits, LARGE.batch, lambda: left() > 60)
        refused = min((batch for batch, peak in tried.items() if peak is None), default=None)
        found[way.name] = {
            "at_the_batch": found[way.name],
            "largest_batch": largest,
            "smallest_refused": refused,
            "tried": tried,
        }
        refusal = f"{refused} does not fit" if refused else "none was refused before the time was over"
        print(f"{way.name}: the largest batch is {largest}; {refusal}")
    at_the_batch(GRAPHS_BF16)  # last: memory of a recording that breaks off is not given back
    return found


def largest_batch(fits: Callable[[int], bool], start: int, goes_on: Callable[[], bool] = lambda: True) -> int:
    """The largest batch that fits, to within a 32nd of it, by doubling or halving and then by bisection; 0: none."""
    low, high = 0, start
    while goes_on() and fits(high):
        low, high = high, 2 * high
    while not low and high > 1 and goes_on():
        half = high // 2
        if fits(half):
            low = half
        else:
            high = half
    while high - low > max(1, low // 32) and goes_on():
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low


def trained(way: Way, size: Size) -> Found | None:
    """Peaks of three steps on made images; None where they do not fit."""
    release()
    try:
        if DRY and size.batch > DRY_LIMIT:
            raise torch.OutOfMemoryError("a dry run says so")
        loop = Loop(way, size=replace(size, images=max(size.batch, size.classes)), black=True)
        steps = loop.steps()
        for _ in range(3):
            next(steps)
        finish()
    except (RuntimeError, MemoryError) as error:
        if ran_out(error) != "device":
            raise
        return None
    return peaks()


def peaks() -> Found:
    """GiB at most since `release`."""
    if DEVICE.type != "cuda":
        return {"allocated_gib": 0.0, "reserved_gib": 0.0}
    allocated, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    return {"allocated_gib": allocated / 2**30, "reserved_gib": reserved / 2**30}


def in_words(found: Found | None) -> str:
    if found is None:
        return "does not fit"
    return f"allocated {found['allocated_gib']:.2f} GiB, reserved {found['reserved_gib']:.2f} GiB"

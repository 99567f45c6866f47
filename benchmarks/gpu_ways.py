"""What do the GPU benchmarks train? One net on made images, by each way that steps can be taken."""

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from wbtui.config import EvaluationConfig, ModelConfig, StageConfig
from wbtui.data.batches import DeviceImages
from wbtui.models.model import build_model
from wbtui.training.engine import build_steps
from wbtui.training.evaluation import Evaluator
from wbtui.training.runtime import Runtime
from wbtui.training.stage import RunningSums, Stage

DRY = os.environ.get("WBTUI_GPU_DRY") == "1"
ON_CPU = DRY or os.environ.get("WBTUI_GPU_DEVICE") == "cpu"
DEVICE = torch.device("cpu" if ON_CPU else "cuda")
NET = os.environ.get("WBTUI_GPU_NET", "")
STARTED, LIMIT_SECONDS = time.monotonic(), 500.0
"""After this many seconds nothing new is begun; gpu.sh ends the part at 540."""
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
Found = dict[str, Any]
PARTIAL: Found = {}
"""What the part at work has found so far: written down also where it does not come to its end."""


@dataclass(frozen=True)
class Size:
    """How large the parts are."""

    net: str = "resnet34"
    images: int = 10_847  # CIFAR-100-LT under the full rule: 169 batches of 64 and one of 31
    pack_images: int = 50_000
    test_images: int = 10_000
    classes: int = 100
    side: int = 32
    batch: int = 64
    eval_batch: int = 2_500
    steps: int = 200
    rounds: int = 5
    trainers: tuple[int, ...] = (1, 2, 4, 8)
    matmul: int = 8_192
    precision_epochs: int = 10
    seeds: int = 3


FULL = Size()
PROCESSOR = replace(FULL, net="resnet8", images=2_000, test_images=1_000, classes=10, eval_batch=500)
TINY = Size("resnet8", 130, 200, 60, 4, 32, 16, 40, 20, 1, (1, 2), 64, 1, 1)
SIZE = TINY if DRY else PROCESSOR if ON_CPU else FULL
if NET and not DRY:
    SIZE = replace(SIZE, net=NET)


@dataclass(frozen=True)
class Way:
    """One way to train the same net."""

    name: str
    engine: str
    precision: str
    tf32: bool = False
    autotune: bool = False

    @property
    def runtime(self) -> Runtime:
        return Runtime(DEVICE, self.precision, torch.get_num_threads(), self.engine)

    def set_flags(self) -> None:
        torch.backends.cudnn.allow_tf32 = self.tf32 or self.precision != "fp32"
        torch.backends.cudnn.benchmark = self.autotune


EAGER, TF32, EAGER_BF16, GRAPHS, GRAPHS_BF16, TUNED = WAYS = (
    Way("eager fp32", "eager", "fp32"),
    Way("eager fp32 with TF32 convolutions", "eager", "fp32", tf32=True),
    Way("eager bf16", "eager", "bf16"),
    Way("graphs fp32", "graphs", "fp32"),
    Way("graphs bf16", "graphs", "bf16"),
    Way("graphs bf16, cudnn.benchmark", "graphs", "bf16", autotune=True),
)


class Loop:
    """The trainer's own stage, images and steps on made images, without run folder.

    Black ones are there at once, where others of 224 pixels take seconds: their number and size are all that counts.
    """

    def __init__(self, way: Way, seed: int = 0, size: Size = SIZE, *, black: bool = False) -> None:
        way.set_flags()
        torch.manual_seed(seed)
        x, y = black_images(size) if black else made_images(size.images, 1, size)
        self.model = build_model(ModelConfig(name=size.net), size.classes, 3, size.side)
        self.model.to(memory_format=torch.channels_last).to(DEVICE)  # type: ignore[call-overload]
        self.labels = torch.from_numpy(y)
        images = device_images(x, y, crop_padding=4)
        self.stage = Stage(0, recipe(size), self.model, np.bincount(y, minlength=size.classes), way.runtime)
        self.sums = RunningSums(size.classes, DEVICE)
        self._way, self._size = way, size
        self._steps = build_steps(self.stage, images, self.sums, way.runtime)

    def steps(self) -> Iterator[int]:
        """Takes one step after the other; yields the images of each."""
        epoch = 0
        while True:
            plan = self.stage.plan(self.labels, 0, epoch, crop_padding=4, horizontal_flip=True)
            self.stage.begin_epoch(epoch)
            self._steps.begin_epoch(plan, self.stage.learning_rates(epoch, len(plan)), 0)
            for batch, (first, last) in enumerate(plan.bounds):
                self._steps.take(batch)
                yield last - first
            self.sums.reset()
            epoch += 1

    def evaluator(self) -> tuple[Evaluator, DeviceImages]:
        """The trainer's own eval pass over as many test images, and those images."""
        images = device_images(*made_images(self._size.test_images, 2, self._size))
        feature_size = ModelConfig(name=self._size.net).feature_size
        config = EvaluationConfig(batch_size=self._size.eval_batch)
        splits = {"test": images}
        return Evaluator(
            self.model, splits, self._size.classes, feature_size, config, self._way.runtime
        ), images

    def losses(self, count: int) -> list[float]:
        """The loss of each of the first steps; looking at it makes the device wait."""
        found, before = [], 0.0
        steps = self.steps()
        for images in (next(steps) for _ in range(count)):
            total = self.sums.loss.item()
            found.append((total - (before if total >= before else 0.0)) / images)
            before = total
        return found


def recipe(size: Size = SIZE) -> StageConfig:
    """The papers' stage 1."""
    return StageConfig(epochs=320, batch_size=size.batch, learning_rate=0.01, weight_decay=5e-3)


def made_images(count: int, seed: int, size: Size = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """(N, S, S, 3) uint8 with one pattern a class under noise, and (N,) labels."""
    draw = np.random.default_rng(20261123)
    patterns = (
        draw.integers(0, 256, (size.classes, 4, 4, 3)).repeat(size.side // 4, 1).repeat(size.side // 4, 2)
    )
    draw = np.random.default_rng(seed)
    labels = draw.permutation(np.arange(count) % size.classes)
    noise = draw.standard_normal((count, size.side, size.side, 3), dtype=np.float32) * 60
    return np.clip(patterns[labels] * 0.5 + 64 + noise, 0, 255).astype(np.uint8), labels


def black_images(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """As `made_images`, without a pattern."""
    return np.zeros((size.images, size.side, size.side, 3), np.uint8), np.arange(size.images) % size.classes


def device_images(x: np.ndarray, y: np.ndarray, crop_padding: int = 0) -> DeviceImages:
    pixels, labels = torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(y)
    return DeviceImages(pixels, labels, mean=MEAN, std=STD, device=DEVICE, crop_padding=crop_padding)


def release() -> None:
    """Give back what earlier measurements held, and count the peak of memory anew."""
    gc.collect()
    if DEVICE.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def finish() -> None:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def seconds_of(action: Callable[[], object]) -> float:
    finish()
    started = time.perf_counter()
    action()
    finish()
    return time.perf_counter() - started


def images_per_second(steps: Iterator[int], count: int) -> float:
    finish()
    started = time.perf_counter()
    images = sum(next(steps) for _ in range(count))
    finish()
    return images / (time.perf_counter() - started)


def growing(found: Found) -> Found:
    """The same results, which are written down from now on whatever happens to the part."""
    PARTIAL.clear()
    PARTIAL.update(found)
    return PARTIAL


def middle(values: list[float]) -> float | None:
    """The median; None where the time ended before the first."""
    return statistics.median(values) if values else None


def left() -> float:
    return LIMIT_SECONDS - (time.monotonic() - STARTED)

"""What does the net do on the un-augmented splits? The one eval-mode pass that accuracy and geometry share.

While the net is frozen its features stand still: they are computed once and later passes run the classifier alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from wbtui.config import EvaluationConfig
from wbtui.data.batches import DeviceImages
from wbtui.diagnostics.geometry import SplitGeometry
from wbtui.diagnostics.statistics import SplitStatistics
from wbtui.models.model import WbModel
from wbtui.training.runtime import Runtime


@dataclass(frozen=True)
class Features:
    """Features of some images, in the order of their split."""

    plain: Tensor
    """(B, D) float32."""

    mirrored: Tensor | None
    """(B, D) of the mirror images, where test-time augmentation asks for them."""

    labels: Tensor
    """(B,) int64."""


class Evaluator:
    """Measures splits of one run with its present weights."""

    def __init__(
        self,
        model: WbModel,
        splits: dict[str, DeviceImages],
        classes: int,
        feature_size: int,
        config: EvaluationConfig,
        runtime: Runtime,
    ) -> None:
        self._model, self._splits = model, splits
        self._classes, self._feature_size = classes, feature_size
        self._config, self._runtime = config, runtime
        self._statistics: dict[str, SplitStatistics] = {}
        self._frozen: dict[str, list[Features]] | None = None

    def freeze(self, frozen: bool) -> None:
        """Say whether the net stands still from now on."""
        self._frozen = {} if frozen else None

    @torch.no_grad()
    def measure(self, split: str) -> tuple[SplitGeometry, Tensor]:
        """Geometry and logits (N, C) float32, on the device, of one split in eval mode.

        The logits are a view that the next measurement of the split overwrites.
        """
        self._model.eval()
        statistics = self._statistics.get(split)
        if statistics is None:
            statistics = SplitStatistics(
                len(self._splits[split]), self._classes, self._feature_size, self._runtime.device
            )
            self._statistics[split] = statistics
        statistics.reset()
        for batch in self.features(split):
            logits = self._model.logits(batch.plain)
            if batch.mirrored is not None:
                logits = (logits + self._model.logits(batch.mirrored)) / 2
            statistics.add(logits, batch.plain, batch.labels)
        return statistics.result(), statistics.logits

    @torch.no_grad()
    def features(self, split: str) -> Iterator[Features]:
        """Features of one split, batch by batch, from the present weights in eval mode."""
        if self._frozen is None:
            yield from self._forward(split)
            return
        if split not in self._frozen:
            self._frozen[split] = list(self._forward(split))
        yield from self._frozen[split]

    def _forward(self, split: str) -> Iterator[Features]:
        self._model.eval()
        for images, labels in self._splits[split].eval_batches(self._config.batch_size):
            with self._runtime.autocast():
                plain = self._model.features(images)
                mirrored = self._model.features(images.flip(3)) if self._config.tta == "flip" else None
            yield Features(plain, mirrored, labels)

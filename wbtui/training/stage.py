"""How does one stage take a step? The net, frozen or not, its loss, its penalty, its constraint."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wbtui.config import StageConfig
from wbtui.data.batches import DeviceImages
from wbtui.data.epoch_plan import EpochPlan, epoch_plan
from wbtui.errors import RunFailedError
from wbtui.models.model import WbModel
from wbtui.training.compiling import Features, compile_now, compiled_features
from wbtui.training.constraints import MaxNorm
from wbtui.training.losses import Loss, build_loss, feature_penalty, reweights
from wbtui.training.optimization import build_optimizer, learning_rate, prepare, set_learning_rate, set_mode
from wbtui.training.runtime import Runtime


class RunningSums:
    """Loss and hits of the training pass itself: augmented images, train-mode BatchNorm, moving weights."""

    def __init__(self, classes: int, device: torch.device) -> None:
        wide = torch.float32 if device.type == "mps" else torch.float64
        self.loss = torch.zeros((), dtype=wide, device=device)
        self.correct = torch.zeros(classes, dtype=wide, device=device)
        self.seen = torch.zeros(classes, dtype=wide, device=device)
        self.first_bad_batch = torch.full((), -1, dtype=torch.int64, device=device)

    @torch.no_grad()
    def add(self, loss: Tensor, logits: Tensor, labels: Tensor, batch: int | Tensor) -> None:
        """One batch more, its number as an int or as a tensor (); nothing here waits for the device."""
        ones = torch.ones_like(labels, dtype=self.seen.dtype)
        self.loss += loss.detach() * len(labels)
        self.seen.index_add_(0, labels, ones)
        self.correct.index_add_(0, labels, (logits.argmax(1) == labels).to(self.correct.dtype))
        bad = ~torch.isfinite(loss) & (self.first_bad_batch < 0)
        self.first_bad_batch.copy_(torch.where(bad, batch, self.first_bad_batch))

    def reset(self) -> None:
        """Back to the start of an epoch, in place."""
        for name, value in vars(self).items():
            value.fill_(-1 if name == "first_bad_batch" else 0)

    def state(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        return {name: value.cpu() for name, value in vars(self).items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """From a checkpoint."""
        for name, value in state.items():
            getattr(self, name).copy_(value)


@dataclass(frozen=True)
class CachedFeatures:
    """Features of the un-augmented training split under the frozen net, in place of images."""

    features: Tensor
    """(N, D) float32."""

    labels: Tensor
    """(N,) int64."""

    def batch(self, plan: EpochPlan, index: int) -> tuple[Tensor, Tensor]:
        """Features and labels of one batch."""
        first, last = plan.bounds[index]
        chosen = plan.order[first:last]
        return self.features[chosen], self.labels[chosen]


class Stage:
    """One stage at work on a model."""

    def __init__(
        self,
        index: int,
        config: StageConfig,
        model: WbModel,
        counts: np.ndarray,
        runtime: Runtime,
    ) -> None:
        self.index, self.config = index, config
        self._model, self._counts, self._runtime = model, counts, runtime
        prepare(model, config)
        self.optimizer = build_optimizer(model, config)
        self.maxnorm: MaxNorm | None = None
        if config.constraint == "maxnorm":
            rows = model.head.weight.detach().norm(dim=1)  # what is projected: without the scales of LWS
            self.maxnorm = MaxNorm.of(rows, config.maxnorm_fraction)
        self.loss: Loss
        """What this epoch minimises; another object exactly when it is another loss."""
        self._reweighted: bool | None = None
        self._compiled: Features | None = None
        if runtime.engine == "compiled" and config.trains == "all":
            self._compiled = compiled_features(model)

    @property
    def compiles(self) -> bool:
        """Whether full batches of this stage go through compiled features."""
        return self._compiled is not None

    def compile_features(self, inputs: Tensor) -> None:
        """Compile the features of full batches on such a batch, in the mode of `begin_epoch`; moves BatchNorm.

        Other batches have nothing to compile.

        Raises:
            RunFailedError: the compiler is missing or fails.
        """
        if self._compiled is not None and len(inputs) == self.config.batch_size:
            with self._runtime.autocast():
                compile_now(self._compiled, inputs)
            self.optimizer.zero_grad(set_to_none=True)

    @property
    def frozen(self) -> bool:
        """Whether the features of un-augmented images stand still during this stage."""
        return self.config.trains != "all" and self.config.freeze_bn_stats

    def maxnorm_state(self) -> dict[str, Tensor]:
        """For a checkpoint: the classifier that δ was derived from moves on. Empty without MaxNorm."""
        if self.maxnorm is None:
            return {}
        return {
            "threshold": torch.tensor(self.maxnorm.threshold, dtype=torch.float64),
            "cut": self.maxnorm.cut.cpu(),
        }

    def restore(self, optimizer: dict[str, Any], maxnorm: dict[str, Tensor]) -> None:
        """From a checkpoint: momentum, and δ with the rows cut so far. Decay and momentum's factor are the stage's own.

        Raises:
            RunFailedError: other parameters train, or decay, in this stage than in the checkpoint's.
        """
        own = [
            {key: value for key, value in group.items() if key != "params"}
            for group in self.optimizer.param_groups
        ]
        try:
            self.optimizer.load_state_dict(optimizer)
        except ValueError as error:
            raise RunFailedError(
                f"stages.{self.index}: other parameters train or decay than in checkpoint.pt; expected the "
                "configuration as it was, or a run of its own (`wbtui run --config`)"
            ) from error
        for group, values in zip(self.optimizer.param_groups, own, strict=True):
            group.update(values)
        if self.maxnorm and maxnorm:
            self.maxnorm = MaxNorm(maxnorm["threshold"].item(), maxnorm["cut"].to(self._runtime.device))

    def plan(
        self, labels: Tensor, seed: int, epoch: int, crop_padding: int, horizontal_flip: bool
    ) -> EpochPlan:
        """Order and augmentation of one epoch of this stage (from 0): a function of seed, stage and epoch."""
        return epoch_plan(
            labels,
            self.config.batch_size,
            seed=seed,
            stage=self.index,
            epoch=epoch,
            crop_padding=crop_padding,
            horizontal_flip=horizontal_flip,
            sampler=self.config.sampler,
        ).to(self._runtime.device)

    def begin_epoch(self, epoch: int) -> None:
        """Train mode, and the loss that holds in this epoch (from 0)."""
        set_mode(self._model, self.config)
        progress = epoch / self.config.epochs
        reweighted = reweights(self.config.loss, progress)
        if reweighted != self._reweighted:
            self._reweighted = reweighted
            self.loss = build_loss(self.config.loss, self._counts, self._runtime.device, progress)

    def tensors(self) -> list[Tensor]:
        """Weights and buffers of the model, whether or not they train, and which rows MaxNorm has cut."""
        cut = [self.maxnorm.cut] if self.maxnorm else []
        return [*self._model.parameters(), *self._model.buffers(), *cut]

    def learning_rates(self, epoch: int, batches: int) -> list[float]:
        """Of every step of one epoch of this stage (from 0)."""
        return [self.learning_rate(epoch, batch, batches) for batch in range(batches)]

    def learning_rate(self, epoch: int, batch: int, batches: int) -> float:
        """Of one step of this stage."""
        return learning_rate(self.config, epoch, batch, batches)

    def step(self, inputs: Tensor, labels: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        """One step of SGD.

        Args:
            inputs: normalised images (B, C, H, W), or features (B, D) of a cached stage.
            labels: (B,).
            rate: learning rate.

        Returns:
            The loss (without weight decay) and the logits (B, C), detached.
        """
        set_learning_rate(self.optimizer, rate)
        self.optimizer.zero_grad(set_to_none=True)
        return self.descend(inputs, labels)

    def descend(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Forward, backward, update and constraint of `step`, at the optimizer's rate and from cleared gradients.

        Nothing here waits for the device or depends on values, so it may be recorded as a CUDA graph.
        """
        features = self._features(inputs)
        logits = self._model.logits(features)
        loss = self.loss(logits, labels)
        if self.config.feature_regularization:
            loss = loss + feature_penalty(features, self.config.feature_regularization)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        self.optimizer.step()
        if self.maxnorm and self.config.maxnorm_every == "step":
            self.maxnorm.project(self._model.head.weight)
        return loss.detach(), logits.detach()

    def end_epoch(self) -> None:
        """What happens once an epoch: the released code's MaxNorm."""
        if self.maxnorm and self.config.maxnorm_every == "epoch":
            self.maxnorm.project(self._model.head.weight)

    def _features(self, inputs: Tensor) -> Tensor:
        if self.config.features == "cached":
            return inputs
        full = len(inputs) == self.config.batch_size
        features = self._compiled if self._compiled is not None and full else self._model.features
        with torch.set_grad_enabled(self.config.trains == "all"), self._runtime.autocast():
            return features(inputs)


BatchSource = DeviceImages | CachedFeatures

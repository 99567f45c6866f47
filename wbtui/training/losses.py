"""Which losses are there? Each is one function of logits, labels and what the class counts say.

z are logits (B, C) in float32, y labels (B,), n_k training counts, π_k = n_k/N. A new loss is one function and its
line in `LOSSES` (and its name in `wbtui.catalog`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wbtui.config import LossConfig
from wbtui.data.profile import class_balanced_weights

Loss = Callable[[Tensor, Tensor], Tensor]
"""(B, C) logits and (B,) labels -> mean loss of the batch, a scalar."""


@dataclass(frozen=True)
class ClassPrior:
    """What losses know of the classes, on the device, float32 (C,)."""

    counts: Tensor
    """n_k, training images."""

    balanced_weights: Tensor
    """w_k ∝ (1-β)/(1-β^n_k), Σ w = C (Cui et al., CVPR 2019)."""

    @classmethod
    def of(cls, counts: np.ndarray, beta: float, device: torch.device) -> "ClassPrior":
        """From training counts (C,) and β."""
        return cls(
            counts=torch.as_tensor(counts, dtype=torch.float32, device=device),
            balanced_weights=torch.as_tensor(
                class_balanced_weights(counts, beta), dtype=torch.float32, device=device
            ),
        )

    @property
    def log_prior(self) -> Tensor:
        """log π_k."""
        return (self.counts / self.counts.sum()).log()


def build_loss(config: LossConfig, counts: np.ndarray, device: torch.device, progress: float) -> Loss:
    """The loss that holds at one moment of a stage.

    Args:
        config: which loss.
        counts: (C,) training counts.
        device: where logits live.
        progress: finished fraction of the stage's epochs, in [0, 1); deferred re-weighting looks at it.
    """
    prior = ClassPrior.of(counts, config.beta, device)
    return LOSSES[config.name](config, prior, reweights(config, progress))


def reweights(config: LossConfig, progress: float) -> bool:
    """Whether deferred re-weighting acts: all that a loss may know of time, so that recorded steps learn of a change.

    Args:
        config: which loss.
        progress: finished fraction of the stage's epochs, in [0, 1).
    """
    return config.name == "ldam" and progress >= config.reweight_from


def _cross_entropy(_config: LossConfig, _prior: ClassPrior, _reweighted: bool) -> Loss:
    return F.cross_entropy


def _class_balanced(config: LossConfig, prior: ClassPrior, _reweighted: bool) -> Loss:
    """mean_i w_{y_i} CE_i (Cui et al.), or WB22's released form: BCE(softmax(z), onehot) w_y, meaned over B x C."""
    weights = prior.balanced_weights

    def weighted_ce(z: Tensor, y: Tensor) -> Tensor:
        return (weights[y] * F.cross_entropy(z, y, reduction="none")).mean()

    def weighted_bce_on_softmax(z: Tensor, y: Tensor) -> Tensor:
        p, one_hot = z.softmax(1), F.one_hot(y, z.shape[1]).to(z.dtype)
        # torch refuses a probability that is NaN, on CUDA by an assertion that ends the context: it makes the loss NaN
        # behind its back, as in the other losses.
        bce = F.binary_cross_entropy(p.nan_to_num(0.0), one_hot, reduction="none")
        # Weighted here: with `weight=`, torch imports sympy for the shapes, a second more before the first step.
        return (weights[y].unsqueeze(1) * bce).mean() + 0.0 * p.detach().sum()

    return weighted_ce if config.cb_form == "ce" else weighted_bce_on_softmax


def _focal(config: LossConfig, _prior: ClassPrior, _reweighted: bool) -> Loss:
    """(1 - p_y)^γ CE (Lin et al., ICCV 2017), without α."""

    def focal(z: Tensor, y: Tensor) -> Tensor:
        ce = F.cross_entropy(z, y, reduction="none")
        # 1 - p_y, above 0: the derivative of 0 ** γ is not finite for γ < 1.
        doubt = (-torch.expm1(-ce)).clamp_min(torch.finfo(ce.dtype).tiny)
        return (doubt**config.gamma * ce).mean()

    return focal


def _ldam(config: LossConfig, prior: ClassPrior, reweighted: bool) -> Loss:
    """CE(s(cos - Δ_y 1_y)), Δ_k ∝ n_k^(-1/4), max Δ = max_margin (Cao et al., NeurIPS 2019), with DRW.

    Expects z = s cos of a cosine classifier whose scale is `config.scale`. The deferred weights make a weighted mean,
    Σ_i w_{y_i} CE_i / Σ_i w_{y_i}, as in the authors' code: their size does not change the step, only their ratios.
    """
    margins = prior.counts.pow(-0.25)
    margins = config.scale * config.max_margin * margins / margins.max()
    weights = prior.balanced_weights if reweighted else torch.ones_like(margins)

    def ldam(z: Tensor, y: Tensor) -> Tensor:
        shifted, weight = z - F.one_hot(y, z.shape[1]) * margins, weights[y]
        return (weight * F.cross_entropy(shifted, y, reduction="none")).sum() / weight.sum()

    return ldam


def _balanced_softmax(_config: LossConfig, prior: ClassPrior, _reweighted: bool) -> Loss:
    """CE(z + log n) (Ren et al., NeurIPS 2020)."""
    shift = prior.counts.log()
    return lambda z, y: F.cross_entropy(z + shift, y)


def _logit_adjusted(config: LossConfig, prior: ClassPrior, _reweighted: bool) -> Loss:
    """CE(z + τ log π) (Menon et al., ICLR 2021)."""
    shift = config.tau * prior.log_prior
    return lambda z, y: F.cross_entropy(z + shift, y)


def _vector_scaling(config: LossConfig, prior: ClassPrior, _reweighted: bool) -> Loss:
    """CE(Δ_k z_k + ι_k), Δ_k = (n_k/n_max)^γ, ι_k = τ log π_k (Kini et al., NeurIPS 2021)."""
    scale = (prior.counts / prior.counts.max()) ** config.gamma
    shift = config.tau * prior.log_prior
    return lambda z, y: F.cross_entropy(z * scale + shift, y)


LOSSES: dict[str, Callable[[LossConfig, ClassPrior, bool], Loss]] = {
    "ce": _cross_entropy,
    "cb": _class_balanced,
    "focal": _focal,
    "ldam": _ldam,
    "balanced_softmax": _balanced_softmax,
    "la": _logit_adjusted,
    "vs": _vector_scaling,
}


def feature_penalty(features: Tensor, strength: float) -> Tensor:
    """λ_F/2 mean_i ‖h_i‖² (FR of Hasegawa & Sato, ICLR 2024).

    Args:
        features: (B, D).
        strength: λ_F.
    """
    return 0.5 * strength * features.square().sum(1).mean()

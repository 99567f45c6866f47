"""What may the classifier's weights not exceed? MaxNorm of Alshammari et al., CVPR 2022."""

from dataclasses import dataclass

import torch
from torch import Tensor


def maxnorm_threshold(norms: Tensor, fraction: float) -> float:
    """δ = min‖w‖ + fraction (max‖w‖ - min‖w‖).

    Args:
        norms: (C,) classifier norms at the start of the stage.
        fraction: in [0, 1]; 0.1 in the paper.
    """
    low, high = norms.min().item(), norms.max().item()
    return low + fraction * (high - low)


@dataclass(frozen=True)
class MaxNorm:
    """Projects each classifier row onto the ball of radius δ; the bias is exempt."""

    threshold: float
    """δ."""

    @torch.no_grad()
    def project(self, weight: Tensor) -> None:
        """w_k ← w_k min(1, δ/‖w_k‖), in place, for weight (C, D); a zero row stays zero."""
        norms = weight.norm(dim=1, keepdim=True)
        weight.mul_((self.threshold / norms.clamp_min(torch.finfo(weight.dtype).tiny)).clamp_max(1.0))

    @torch.no_grad()
    def active(self, weight: Tensor) -> int:
        """On how many classes the bound holds the norm: rows within float rounding of δ or above."""
        return int((weight.norm(dim=1) >= self.threshold * (1 - 1e-6)).sum().item())

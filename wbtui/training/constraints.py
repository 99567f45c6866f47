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


_OVER = 1.0 + 1e-6  # a row that was just projected is δ up to rounding


@dataclass(frozen=True, eq=False)
class MaxNorm:
    """Projects each classifier row onto the ball of radius δ; the bias is exempt."""

    threshold: float
    """δ."""

    cut: Tensor
    """(C,) bool, on which classes a projection has shortened the row since `forget`."""

    @classmethod
    def of(cls, norms: Tensor, fraction: float) -> "MaxNorm":
        """From the classifier norms (C,) that a stage starts from."""
        return cls(maxnorm_threshold(norms, fraction), torch.zeros_like(norms, dtype=torch.bool))

    def forget(self) -> None:
        """Begin to count anew, in place."""
        self.cut.zero_()

    @torch.no_grad()
    def project(self, weight: Tensor) -> None:
        """w_k ← w_k min(1, δ/‖w_k‖), in place, for weight (C, D); a zero row stays zero."""
        norms = weight.norm(dim=1)
        self.cut.logical_or_(norms > self.threshold * _OVER)
        shortened = (self.threshold / norms.clamp_min(torch.finfo(weight.dtype).tiny)).clamp_max(1.0)
        weight.mul_(shortened.unsqueeze(1))

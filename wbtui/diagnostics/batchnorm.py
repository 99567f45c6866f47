"""How large are the BatchNorm scales?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from wbtui.models import batchnorm_layers


@dataclass(frozen=True)
class BatchNormScales:
    """γ of a net. The papers do not say how they aggregate, so both means are kept."""

    names: tuple[str, ...]
    """Dotted names of the BatchNorm layers, input to output."""

    layers: npt.NDArray[np.float64]
    """Mean γ of each layer (L,)."""

    mean: float
    """Mean over all γ; NaN for a net without BatchNorm."""

    layer_mean: float
    """Mean of `layers`; NaN likewise."""


@torch.no_grad()
def batchnorm_scales(model: nn.Module) -> BatchNormScales:
    """Read every γ in one transfer."""
    found = [(name, layer) for name, layer in batchnorm_layers(model) if layer.affine]
    if not found:
        return BatchNormScales((), np.empty(0), float("nan"), float("nan"))
    sizes = [layer.num_features for _, layer in found]
    gammas = torch.cat([layer.weight for _, layer in found]).cpu().double().numpy()
    layers = np.add.reduceat(gammas, np.cumsum([0, *sizes[:-1]])) / sizes
    names = tuple(name for name, _ in found)
    return BatchNormScales(names, layers, float(gammas.mean()), float(layers.mean()))

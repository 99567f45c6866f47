"""What are the multilayer perceptrons with BatchNorm, with and without skip connections?

`mlp` is the papers' perceptron: three times (linear without bias, BatchNorm, ReLU), 1024 wide. `residual_mlp`
has one such layer as stem and then blocks of two linear layers with BatchNorm beside a skip; the number of
blocks, three, is our choice. Both cost what the number of input values makes them cost, so no flop_size
scales them: `mflop` is counted for 28x28 grey images (32x32 colour images cost 10.5 and 18.9).
"""

import torch
import torch.nn.functional as F
from torch import nn

from wbtui.models.layers import initialize

NETS = {
    "mlp": {
        "width": 1024,
        "depth": 3,
        "features_per_width": 1,
        "mflop": 5.80,
        "flop_size": 0,
        "summary": "perceptron, 3 layers with BatchNorm, 1024-d features: the papers' MLP",
    },
    "residual_mlp": {
        "width": 1024,
        "depth": 3,
        "features_per_width": 1,
        "mflop": 14.19,
        "flop_size": 0,
        "summary": "perceptron with a stem and 3 residual blocks of 2 layers, 1024-d features",
    },
}


def build(name: str, channels: int, image_size: int, width: int, depth: int) -> nn.Module:
    """The net that maps images (B, channels, H, W) to features (B, width), with `depth` layers or blocks."""
    inputs = channels * image_size * image_size
    if name == "mlp":
        layers: list[nn.Module] = [_layer(inputs if i == 0 else width, width) for i in range(depth)]
    else:
        layers = [_layer(inputs, width), *(ResidualBlock(width) for _ in range(depth))]
    net = nn.Sequential(nn.Flatten(), *layers)
    initialize(net)
    return net


class ResidualBlock(nn.Module):
    """ReLU of the input plus two linear layers with BatchNorm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, width, bias=False)
        self.bn1 = nn.BatchNorm1d(width)
        self.linear2 = nn.Linear(width, width, bias=False)
        self.bn2 = nn.BatchNorm1d(width)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Hidden values (B, width) to (B, width)."""
        residual = self.bn2(self.linear2(F.relu(self.bn1(self.linear1(hidden)))))
        return F.relu(residual + hidden)


def _layer(entering: int, leaving: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(entering, leaving, bias=False), nn.BatchNorm1d(leaving), nn.ReLU())

"""What do the nets share: initialisation and pooling?"""

import torch
from torch import nn


def initialize(net: nn.Module) -> None:
    """Draw all weights of `net` in place from torch's global CPU generator (the caller seeds it).

    Convolutions and hidden linear layers: Kaiming normal with fan_out for ReLU, which is torchvision's choice
    for its ResNets; BatchNorm: γ = 1, β = 0. Behind BatchNorm the size of a weight changes its effective
    learning rate, not the function, so fan_out against fan_in (public long-tail ResNet32 code) matters only
    where strides differ.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def global_average(maps: torch.Tensor) -> torch.Tensor:
    """Pool maps (B, D, H, W) to features (B, D), in fp32 whatever autocast made of the maps."""
    return maps.mean(dim=(2, 3), dtype=torch.float32)

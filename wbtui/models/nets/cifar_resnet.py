"""What are the CIFAR-style ResNets (He et al. 2016, section 4.2) that most long-tail papers use?

Three groups of widths w, 2w, 4w on a 3x3 stem, 6n + 2 layers. Shortcuts are option A: where a block halves
the image, every second pixel is taken and the new channels are zeros, without parameters. That is He's own
choice on CIFAR and what the public LDAM code runs under the name ResNet32 (0.46 M parameters), so results
stay comparable.
"""

import torch
import torch.nn.functional as F
from torch import nn

from wbtui.models.layers import global_average, initialize

NETS = {
    "resnet8": {
        "width": 16,
        "depth": 0,
        "features_per_width": 4,
        "mflop": 24.48,
        "flop_size": 32,
        "halvings": 2,
        "summary": "CIFAR-style ResNet, 3 blocks, 64-d features, 0.08 M parameters: for digits and glyphs",
    },
    "resnet20": {
        "width": 16,
        "depth": 0,
        "features_per_width": 4,
        "mflop": 81.1,
        "flop_size": 32,
        "halvings": 2,
        "summary": "CIFAR-style ResNet, 9 blocks, 64-d features, 0.27 M parameters",
    },
    "resnet32": {
        "width": 16,
        "depth": 0,
        "features_per_width": 4,
        "mflop": 137.7,
        "flop_size": 32,
        "halvings": 2,
        "summary": "CIFAR-style ResNet, 15 blocks, 64-d features, 0.46 M parameters: most long-tail papers",
    },
}

_BLOCKS_PER_GROUP = {"resnet8": 1, "resnet20": 3, "resnet32": 5}


def build(name: str, channels: int, image_size: int, width: int, depth: int) -> nn.Module:
    """The net that maps images (B, channels, H, W) to features (B, 4 * width); `depth` stands in the name."""
    return CifarResNet(channels, width, _BLOCKS_PER_GROUP[name])


class CifarResNet(nn.Module):
    """Stem, three groups of basic blocks, global average pool."""

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = _group(width, width, blocks, stride=1)
        self.layer2 = _group(width, 2 * width, blocks, stride=2)
        self.layer3 = _group(2 * width, 4 * width, blocks, stride=2)
        initialize(self)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features (B, 4 * width) in fp32, >= 0."""
        maps = F.relu(self.bn1(self.conv1(images)))
        return global_average(self.layer3(self.layer2(self.layer1(maps))))


class PaddedShortcutBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut that subsamples and pads with zero channels (option A)."""

    def __init__(self, entering: int, leaving: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(entering, leaving, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(leaving)
        self.conv2 = nn.Conv2d(leaving, leaving, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(leaving)
        self.stride = stride
        before = (leaving - entering) // 2
        self.zero_channels = (before, leaving - entering - before)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps (B, entering, H, W) to (B, leaving, ceil(H / stride), ceil(W / stride))."""
        residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(maps)))))
        if self.stride > 1:
            maps = F.pad(maps[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *self.zero_channels))
        return F.relu(residual + maps)


def _group(entering: int, leaving: int, blocks: int, stride: int) -> nn.Sequential:
    first = PaddedShortcutBlock(entering, leaving, stride)
    return nn.Sequential(first, *(PaddedShortcutBlock(leaving, leaving, 1) for _ in range(blocks - 1)))

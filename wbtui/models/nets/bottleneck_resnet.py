"""What are the ResNeXt50-32x4d (ImageNet-LT) and ResNet50 (iNaturalist) that long-tail papers train at 224 pixels?

torchvision's, with their 7x7 stride-2 stem and max-pool, without the classifier. Names of layers are torchvision's, so
that state dicts can be compared key by key. At width 64: 2048-d features, 53 BatchNorm layers, 22,979,904 and
23,508,032 parameters.
"""

import torch
import torch.nn.functional as F
from torch import nn

from wbtui.models.layers import global_average, initialize

NETS = {
    "resnet50": {
        "width": 64,
        "depth": 0,
        "features_per_width": 32,
        "mflop": 8174.0,
        "flop_size": 224,
        "halvings": 5,
        "summary": "ResNet50 for 224x224 images, 2048-d features, 23.5 M parameters: wants a GPU",
    },
    "resnext50": {
        "width": 64,
        "depth": 0,
        "features_per_width": 32,
        "mflop": 8457.0,
        "flop_size": 224,
        "halvings": 5,
        "width_step": 16,
        "summary": "ResNeXt50-32x4d for 224x224 images, 2048-d features, 23.0 M parameters: wants a GPU",
    },
}

_GROUPS = {"resnet50": 1, "resnext50": 32}
_INNER = {"resnet50": 1, "resnext50": 2}
"""Channels inside a block for one of its width: 32 groups of 4 are 128 at width 64, and of 1 at 16, the step."""


def build(name: str, channels: int, image_size: int, width: int, depth: int) -> nn.Module:
    """The net that maps images (B, channels, H, W) to features (B, 32 * width); `depth` stands in the name."""
    return BottleneckResNet(channels, width, _GROUPS[name], _INNER[name])


class BottleneckResNet(nn.Module):
    """Stem, groups of 3, 4, 6 and 3 bottleneck blocks, global average pool."""

    def __init__(self, channels: int, width: int, groups: int, inner: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = _group(width, width, 3, 1, groups, inner)
        self.layer2 = _group(4 * width, 2 * width, 4, 2, groups, inner)
        self.layer3 = _group(8 * width, 4 * width, 6, 2, groups, inner)
        self.layer4 = _group(16 * width, 8 * width, 3, 2, groups, inner)
        initialize(self)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features (B, 32 * width) in fp32, >= 0."""
        maps = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, stride=2, padding=1)
        return global_average(self.layer4(self.layer3(self.layer2(self.layer1(maps)))))


class BottleneckBlock(nn.Module):
    """1x1, grouped 3x3 (which carries the stride) and 1x1 convolutions beside a shortcut of option B."""

    def __init__(self, entering: int, width: int, stride: int, groups: int, inner: int) -> None:
        super().__init__()
        between, leaving = width * inner, 4 * width
        self.conv1 = nn.Conv2d(entering, between, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(between)
        self.conv2 = nn.Conv2d(between, between, 3, stride=stride, padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(between)
        self.conv3 = nn.Conv2d(between, leaving, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(leaving)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or entering != leaving:
            projection = nn.Conv2d(entering, leaving, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(projection, nn.BatchNorm2d(leaving))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps (B, entering, H, W) to (B, 4 * width, ceil(H / stride), ceil(W / stride))."""
        residual = F.relu(self.bn1(self.conv1(maps)))
        residual = F.relu(self.bn2(self.conv2(residual)))
        return F.relu(self.bn3(self.conv3(residual)) + self.downsample(maps))


def _group(entering: int, width: int, blocks: int, stride: int, groups: int, inner: int) -> nn.Sequential:
    first = BottleneckBlock(entering, width, stride, groups, inner)
    rest = (BottleneckBlock(4 * width, width, 1, groups, inner) for _ in range(blocks - 1))
    return nn.Sequential(first, *rest)

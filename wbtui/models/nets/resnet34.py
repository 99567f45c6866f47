"""What is the ResNet34 for 32x32 images that the weight-balancing papers train?

torchvision's resnet34 with a 3x3 stride-1 stem and without max-pool (WB22, WB24). Names of layers are
torchvision's, so that state dicts can be compared key by key. 36 BatchNorm layers, 8,512 gammas, 21,276,992
parameters at width 64.
"""

import torch
import torch.nn.functional as F
from torch import nn

from wbtui.models.layers import global_average, initialize

NETS = {
    "resnet34": {
        "width": 64,
        "depth": 0,
        "features_per_width": 8,
        "mflop": 2318.0,
        "flop_size": 32,
        "halvings": 3,
        "summary": "the papers' ResNet34 for 32x32 images, 512-d features, 21.3 M parameters: wants a GPU",
    },
}


def build(name: str, channels: int, image_size: int, width: int, depth: int) -> nn.Module:
    """The net that maps images (B, channels, H, W) to features (B, 8 * width); `depth` stands in the name."""
    return ResNet34(channels, width)


class ResNet34(nn.Module):
    """Stem, groups of 3, 4, 6 and 3 basic blocks, global average pool."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = _group(width, width, 3, stride=1)
        self.layer2 = _group(width, 2 * width, 4, stride=2)
        self.layer3 = _group(2 * width, 4 * width, 6, stride=2)
        self.layer4 = _group(4 * width, 8 * width, 3, stride=2)
        initialize(self)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features (B, 8 * width) in fp32, >= 0."""
        maps = F.relu(self.bn1(self.conv1(images)))
        return global_average(self.layer4(self.layer3(self.layer2(self.layer1(maps)))))


class ProjectedShortcutBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut that is a 1x1 convolution where the shape changes (option B)."""

    def __init__(self, entering: int, leaving: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(entering, leaving, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(leaving)
        self.conv2 = nn.Conv2d(leaving, leaving, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(leaving)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            projection = nn.Conv2d(entering, leaving, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(projection, nn.BatchNorm2d(leaving))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps (B, entering, H, W) to (B, leaving, ceil(H / stride), ceil(W / stride))."""
        residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(maps)))))
        return F.relu(residual + self.downsample(maps))


def _group(entering: int, leaving: int, blocks: int, stride: int) -> nn.Sequential:
    first = ProjectedShortcutBlock(entering, leaving, stride)
    return nn.Sequential(first, *(ProjectedShortcutBlock(leaving, leaving, 1) for _ in range(blocks - 1)))

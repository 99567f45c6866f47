"""How does a configuration become a net with a classifier, and what can be asked of it?"""

import importlib

import torch
from torch import nn

from wbtui import catalog
from wbtui.config import ModelConfig
from wbtui.errors import UsageError
from wbtui.models.heads import CosineHead, EtfHead, Head, LinearHead


class WbModel(nn.Module):
    """A backbone that makes features h and a head that makes logits z of them.

    Features and logits are fp32 also under autocast: losses, norms and stored logits are never bf16, and the
    head is a thousandth of the cost. Nothing in `forward` waits for the device or depends on values.
    """

    def __init__(self, backbone: nn.Module, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (B, C) and features (B, D) of images (B, channels, H, W)."""
        features = self.features(images)
        return self.logits(features), features

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Pooled features h, (B, D) fp32."""
        features: torch.Tensor = self.backbone(images)
        return features.float()

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Logits z, (B, C) fp32, of features (B, D) fp32."""
        with torch.autocast(features.device.type, enabled=False):
            logits: torch.Tensor = self.head(features)
        return logits


def build_model(config: ModelConfig, classes: int, channels: int, image_size: int) -> WbModel:
    """The net of `config` on the CPU, drawn from torch's global generator (seed it first).

    An ETF head with etf_init = "class_means" is random here: `model.head.align(class_means)` turns it once
    the class means of the initialised net are known.

    Args:
        config: which net, width, depth and head.
        classes: C.
        channels: channels of the images.
        image_size: side of the images in pixels.

    Raises:
        UsageError: the images are too small for the net, or an ETF has more classes than dimensions.
    """
    net = catalog.net(config.name)
    net.require_image_size(image_size)
    module = importlib.import_module(net.module)
    backbone = module.build(
        net.name, channels, image_size, config.width or net.width, config.depth or net.depth
    )
    return WbModel(backbone, _head(config, classes))


def _head(config: ModelConfig, classes: int) -> Head:
    size = config.feature_size
    if config.head == "cosine":
        return CosineHead(size, classes, config.cosine_scale)
    if config.head == "linear":
        return LinearHead(size, classes, config.bias)
    if not 2 <= classes <= size:
        raise UsageError(
            f"model.head = 'etf' needs 2 classes or more and as many feature dimensions: {config.name} has "
            f"{size} dimensions, the data {classes} classes; expected a larger model.width or "
            "model.head = 'linear'"
        )
    return EtfHead(size, classes, config.bias)


def batchnorm_layers(model: nn.Module) -> list[tuple[str, nn.BatchNorm1d | nn.BatchNorm2d]]:
    """Every BatchNorm layer with its dotted name, from the input to the output as the net declares them."""
    named = model.named_modules()
    return [(name, layer) for name, layer in named if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]


def num_parameters(model: nn.Module) -> int:
    """How many numbers can train; buffers (BatchNorm statistics, a fixed ETF) do not count."""
    return sum(parameter.numel() for parameter in model.parameters())

"""Which classifiers turn a feature h (B, D) into logits z (B, C)?

Every head draws its first weights from torch's global CPU generator, so that a seed means the same on every
device.
"""

import torch
import torch.nn.functional as F
from torch import nn

from wbtui.models.etf import etf_weight, random_rotation, rotation_to_class_means


class Head(nn.Module):
    """What every classifier has: rows w_k, perhaps a bias, and norms."""

    weight: torch.Tensor
    """W, (C, D)."""

    bias: nn.Parameter | None
    """b, (C,)."""

    def norms(self) -> torch.Tensor:
        """Classifier norms ‖w_k‖₂ (C,), bias excluded, without gradient."""
        norms: torch.Tensor = torch.linalg.vector_norm(self.weight.detach(), dim=1)
        return norms

    @property
    def bias_or_none(self) -> torch.Tensor | None:
        """The bias (C,) that is added to the logits, without gradient; None where there is none."""
        return None if self.bias is None else self.bias.detach()


class LinearHead(Head):
    """z = W h + b; after `add_class_scale`, z_k = s_k (w_kᵀ h + b_k) (LWS).

    Weights and bias start uniform in ±1/√D, which is torch's own start of a linear layer and the one of torchvision's
    ResNets.
    """

    def __init__(self, feature_size: int, classes: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, feature_size))
        self.bias = nn.Parameter(torch.empty(classes)) if bias else None
        self.class_scale: nn.Parameter | None
        self.register_parameter("class_scale", None)
        self.fresh()

    @torch.no_grad()
    def fresh(self) -> None:
        """Draw weight and bias anew, in place (cRT); a class scale goes back to 1."""
        classes, feature_size = self.weight.shape
        drawn = nn.Linear(feature_size, classes, bias=self.bias is not None, device="cpu")
        self.weight.copy_(drawn.weight)
        if self.bias is not None:
            self.bias.copy_(drawn.bias)
        if self.class_scale is not None:
            self.class_scale.fill_(1.0)

    def add_class_scale(self) -> nn.Parameter:
        """Give every class a trainable factor s_k = 1 (LWS); call it before loading a state that has one."""
        if self.class_scale is None:
            self.class_scale = nn.Parameter(torch.ones(len(self.weight), device=self.weight.device))
        return self.class_scale

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of features (B, D)."""
        logits = F.linear(features, self.weight, self.bias)
        return logits if self.class_scale is None else logits * self.class_scale

    def norms(self) -> torch.Tensor:
        """Classifier norms |s_k| ‖w_k‖₂ (C,), of the classifier as it acts, without gradient."""
        return (
            super().norms() if self.class_scale is None else super().norms() * self.class_scale.detach().abs()
        )

    @property
    def bias_or_none(self) -> torch.Tensor | None:
        """The bias s_k b_k (C,) that is added to the logits, without gradient; None where there is none."""
        bias = super().bias_or_none
        return bias if bias is None or self.class_scale is None else bias * self.class_scale.detach()


class CosineHead(Head):
    """z = s cos(w_k, h), without bias; rows of W start on the unit sphere, uniformly."""

    def __init__(self, feature_size: int, classes: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(F.normalize(torch.randn(classes, feature_size), dim=1))
        self.bias = None
        self.scale = scale

    def cosine(self, features: torch.Tensor) -> torch.Tensor:
        """cos(w_k, h) (B, C) in [-1, 1]; LDAM puts its own scale on it."""
        return F.linear(F.normalize(features, dim=1), F.normalize(self.weight, dim=1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of features (B, D)."""
        return self.scale * self.cosine(features)


class EtfHead(Head):
    """z = W h + b with W a fixed simplex ETF (a buffer) and a bias, from 0, as all that trains."""

    def __init__(self, feature_size: int, classes: int, bias: bool = True) -> None:
        super().__init__()
        weight = etf_weight(random_rotation(feature_size, classes))
        self.register_buffer("weight", weight.to(torch.get_default_dtype()))
        self.bias = nn.Parameter(torch.zeros(classes)) if bias else None

    @torch.no_grad()
    def align(self, class_means: torch.Tensor) -> None:
        """Turn the ETF, in place, to class means μ (C, D) by orthogonal Procrustes."""
        self.weight.copy_(etf_weight(rotation_to_class_means(class_means)))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) of features (B, D)."""
        return F.linear(features, self.weight, self.bias)

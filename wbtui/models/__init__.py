"""Nets and classifier heads."""

from wbtui.models.heads import CosineHead, EtfHead, Head, LinearHead
from wbtui.models.model import WbModel, batchnorm_layers, build_model, num_parameters

__all__ = [
    "CosineHead",
    "EtfHead",
    "Head",
    "LinearHead",
    "WbModel",
    "batchnorm_layers",
    "build_model",
    "num_parameters",
]

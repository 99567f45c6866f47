"""Which net does a run train, with which classifier on top of it?"""

from typing import Literal, Self

from pydantic import field_validator, model_validator

from wbtui import catalog
from wbtui.config.section import Count, Positive, Section


class ModelConfig(Section):
    """Which net and which classifier on top of it."""

    name: str = "resnet32"
    """Name of the net; `wbtui presets --nets` lists them with their feature sizes."""

    width: Count = 0
    """Base width (ResNets: channels of the first group; MLPs: hidden units); 0: the net's own."""

    depth: Count = 0
    """Number of layers (mlp) or blocks (residual_mlp); 0: the net's own. ResNets have it in their name."""

    head: Literal["linear", "cosine", "etf"] = "linear"
    """Classifier: z = Wh + b; z = s cos(w, h); or a fixed simplex equiangular tight frame whose bias alone trains."""

    bias: bool = True
    """Whether the classifier has a bias. The cosine classifier never has."""

    cosine_scale: Positive = 30.0
    """s of the cosine classifier. Unused by the others."""

    etf_init: Literal["random", "class_means"] = "random"
    """Rotation of the ETF: random (seeded), or aligned to the class means of the initialised net (Procrustes)."""

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        catalog.net(name)
        return name

    @model_validator(mode="after")
    def _check(self) -> Self:
        net = catalog.net(self.name)
        if self.depth and not net.depth:
            raise ValueError(f"depth = {self.depth}: {self.name} has its depth in its name; expected 0")
        if self.width % net.width_step:
            raise ValueError(f"width = {self.width}: expected a multiple of {net.width_step} for {self.name}")
        return self

    @property
    def feature_size(self) -> int:
        """D, the length of the pooled feature h."""
        return catalog.net(self.name).feature_size(self.width)

    def too_many_classes(self, classes: int, source: str) -> str:
        """Why the head cannot tell that many classes of a source apart, and what to do; empty: it can."""
        if self.head != "etf" or classes <= self.feature_size:
            return ""
        return (
            f"model.head = 'etf' needs at least as many feature dimensions as classes: {self.name} has "
            f"{self.feature_size}, {source} has {classes} classes; expected another net, a larger "
            "model.width, or model.head = 'linear'"
        )

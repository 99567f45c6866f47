"""What does a run leave behind when its last epoch is done: which figures, and which classifier beside the logits?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wbtui.diagnostics.geometry import SplitGeometry
from wbtui.models.heads import CosineHead, Head
from wbtui.store.predictions import Classifier


@dataclass(frozen=True)
class Figures:
    """What the run came to: metric name -> value."""

    final: dict[str, float]
    """Of the weights that the predictions come from."""

    best: dict[str, float]
    """At the epoch that validation prefers."""

    best_epoch: int | None
    """That epoch; None without validation."""

    oracle: dict[str, float]
    """At the epoch that the test set itself would prefer: an upper bound that nobody may report as a result."""


def classifier_of(head: Head, train_counts: np.ndarray[Any, Any], train: SplitGeometry) -> Classifier:
    """What logit adjustment needs of a classifier.

    Args:
        head: the classifier.
        train_counts: n_k (C,).
        train: geometry of the training split under the weights that predict.
    """
    bias = head.bias_or_none
    return Classifier(
        train_counts=train_counts,
        class_mean_feature_norms=train.mean_feature_norms.astype(np.float32),
        norms=on_host(_acting_norms(head)),
        bias=None if bias is None else on_host(bias),
    )


def on_host(values: Tensor) -> np.ndarray[Any, Any]:
    """A tensor as a float32 array of the same shape."""
    return values.detach().float().cpu().numpy()


def _acting_norms(head: Head) -> Tensor:
    """Classifier norms (C,) as the logits see them: a cosine classifier's are all s, however long its rows are."""
    return torch.full_like(head.norms(), head.scale) if isinstance(head, CosineHead) else head.norms()

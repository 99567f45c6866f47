"""How near is a stage-2 classifier to what strong weight decay drives it to?"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from wbtui.metrics import without_rounding

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClosedFormGauge:
    """A trained classifier against its closed form."""

    predicted: Floats
    """ŵ_k (C, D)."""

    relative_error: float
    """‖W - Ŵ‖_F / ‖W‖_F; NaN for W = 0."""

    norm_correlation: float
    """Pearson's corr(‖w_k‖, ‖μ_k‖): near +1 where strong decay lets ‖w_k‖ follow the features; NaN for equal
    norms."""


def closed_form_weight(
    class_means: Floats,
    counts: npt.NDArray[np.integer],
    class_weights: Floats,
    weight_decay: float,
    cb_form: Literal["ce", "bce_softmax"] = "ce",
) -> Floats:
    """The stationary classifier of a class-weighted loss where decay keeps the logits small (p ≈ 1/C).

    ŵ_k = (1/(λN)) [α_k n_k μ_k - mean_j(α_j n_j μ_j)] for cross-entropy, divided by C - 1 for WB22's binary
    cross-entropy on softmax outputs, whose gradients are that much smaller.

    Args:
        class_means: μ_k (C, D) of the un-augmented training split under the frozen net; NaN for an empty class.
        counts: n_k (C,) of the training split, N = Σ n_k.
        class_weights: α_k (C,) of the loss.
        weight_decay: λ > 0.
        cb_form: form of the loss.

    Returns:
        Ŵ (C, D).

    Raises:
        ValueError: λ is not positive; without decay nothing is stationary here.
    """
    if weight_decay <= 0:
        raise ValueError(f"weight_decay = {weight_decay}: the closed form needs a positive one")
    pull = np.nan_to_num((class_weights * counts)[:, None] * class_means, nan=0.0)
    softening = len(counts) - 1 if cb_form == "bce_softmax" else 1
    weight: Floats = (pull - pull.mean(axis=0)) / (weight_decay * counts.sum() * softening)
    return weight


def closed_form_gauge(
    weight: npt.NDArray[np.floating], predicted: Floats, class_means: Floats
) -> ClosedFormGauge:
    """Compare a trained classifier W (C, D) with its closed form Ŵ (C, D) and with class means μ (C, D)."""
    trained = weight.astype(np.float64)
    length = float(np.linalg.norm(trained))
    error = float(np.linalg.norm(trained - predicted)) / length if length else float("nan")
    norms = without_rounding(np.linalg.norm(trained, axis=1))
    correlation = _pearson(norms, np.linalg.norm(class_means, axis=1))
    return ClosedFormGauge(predicted, error, correlation)


def _pearson(first: Floats, second: Floats) -> float:
    present = np.isfinite(first) & np.isfinite(second)
    a, b = first[present], second[present]
    if len(a) < 2 or np.ptp(a) == 0.0 or np.ptp(b) == 0.0:  # the mean of equal values may be rounded
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

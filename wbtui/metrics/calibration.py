"""Does the model know how sure it may be?"""

import numpy as np
import numpy.typing as npt

ECE_BINS = 15
"""The number of bins of Guo et al. (2017), used by nearly everyone since."""

_CHUNK_VALUES = 1 << 16
"""Logits handled at once: 256 kB of float32 stays in the second-level cache."""


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """exp(z_k) / Σ_j exp(z_j) over the last axis, stable for any finite logits, in their own precision."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def top_probability(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The largest softmax probability of each row, 1 / Σ_j exp(z_j - max z), in chunks.

    Args:
        logits: (N, C), may be memory-mapped.

    Returns:
        (N,) in (0, 1].

    Raises:
        ValueError: `logits` is not (N, C) with C >= 1.
    """
    if logits.ndim != 2 or logits.shape[1] == 0:
        raise ValueError(f"logits have shape {logits.shape}, expected (N, C) with C >= 1")
    n_rows, n_classes = logits.shape
    top = np.empty(n_rows)
    step = max(1, _CHUNK_VALUES // n_classes)
    for start in range(0, n_rows, step):
        rows = logits[start : start + step]
        shifted = rows - rows.max(axis=1, keepdims=True)
        top[start : start + step] = 1.0 / np.exp(shifted, out=shifted).sum(axis=1)
    return top


def expected_calibration_error(
    confidence: npt.NDArray[np.floating], correct: npt.NDArray[np.bool_], n_bins: int = ECE_BINS
) -> float:
    """ECE = Σ_m |B_m|/N · |accuracy(B_m) - mean confidence(B_m)| over equal-width bins of (0, 1].

    Naeini et al. (2015), in the form of Guo et al., "On Calibration of Modern Neural Networks" (2017), eq. 3:
    a bin is open on the left and closed on the right, confidence is the top softmax probability. The mean is
    over images, so on a balanced test set it weighs all classes alike.

    Args:
        confidence: (N,) in 0..1.
        correct: (N,) whether the prediction was right.
        n_bins: M.

    Returns:
        A fraction in 0..1; NaN without images.

    Raises:
        ValueError: shapes differ, or a confidence lies outside 0..1.
    """
    if confidence.ndim != 1 or confidence.shape != correct.shape:
        raise ValueError(
            f"confidence has shape {confidence.shape} and correct {correct.shape}, expected both (N,)"
        )
    if n_bins < 1:
        raise ValueError(f"n_bins is {n_bins}, expected at least 1")
    if confidence.size == 0:
        return float("nan")
    # The comparison is written so that NaN fails it too.
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError(f"confidence runs from {confidence.min()} to {confidence.max()}, expected 0..1")
    edges = np.linspace(0.0, 1.0, n_bins + 1)[1:-1]
    bins = np.searchsorted(edges, confidence, side="left")
    gap = np.bincount(bins, weights=correct.astype(np.float64) - confidence, minlength=n_bins)
    return float(np.abs(gap).sum() / confidence.size)

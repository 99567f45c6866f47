"""What does adjustment work on?"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from wbtui.errors import UsageError

Split = Literal["validation", "test"]

CHUNK_VALUES = 1 << 16
"""Logits handled at once: 256 kB of float32 stays in the second-level cache, and a memory map is read once."""


@dataclass(frozen=True, eq=False)
class ScoredSet:
    """The logits of one split of a finished run, with the facts by class that adjustments need.

    Raises:
        UsageError: shapes or types do not fit, a label lies outside 0..C-1, or a number is NaN or infinite.
    """

    split: Split
    """Which split it is: a strength chosen on "test" is an oracle, whoever chooses it."""

    logits: npt.NDArray[np.float32]
    """z, (N, C), may be memory-mapped; read in chunks and never copied whole."""

    labels: npt.NDArray[np.int64]
    """(N,) true class ids."""

    train_counts: npt.NDArray[np.int64]
    """n_k, (C,) images a class of the *training* split."""

    classifier_norms: npt.NDArray[np.floating] | None = None
    """‖w_k‖₂, (C,), bias excluded; None where the head has none."""

    bias: npt.NDArray[np.floating] | None = None
    """b_k, (C,), as it is contained in the logits; None where the head has none."""

    class_mean_feature_norms: npt.NDArray[np.floating] | None = None
    """‖μ_k‖₂, (C,), the norm of the mean training feature of each class."""

    def __post_init__(self) -> None:
        """Check once, so that nothing after needs to."""
        if self.logits.ndim != 2 or self.logits.dtype != np.float32 or self.logits.shape[1] == 0:
            raise self._mistake(
                f"logits are {self.logits.dtype} of shape {self.logits.shape}, expected float32 (N, C), C >= 1"
            )
        if self.labels.shape != self.logits.shape[:1] or not np.issubdtype(self.labels.dtype, np.integer):
            raise self._mistake(
                f"labels are {self.labels.dtype} of shape {self.labels.shape}, expected integers of shape "
                f"({self.n_images},), one for each row of logits"
            )
        if self.n_images and (self.labels.min() < 0 or self.labels.max() >= self.n_classes):
            raise self._mistake(
                f"labels run from {self.labels.min()} to {self.labels.max()}, expected 0..{self.n_classes - 1}"
            )
        for name in ("train_counts", "classifier_norms", "bias", "class_mean_feature_norms"):
            self._check_by_class(name, getattr(self, name))
        self._check_finite()

    @property
    def n_images(self) -> int:
        """N."""
        return int(self.logits.shape[0])

    @property
    def n_classes(self) -> int:
        """C."""
        return int(self.logits.shape[1])

    @property
    def chunk_rows(self) -> int:
        """How many rows of logits to handle at once."""
        return max(1, CHUNK_VALUES // self.n_classes)

    def images_by_class(self) -> npt.NDArray[np.int64]:
        """(C,) images a class in this split."""
        return np.bincount(self.labels, minlength=self.n_classes)

    def _check_by_class(self, name: str, values: npt.NDArray[np.generic] | None) -> None:
        if values is None:
            return
        if values.shape != (self.n_classes,):
            raise self._mistake(f"{name} has shape {values.shape}, expected ({self.n_classes},), one a class")
        numbers = values.astype(np.float64)
        if not np.isfinite(numbers).all():
            raise self._mistake(f"{name} holds NaN or infinity, expected finite numbers")
        if name != "bias" and (numbers < 0).any():
            raise self._mistake(f"{name} holds {numbers.min():g}, expected nothing negative")

    def _check_finite(self) -> None:
        for start in range(0, self.n_images, self.chunk_rows):
            rows = self.logits[start : start + self.chunk_rows]
            # NaN fails both comparisons.
            if rows.max() < np.inf and rows.min() > -np.inf:
                continue
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise self._mistake(
                f"logits hold {rows[row, column]} (row {start + row}, class {column}), expected finite numbers; "
                "the run diverged or its file is damaged, so it cannot be adjusted"
            )

    def _mistake(self, what: str) -> UsageError:
        return UsageError(f"{self.split} predictions: {what}")

"""What is the class-wise geometry of one split, measured in eval mode on un-augmented images?"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from wbtui.diagnostics.class_sums import ClassSums, class_sums
from wbtui.diagnostics.fisher import FisherRatio, fisher_discriminant_ratio

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SplitGeometry:
    """Accuracy and geometry of one split; arrays by class have NaN where a class has no sample."""

    counts: Integers
    """Samples of each class in the measured split (C,)."""

    confusion: Integers
    """Samples of class i (row) classified as j (column), (C, C)."""

    loss: float
    """Mean cross-entropy of the logits."""

    cosine: Floats
    """Mean cosine similarity over pairs of features of class i and class j (C, C), self-pairs left out."""

    cosine_intra: float
    """Mean of the diagonal of `cosine`: same class. (The papers' released code swaps the two names.)"""

    cosine_inter: float
    """Mean of `cosine` over pairs of different classes."""

    feature_norms: Floats
    """mean_i ‖h_i‖₂ (C,)."""

    class_means: Floats
    """μ_k (C, D)."""

    within_scatter: torch.Tensor
    """S_W (D, D), float64 on the CPU."""

    @cached_property
    def fisher(self) -> FisherRatio:
        """Fisher's discriminant ratio, its rank, traces and flag; computed when first asked for, on the CPU alone."""
        return fisher_discriminant_ratio(
            self.within_scatter, torch.from_numpy(self.class_means), torch.from_numpy(self.counts)
        )

    @property
    def correct(self) -> Integers:
        """Correctly classified samples of each class (C,)."""
        return np.diagonal(self.confusion).copy()

    @property
    def mean_feature_norms(self) -> Floats:
        """‖μ_k‖₂ (C,): the norm of the mean, at most the mean of the norms."""
        norms: Floats = np.linalg.norm(self.class_means, axis=1)
        return norms


@torch.no_grad()
def split_geometry(
    logits: torch.Tensor, features: torch.Tensor, labels: torch.Tensor, classes: int
) -> SplitGeometry:
    """Measure one split; sums run on the tensors' device, in float64 where it has that.

    Args:
        logits: z (N, C) fp32.
        features: h (N, D) fp32, pooled.
        labels: class of each sample (N,) int64.
        classes: C.
    """
    confusion = torch.bincount(labels * classes + logits.argmax(dim=1), minlength=classes**2)
    losses = F.cross_entropy(logits, labels, reduction="none").cpu()
    sums = class_sums(features, labels, classes)
    cosine = cosine_similarity(sums)
    return SplitGeometry(
        counts=sums.counts.long().numpy(),
        confusion=confusion.reshape(classes, classes).cpu().numpy(),
        loss=losses.double().mean().item(),
        cosine=cosine.numpy(),
        cosine_intra=cosine.diagonal().nanmean().item(),
        cosine_inter=cosine[~torch.eye(classes, dtype=torch.bool)].nanmean().item(),
        feature_norms=(sums.norms / sums.counts).numpy(),
        class_means=sums.means.numpy(),
        within_scatter=sums.within_scatter,
    )


def cosine_similarity(sums: ClassSums) -> torch.Tensor:
    """Mean cosine similarity over pairs of features of two classes, (C, C) float64.

    With m_k the mean of the normalised features of class k: ⟨m_i, m_j⟩ between classes and, without the pairs
    of a feature with itself, (n²‖m‖² - n)/(n(n-1)) within one. NaN within a class of one sample, and wherever
    a class has no sample or a zero feature, whose cosine is not defined.
    """
    counts = torch.where(sums.zero_features > 0, torch.nan, sums.counts)
    cosine = sums.directions @ sums.directions.T / (counts[:, None] * counts)
    pairs = torch.where(counts > 1, counts * (counts - 1), torch.nan)
    cosine.diagonal().copy_((sums.directions.square().sum(dim=1) - counts) / pairs)
    return cosine

"""How well do features separate the classes (Fisher's discriminant ratio), also where scatter is singular?"""

from dataclasses import dataclass

import torch

_EPS32 = torch.finfo(torch.float32).eps


@dataclass(frozen=True)
class FisherRatio:
    """FDR of one split and how far it can be trusted."""

    value: float
    """Tr(S_W⁻¹ S_B), on the range of S_W; NaN where features are not finite or S_W vanishes."""

    rank: int
    """r, the numerical rank of S_W."""

    within: float
    """Tr S_W."""

    between: float
    """Tr S_B."""

    flagged: bool
    """Whether S_W was singular (r < D), so that `value` sees only r of D dimensions."""


def fisher_discriminant_ratio(
    within_scatter: torch.Tensor, class_means: torch.Tensor, counts: torch.Tensor
) -> FisherRatio:
    """FDR = Tr(S_W⁻¹ S_B) (WB24), never with a ridge.

    S_B = Σ_k n_k (μ_k - μ)(μ_k - μ)ᵀ = BᵀB with rows B_k = √n_k (μ_k - μ). The rank r of S_W counts
    eigenvalues above D·eps32·λ_max. Full rank: S_W = LLᵀ and FDR = ‖L⁻¹Bᵀ‖_F². Else FDR = Σ ‖Bv_i‖²/λ_i over
    r eigenvectors. Features are fp32, so a λ_max under eps32² of their second moment is their rounding: then
    r = 0.

    Args:
        within_scatter: S_W (D, D), plain sums, float64 on the CPU.
        class_means: μ_k (C, D) float64 on the CPU; the row of a class without samples is not read.
        counts: n_k (C,) of the measured set.
    """
    present = counts > 0
    weights, means = counts[present].double(), class_means[present]
    overall = weights @ means / weights.sum()
    between_rows = weights.sqrt()[:, None] * (means - overall)
    within, between = within_scatter.trace().item(), between_rows.square().sum().item()
    if not torch.isfinite(within_scatter).all():
        return FisherRatio(float("nan"), 0, within, between, flagged=True)

    second_moment = within + (weights * means.square().sum(dim=1)).sum().item()
    size, rounding = len(within_scatter), _EPS32**2 * second_moment
    # Where Cholesky fails S_W is singular for certain and its eigenvectors are needed anyway. At D = 512
    # Cholesky takes 4 ms, eigenvalues 16 ms, with eigenvectors 38 ms (one AMD EPYC core, torch 2.13, n = 5).
    factor, failed = torch.linalg.cholesky_ex(within_scatter)
    if not failed and _rank(torch.linalg.eigvalsh(within_scatter), rounding) == size:
        value = torch.linalg.solve_triangular(factor, between_rows.T, upper=False).square().sum().item()
        return FisherRatio(value, size, within, between, flagged=False)

    eigenvalues, vectors = torch.linalg.eigh(within_scatter)
    rank = _rank(eigenvalues, rounding)
    on_range = between_rows @ vectors[:, size - rank :]
    value = (on_range.square().sum(dim=0) / eigenvalues[size - rank :]).sum().item() if rank else float("nan")
    return FisherRatio(value, rank, within, between, flagged=rank < size)


def _rank(eigenvalues: torch.Tensor, rounding: float) -> int:
    """How many eigenvalues (D,), ascending, count."""
    largest = eigenvalues[-1].item()
    return int((eigenvalues > len(eigenvalues) * _EPS32 * largest).sum()) if largest > rounding else 0

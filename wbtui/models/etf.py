"""What are the weights of a simplex equiangular tight frame (ETF), and how is it turned to class means?"""

import math

import torch


def etf_weight(rotation: torch.Tensor) -> torch.Tensor:
    """Rows of the simplex ETF, W = [U √(C/(C-1)) (I - 11ᵀ/C)]ᵀ (WB24).

    Args:
        rotation: U, (D, C), orthonormal columns.

    Returns:
        W, (C, D): rows of norm 1 whose pairwise cosines are -1/(C-1).
    """
    classes = rotation.shape[1]
    centred = rotation - rotation.mean(dim=1, keepdim=True)
    return centred.T * math.sqrt(classes / (classes - 1))


def random_rotation(feature_size: int, classes: int) -> torch.Tensor:
    """U, (D, C) float64 with orthonormal columns, uniform, from torch's global CPU generator.

    Raises:
        ValueError: fewer than 2 classes, or fewer dimensions than classes.
    """
    if not 2 <= classes <= feature_size:
        raise ValueError(
            f"an ETF needs 2 <= C <= D; got C = {classes} classes in D = {feature_size} dimensions"
        )
    q, r = torch.linalg.qr(torch.randn(feature_size, classes, dtype=torch.float64))
    rotation: torch.Tensor = q * torch.sign(torch.diagonal(r))  # without R's signs Q is not uniform
    return rotation


def rotation_to_class_means(class_means: torch.Tensor) -> torch.Tensor:
    """U whose ETF lies closest to the normalised class means: orthogonal Procrustes.

    Maximises Σ_k ⟨w_k, μ_k/‖μ_k‖⟩ over U with orthonormal columns: with M the normalised means (C, D) and the
    singular value decomposition Mᵀ(I - 11ᵀ/C) = P S Qᵀ, U = P Qᵀ.

    Args:
        class_means: μ, (C, D), on any device; a class without samples may be NaN or zero and then has no say.

    Returns:
        U, (D, C) float64 on the CPU.
    """
    means = torch.nan_to_num(class_means.detach().cpu().double(), nan=0.0)
    directions = torch.nn.functional.normalize(means, dim=1)
    target = (directions - directions.mean(dim=0)).T
    left, _, right = torch.linalg.svd(target, full_matrices=False)
    rotation: torch.Tensor = left @ right
    return rotation

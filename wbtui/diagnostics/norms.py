"""How long are the classifier's rows, and which of them does MaxNorm hold?"""

import numpy as np
import numpy.typing as npt

from wbtui.models import Head

_AT_BOUND = 1e-5  # a projected row is δ up to fp32 rounding of its norm, some 1e-7


def classifier_norms(head: Head) -> npt.NDArray[np.float64]:
    """‖w_k‖₂ (C,), bias excluded."""
    return head.norms().cpu().double().numpy()


def maxnorm_active(norms: npt.NDArray[np.floating], threshold: float) -> int:
    """On how many classes MaxNorm binds: rows whose norm has reached δ = `threshold` (WB22)."""
    return int(np.count_nonzero(norms >= threshold * (1.0 - _AT_BOUND)))

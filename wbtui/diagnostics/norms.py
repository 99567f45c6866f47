"""How long are the classifier's rows?"""

import numpy as np
import numpy.typing as npt

from wbtui.models import Head


def classifier_norms(head: Head) -> npt.NDArray[np.float64]:
    """‖w_k‖₂ (C,), bias excluded."""
    return head.norms().cpu().double().numpy()

"""What is the trend of a noisy curve?"""

import numpy as np

from wbtui.errors import UsageError
from wbtui.plotting.scale import Floats


def ema(values: Floats, factor: float) -> Floats:
    """Return the debiased exponential moving average.

    s_t = factor s_(t-1) + (1 - factor) y_t from s_0 = 0, divided by 1 - factor^k, k being the finite values
    so far (the bias correction of Adam, Kingma and Ba 2015): the first value is its own average. What is not
    finite leaves a gap there and does not enter. The recurrence is solved in log2(n) passes over the array.

    Args:
        values: (n,), in time order, the full data and not what a screen shows of it.
        factor: In [0, 1); 0 returns the values.

    Returns:
        (n,), NaN where `values` is not finite.

    Raises:
        UsageError: The factor is outside [0, 1).
    """
    if not 0 <= factor < 1:
        raise UsageError(f"smoothing factor: expected 0 or more and less than 1, got {factor:g}")
    present = np.isfinite(values)
    if factor == 0:
        return np.where(present, values, np.nan)
    decay = np.where(present, factor, 1.0)
    # numerator and weight share the recurrence; their quotient is the debiased average
    sums = (1 - factor) * np.stack([np.where(present, values, 0.0), present.astype(np.float64)])
    step = 1
    while step < len(values) and decay[step:].any():
        sums[:, step:] += decay[step:] * sums[:, :-step]
        decay[step:] = decay[step:] * decay[:-step]
        step *= 2
    with np.errstate(invalid="ignore"):
        return np.where(present, sums[0] / sums[1], np.nan)

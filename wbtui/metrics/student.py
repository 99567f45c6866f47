"""What is the quantile of Student's t? (numpy and the standard library have none.)"""

import math


def student_t_quantile(probability: float, freedom: float) -> float:
    """The t with P(T <= t) = probability, for T of Student's distribution.

    Args:
        probability: in (0, 1).
        freedom: degrees of freedom, positive, may be fractional.

    Returns:
        t, accurate to about 1e-10 relative (1e-15 absolute where it is near 0), by bisection of the distribution
        function.

    Raises:
        ValueError: probability outside (0, 1) or freedom not positive.
    """
    if not 0.0 < probability < 1.0:
        raise ValueError(f"probability is {probability}, expected a number between 0 and 1")
    if not freedom > 0.0:
        raise ValueError(f"freedom is {freedom}, expected a positive number")
    if probability == 0.5:
        return 0.0
    tail = min(probability, 1.0 - probability)
    low, high = 0.0, 1.0
    while _upper_tail(high, freedom) > tail:
        low, high = high, 2.0 * high
    while low < (middle := 0.5 * (low + high)) < high:
        if _upper_tail(middle, freedom) > tail:
            low = middle
        else:
            high = middle
    return math.copysign(middle, probability - 0.5)


def _upper_tail(t: float, freedom: float) -> float:
    """P(T > t) for t > 0, half the incomplete beta function at v / (v + t²)."""
    square = t * t
    return 0.5 * _incomplete_beta(
        0.5 * freedom, 0.5, freedom / (freedom + square), square / (freedom + square)
    )


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """The regularised incomplete beta function I_x(a, b) for 0 < x < 1 (DLMF 8.17.22).

    `rest` is 1 - x, from the caller: an x near 1 no longer tells it.
    """
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    # The continued fraction converges fast below the mean of Beta(a, b); beyond it the mirrored one does.
    if x < (a + 1.0) / (a + b + 2.0):
        return math.exp(log_front) / a * _beta_fraction(a, b, x)
    return 1.0 - math.exp(log_front) / b * _beta_fraction(b, a, rest)


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction 1 / (1 + d_1 / (1 + d_2 / (1 + ...))) by Lentz's method."""
    value, c, d = 1.0, 1.0, 0.0
    for m in range(1000):
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        even = (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2))
        for term in (odd, even):
            d = 1.0 / (1.0 + term * d)
            c = 1.0 + term / c
            value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return 1.0 / value

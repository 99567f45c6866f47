"""How many cores may this process use, and which nets can use more than one?"""

import os

SMALL_NET_MFLOP = 20.0
"""Forward cost of an image under which one torch thread is fastest and bf16 does not pay (measured on two cores)."""


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

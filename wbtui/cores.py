"""How many cores and threads may this process use, and which nets can use more than one?"""

import os

SMALL_NET_MFLOP = 20.0
"""Forward cost of an image under which one torch thread is fastest and bf16 does not pay (measured on two cores)."""


def threads_given() -> int:
    """Threads of a process as `OMP_NUM_THREADS` says; 0: it does not."""
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return int(given) if given.isdecimal() else 0


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

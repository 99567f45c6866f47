"""How many threads does a run get, so that parallel runs on one machine do not fight for its cores?"""

from wbtui import catalog
from wbtui.config import RunConfig
from wbtui.cores import SMALL_NET_MFLOP, threads_given, usable_cores

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Every library under torch and numpy reads its own."""


def threads_for(config: RunConfig, parallel: int = 1) -> int:
    """Threads of one of `parallel` runs: as configured, one for small nets, else its share of the cores, and no more
    than the user's `OMP_NUM_THREADS`."""
    if config.threads:
        return config.threads
    if image_mflop(config) < SMALL_NET_MFLOP:
        return 1
    share = max(1, usable_cores() // max(1, parallel))
    return min(share, threads_given() or share)


def image_mflop(config: RunConfig) -> float:
    """About how many MFLOP an image costs forward; where only the data tell its size, at the net's own."""
    net = catalog.net(config.model.name)
    source = catalog.SOURCES[config.data.source]
    size = (config.data.image_size if source.any_size else 0) or source.image_size or net.flop_size
    return net.forward_mflop(size, config.model.width)


def thread_environment(threads: int) -> dict[str, str]:
    """The environment variables that hold a child to that many threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))

"""How long will these runs take, going by runs of their kind that are there already?"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from wbtui.config import RunConfig
from wbtui.store.index import RunIndex
from wbtui.store.summary import RunSummary

_RECENT = 10


def estimated_seconds(runs: Path, configs: Sequence[RunConfig], parallel: int) -> float | None:
    """Seconds until all have ended, so many at once; None where a kind of run was never finished here.

    Args:
        runs: the folder of all runs.
        configs: what is to be run.
        parallel: runs at once, taken not to slow each other down.
    """
    rows = [row for row in RunIndex(runs).listing().rows if row.state == "finished" and row.attempt == 1]
    total = 0.0
    for config in configs:
        each = _seconds_per_epoch(rows, config)
        if each is None:
            return None
        total += each * config.total_epochs
    return total / max(1, min(parallel, len(configs)))


def _seconds_per_epoch(rows: Iterable[RunSummary], config: RunConfig) -> float | None:
    kind = (config.preset, config.model.name)
    seconds = [
        (row.updated - row.started) / row.epoch
        for row in rows
        if (row.preset, row.model) == kind and row.epoch > 0 and row.updated > row.started > 0
    ]
    return median(seconds[-_RECENT:]) if seconds else None

"""How long will these runs take, going by runs of their kind that are there already?"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from wbtui.config import RunConfig
from wbtui.store.index import RunIndex
from wbtui.store.summary import RunSummary

_RECENT = 10


def estimated_seconds(runs: Path, wanted: Sequence[tuple[RunConfig, int]], parallel: int) -> float | None:
    """Seconds until all have ended, so many at once; None where a kind of run was never finished here.

    Args:
        runs: the folder of all runs.
        wanted: what is to be run, each with the epochs that it has to train.
        parallel: runs at once, taken not to slow each other down.
    """
    rows = [
        row
        for row in RunIndex(runs).listing().rows
        if row.state == "finished" and row.attempt == 1 and not row.taken_over
    ]
    total = 0.0
    for config, epochs in wanted:
        each = _seconds_per_epoch(rows, config)
        if each is None:
            return None
        total += each * epochs
    return total / max(1, min(parallel, len(wanted)))


def _seconds_per_epoch(rows: Iterable[RunSummary], config: RunConfig) -> float | None:
    kind = (config.preset, config.model.name)
    seconds = [
        (row.updated - row.started) / row.epoch
        for row in rows
        if (row.preset, row.model) == kind and row.epoch > 0 and row.updated > row.started > 0
    ]
    return median(seconds[-_RECENT:]) if seconds else None

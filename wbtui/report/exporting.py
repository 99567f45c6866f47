"""How do all scalars of chosen runs leave as tidy CSV: one row a value?"""

import csv
from collections.abc import Iterable
from typing import IO

from wbtui.report.figures import figures_of
from wbtui.report.markup import csv_value
from wbtui.store.reader import Run

COLUMNS = ("run", "preset", "variant", "name", "seed", "stage", "epoch", "metric", "value")


def write_scalars(runs: Iterable[Run], out: IO[str], *, final: bool = False) -> int:
    """Write a row for each scalar of each epoch of each run; accuracies are fractions, NaN is empty.

    Args:
        runs: whose.
        out: where to; opened with newline="".
        final: the final figures alone, in place of every epoch.

    Returns:
        How many rows were written.

    Raises:
        StoreReadError: a run cannot be read.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for run in runs:
        config = run.config
        labels = [
            csv_value(run.id),
            *(csv_value(config.get(key)) for key in ("preset", "variant", "name", "seed")),
        ]
        for stage, epoch, metric, value in _final(run) if final else _by_epoch(run):
            writer.writerow([*labels, stage, epoch, metric, csv_value(float(value))])
            count += 1
    return count


def without_figures(runs: Iterable[Run]) -> list[Run]:
    """The runs that have no final figures."""
    return [run for run in runs if not figures_of(run).final]


def _by_epoch(run: Run) -> Iterable[tuple[int, int, str, float]]:
    for epoch in run.epochs:
        for metric, value in epoch.scalars.items():
            yield epoch.stage + 1, epoch.number, metric, value


def _final(run: Run) -> Iterable[tuple[str, int, str, float]]:
    figures = figures_of(run)
    for metric, value in figures.values.items() if figures.final else ():
        yield "", figures.epoch, metric, value

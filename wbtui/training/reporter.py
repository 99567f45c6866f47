"""When is what an epoch measured written down: at once, or while the device works at the next one?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from wbtui.diagnostics.geometry import SplitGeometry
from wbtui.store.writer import RunWriter
from wbtui.training.checkpoint import Best
from wbtui.training.measures import Measures, Scalars, Vectors
from wbtui.training.patience import persist


@dataclass(frozen=True)
class EpochReport:
    """What an epoch has measured, as far as that needed the model as it then was."""

    epoch: int
    """Over all stages, from 1."""

    stage: int
    """Index of its stage, from 0."""

    images: int
    """Training images seen so far, all stages."""

    scalars: Scalars
    vectors: Vectors
    geometry: Mapping[str, SplitGeometry]
    """Of the splits that were evaluated."""

    better: Sequence[Best]
    """The measures by which it is the best epoch so far; its figures become theirs."""

    final: bool
    """Whether it is the last one of the run, whose matrices are always written."""


class Reporter:
    """Does what an epoch still needs of the processor alone: the ends of its measures, and the disk.

    The D x D algebra of Fisher's ratio takes 20 to 42 ms a split at D = 512 (see `fisher_discriminant_ratio`), too much
    beside an epoch of half a second.

    Args:
        measures: of the run.
        writer: of the run.
        matrices_every: epochs between matrices; 0: those of the final epoch alone.
        later: whether a report waits for `catch_up`.
    """

    def __init__(self, measures: Measures, writer: RunWriter, matrices_every: int, *, later: bool) -> None:
        self._measures, self._writer = measures, writer
        self._matrices_every, self._later = matrices_every, later
        self._waiting: EpochReport | None = None

    def take(self, report: EpochReport) -> None:
        """Report an epoch, now or later; the one before it has been reported.

        Raises:
            RunFailedError: the disk keeps refusing.
        """
        self._waiting = report
        if not self._later:
            self.catch_up()

    def catch_up(self) -> None:
        """Report the last epoch, if that is still to be done: before its checkpoint, and before it can be lost.

        Raises:
            RunFailedError: the disk keeps refusing.
        """
        report, self._waiting = self._waiting, None
        if report:
            self._write(report)

    def _write(self, report: EpochReport) -> None:
        scalars, vectors = dict(report.scalars), dict(report.vectors)
        for split, geometry in report.geometry.items():
            more_scalars, more_vectors = self._measures.of_split(split, geometry)
            scalars |= more_scalars
            vectors |= more_vectors
            if report.final or (self._matrices_every and report.epoch % self._matrices_every == 0):
                for name, values in self._measures.matrices(split, geometry).items():
                    persist(partial(self._writer.matrix, name, report.epoch, values))
        persist(
            lambda: self._writer.epoch(report.epoch, report.stage, scalars, vectors, images=report.images)
        )
        for best in report.better:
            best.figures = self._measures.figures(scalars)

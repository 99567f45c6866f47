"""How does a trainer write its run folder?"""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from wbtui.errors import RunFailedError
from wbtui.store import jsonio
from wbtui.store.errors import StoreReadError
from wbtui.store.events import EventReader
from wbtui.store.format import EVENT_TYPES, EVENTS, FORMAT_VERSION, MAX_LINE, MAX_LOG, Metric
from wbtui.store.history import History
from wbtui.store.log import LineWriter
from wbtui.store.predictions import Classifier, PredictionsMeta, SplitPredictions, write_predictions
from wbtui.store.rows import RowFile

_SYNCED = frozenset({"checkpoint", "stop", "end"})
_LAST_WORDS = frozenset({"start", "resume", "alert", "stop", "end"})
_ROOM_FOR_LAST_WORDS = 4 * MAX_LINE
"""What the events that tell how the run ends may take when epochs may no more."""


class RunWriter:
    """Appends to events.jsonl, series/ and matrices/ of one run folder; the only writer of them.

    Every method that writes raises StoreWriteError where the disk is full or the folder gone. What was
    written stays, and the same call may be made again: it goes on where it was.

    Args:
        folder: The run folder; it exists.
        attempt: Number of this attempt, 1 for the first; stands in `start` and `resume` events.
    """

    def __init__(self, folder: Path, attempt: int = 1) -> None:
        self.folder = folder
        self.attempt = attempt
        history = _read_history(folder)
        self._log = LineWriter(folder / EVENTS)
        self._seq = history.next_seq
        self._started = bool(history.start)
        self._metrics = dict(history.metrics)
        self._last_epoch = history.last_epoch
        self._matrix_rows = [
            (epoch.number, name, row)
            for epoch in history.epochs.values()
            for name, row in epoch.matrices.items()
        ]
        self._pending_matrices: dict[str, tuple[int, int]] = {}
        self._files: dict[str, RowFile] = {}
        self._vectors = [metric for metric in self._metrics.values() if metric.axis in ("class", "layer")]

    @classmethod
    def open(cls, folder: Path, attempt: int = 1) -> Self:
        """Open a run folder for writing; `seq` goes on from the events that are there.

        Raises:
            StoreWriteError: the folder is missing or cannot be written.
            StoreReadError: events.jsonl is there and cannot be read.
        """
        return cls(folder, attempt)

    @property
    def started(self) -> bool:
        """Whether an attempt has said `start` before this one was opened; what was taken over says none."""
        return self._started

    @property
    def last_epoch(self) -> int:
        """Number of the last epoch written; 0 before any."""
        return self._last_epoch

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Metrics declared so far, by name."""
        return self._metrics

    def event(self, type: str, **fields: Any) -> int:
        """Append one event; `checkpoint`, `stop` and `end` also bring everything to the disk (fsync).

        Args:
            type: One of format.EVENT_TYPES; the fields of each stand in docs/run-folder.md.
            **fields: Its JSON fields; NaN becomes null.

        Returns:
            Its `seq`.

        Raises:
            ValueError: a type that is not known, or more than MAX_LINE bytes.
            RunFailedError: the file would become longer than readers take.
        """
        if type not in EVENT_TYPES:
            raise ValueError(f"event type {type!r}; expected one of {', '.join(EVENT_TYPES)}")
        if type in ("start", "resume"):
            fields = {"attempt": self.attempt, **fields}
        if type in _SYNCED:
            self._sync_rows()
        seq = self._seq
        head = {"v": FORMAT_VERSION, "seq": seq, "t": round(time.time(), 3), "type": type}
        line = jsonio.encode(head | fields)
        if len(line) >= MAX_LINE:
            raise ValueError(f"an event of {len(line)} bytes; expected less than {MAX_LINE}")
        self._let_go_of_removed()
        if type not in _LAST_WORDS and self._log.size + len(line) > MAX_LOG - _ROOM_FOR_LAST_WORDS:
            raise RunFailedError(
                f"{self.folder / EVENTS}: {MAX_LOG >> 20} MiB is all that readers take, and {self._last_epoch} epochs "
                "have filled it; configure fewer epochs"
            )
        self._log.append(line)
        self._seq = seq + 1
        if type in _SYNCED:
            self._log.sync()
        return seq

    def define(self, metric: Metric) -> None:
        """Declare a metric, once; a metric that is already declared is passed over.

        Raises:
            ValueError: it is declared with another axis or width.
        """
        known = self._metrics.get(metric.name)
        if known is not None:
            if (known.axis, known.width) != (metric.axis, metric.width):
                raise ValueError(
                    f"metric {metric.name} is declared with axis {known.axis} and width {known.width}, "
                    f"not {metric.axis} and {metric.width}"
                )
            return
        self.event("define", **vars(metric))
        self._metrics[metric.name] = metric
        if metric.axis in ("class", "layer"):
            self._vectors.append(metric)

    def epoch(
        self,
        epoch: int,
        stage: int,
        scalars: Mapping[str, float],
        vectors: Mapping[str, npt.ArrayLike] | None = None,
        **fields: Any,
    ) -> None:
        """Write what an epoch measured: rows of the vectors first, then its event.

        Args:
            epoch: Its number, 1.. over all stages together; larger than the last one.
            stage: Index of its stage, from 0.
            scalars: Value by name of a declared scalar metric.
            vectors: Row, `width` numbers, by name of a declared vector metric; those left out become NaN.
            **fields: More JSON fields of the event.

        Raises:
            ValueError: an epoch again, a metric that was not declared, or a row of another width.
        """
        vectors = vectors or {}
        self._check_epoch(epoch, scalars, vectors)
        self._let_go_of_removed()
        for metric in self._vectors:
            self._file(metric).write(epoch - 1, vectors.get(metric.name))
        matrices = {
            name: row for name, (of_epoch, row) in self._pending_matrices.items() if of_epoch == epoch
        }
        self.event(
            "epoch",
            epoch=epoch,
            stage=stage,
            scalars=dict(scalars),
            vectors=sorted(vectors),
            **({"matrices": matrices} if matrices else {}),
            **fields,
        )
        self._last_epoch = epoch
        self._matrix_rows += [(epoch, name, row) for name, row in matrices.items()]
        self._pending_matrices.clear()

    def _check_epoch(
        self, epoch: int, scalars: Mapping[str, float], vectors: Mapping[str, npt.ArrayLike]
    ) -> None:
        if epoch <= self._last_epoch:
            raise ValueError(f"epoch {epoch} comes after epoch {self._last_epoch}")
        if unknown := [name for name in (*scalars, *vectors) if name not in self._metrics]:
            raise ValueError(f"epoch {epoch}: metrics that were not declared: {', '.join(unknown)}")
        for name, row in vectors.items():
            metric = self._metrics[name]
            if metric.axis not in ("class", "layer") or np.shape(row) != (metric.width,):
                raise ValueError(
                    f"{name}: shape {np.shape(row)}; declared as {metric.axis} of width {metric.width}"
                )

    def matrix(self, name: str, epoch: int, values: npt.ArrayLike) -> None:
        """Write a matrix measured in `epoch`; call it before `epoch(epoch, ...)`, whose event will name it.

        Args:
            name: A declared metric with axis matrix.
            epoch: The epoch whose event comes next.
            values: (width, width) numbers; kept as float32.

        Raises:
            ValueError: not declared as a matrix, another shape, or an epoch that is already written.
        """
        metric = self._metrics.get(name)
        if metric is None or metric.axis != "matrix" or np.shape(values) != (metric.width, metric.width):
            raise ValueError(f"{name}: shape {np.shape(values)}; declared as {metric}")
        if epoch <= self._last_epoch:
            raise ValueError(f"{name}: epoch {epoch} is already written")
        row = self._rows_of(name)
        self._file(metric).write(row, values)
        self._pending_matrices[name] = (epoch, row)

    def predictions(
        self, splits: Mapping[str, SplitPredictions], classifier: Classifier, meta: PredictionsMeta
    ) -> PredictionsMeta:
        """Write predictions/; see `predictions.write_predictions`."""
        return write_predictions(self.folder, splits, classifier, meta)

    def resume(self, from_epoch: int, **fields: Any) -> None:
        """Go on after `from_epoch`: append a `resume` event, take later epochs back, cut their rows off.

        Args:
            from_epoch: The last epoch that stands; 0: none does.
            **fields: More JSON fields of the event.
        """
        self.event("resume", from_epoch=from_epoch, **fields)
        self._last_epoch = min(self._last_epoch, from_epoch)
        self._matrix_rows = [entry for entry in self._matrix_rows if entry[0] <= from_epoch]
        self._pending_matrices.clear()
        for metric in self._metrics.values():
            if metric.axis in ("class", "layer"):
                self._file(metric).truncate(from_epoch)
            elif metric.axis == "matrix":
                self._file(metric).truncate(self._rows_of(metric.name))

    def _let_go_of_removed(self) -> None:
        """Where the folder went away, open handles write into nothing; opening anew fails, or finds it again."""
        if self._log.removed:
            self.close()

    def _rows_of(self, matrix: str) -> int:
        return 1 + max((row for _, name, row in self._matrix_rows if name == matrix), default=-1)

    def _file(self, metric: Metric) -> RowFile:
        if metric.name not in self._files:
            self._files[metric.name] = RowFile(self.folder / metric.file, metric.row_bytes // 4)
        return self._files[metric.name]

    def _sync_rows(self) -> None:
        for file in self._files.values():
            file.sync()

    def sync(self) -> None:
        """Bring everything written so far to the disk."""
        self._sync_rows()
        self._log.sync()

    def close(self) -> None:
        """Close the files."""
        self._log.close()
        self._close_rows()

    def _close_rows(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _read_history(folder: Path) -> History:
    reader, history = EventReader(folder), History()
    more = True
    while more:
        batch = reader.poll()
        if batch.restarted:
            raise StoreReadError(
                f"{folder / EVENTS}: changed while it was read; another process writes this run"
            )
        history.extend(batch.events)
        more = batch.more
    return history

"""How is one run followed: read once, then only what is new, into arrays that never change under the screen?"""

import contextlib
from typing import Any

import numpy as np
import numpy.typing as npt

from wbtui.errors import UsageError
from wbtui.store import arrays
from wbtui.store.errors import StoreReadError
from wbtui.store.history import Epoch
from wbtui.store.reader import Run
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui.snapshots import Curve, Floats, RunDetail

_FIRST_ROOM = 64
_Vectors = dict[str, npt.NDArray[np.float32]]
_Matrices = dict[str, tuple[int, npt.NDArray[np.float32]]]


class Column:
    """Numbers that are appended; a view handed out stays as it was."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._array: npt.NDArray[Any] = np.empty(_FIRST_ROOM, dtype=dtype)
        self._length = 0

    def append(self, value: float) -> None:
        """One number more."""
        if self._length == len(self._array):
            self._array = np.concatenate([self._array, np.empty_like(self._array)])
        self._array[self._length] = value
        self._length += 1

    def view(self) -> npt.NDArray[Any]:
        """The numbers so far, read only."""
        view = self._array[: self._length]
        view.flags.writeable = False
        return view

    def __len__(self) -> int:
        return self._length


class _Rows:
    """Rows of equal width that are appended; a view handed out stays as it was.

    Args:
        width: Numbers of a row.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._array = np.empty((0, width), dtype=np.float32)
        self._length = 0

    def extend(self, rows: npt.NDArray[np.float32]) -> None:
        """Some rows more, (n, width)."""
        wanted = self._length + len(rows)
        if wanted > len(self._array):
            room = np.empty((wanted + wanted // 2, self.width), dtype=np.float32)
            room[: self._length] = self._array[: self._length]
            self._array = room
        self._array[self._length : wanted] = rows
        self._length = wanted

    def view(self) -> npt.NDArray[np.float32]:
        """The rows so far, read only."""
        view = self._array[: self._length]
        view.flags.writeable = False
        return view

    def __len__(self) -> int:
        return self._length


class _Scalars:
    """The scalar metrics of the epochs so far."""

    def __init__(self) -> None:
        self.epochs = Column(np.int64)
        self.seconds = Column(np.float64)
        self.images = Column(np.float64)
        self.attempts = Column(np.int64)
        self.last: Epoch | None = None
        self.matrices: dict[str, int] = {}
        """Matrix metric → epoch in which it was measured last."""
        self._metrics: dict[str, tuple[Column, Column]] = {}

    def add(self, epoch: Epoch) -> None:
        self.last = epoch
        self.epochs.append(epoch.number)
        self.seconds.append(epoch.worked)
        self.attempts.append(epoch.attempt)
        self.matrices.update(dict.fromkeys(epoch.matrices, epoch.number))
        per_second = epoch.scalars.get("time.images_per_second", 0.0)
        trained = per_second * epoch.scalars.get("time.epoch_seconds", 0.0)
        before = float(self.images.view()[-1]) if len(self.images) else 0.0
        self.images.append(before + round(trained if np.isfinite(trained) else 0.0))
        for name, value in epoch.scalars.items():
            pair = self._metrics.get(name)
            if pair is None:
                pair = self._metrics[name] = (Column(np.int64), Column(np.float64))
            pair[0].append(epoch.number)
            pair[1].append(value)

    def curves(self) -> dict[str, Curve]:
        return {name: Curve(x.view(), y.view()) for name, (x, y) in self._metrics.items()}


class Follower:
    """Follows one run; `read` gives what stands now. Belongs to the feed's thread.

    Args:
        run: The run; no other thread uses it.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._scalars = _Scalars()
        self._vectors: dict[str, _Rows] = {}
        self._matrices: _Matrices = {}
        self._counts: Floats | None = None
        self._asked_counts = False
        self._detail = RunDetail(run.id, 0)
        self._seen: object = None

    @property
    def run(self) -> Run:
        """The run."""
        return self._run

    def read(self, summary: RunSummary, wanted: frozenset[str]) -> RunDetail:
        """The run as it is now; the same object as before where nothing is new.

        Args:
            summary: Its row, which tells whether anything moved.
            wanted: Names of vector and matrix metrics that are looked at.
        """
        seen = (summary, wanted)
        if seen == self._seen:
            return self._detail
        try:
            self._detail = self._read(summary, wanted)
            self._seen = seen
        except (StoreReadError, OSError, MemoryError) as error:
            problem = plain(str(error))
            if problem != self._detail.problem:
                self._detail = RunDetail(self._run.id, self._detail.version + 1, problem=problem)
        return self._detail

    def _read(self, summary: RunSummary, wanted: frozenset[str]) -> RunDetail:
        run, before = self._run, self._detail
        history = run.history
        fresh = self._take_epochs(tuple(history.epochs.values()))
        metrics = dict(history.metrics)
        vectors, matrices, problem = self._arrays(wanted)
        heartbeat = None
        if not summary.settled:
            with contextlib.suppress(StoreReadError):
                heartbeat = run.heartbeat
        same = (
            not fresh
            and before.version > 0
            and before.problem == problem
            and before.asked == wanted
            and metrics.keys() == before.metrics.keys()
            and vectors.keys() == before.vectors.keys()
            and matrices.keys() == before.matrices.keys()
            and len(history.alerts) == len(before.alerts)
            and len(history.stages) == len(before.stages)
        )
        if same and heartbeat == before.heartbeat:
            return before
        return RunDetail(
            id=run.id,
            version=before.version if same else before.version + 1,
            metrics=metrics,
            epochs=self._scalars.epochs.view(),
            seconds=self._scalars.seconds.view(),
            images=self._scalars.images.view(),
            attempts=self._scalars.attempts.view(),
            scalars=before.scalars if same else self._scalars.curves(),
            vectors=vectors,
            matrices=matrices,
            asked=wanted,
            train_counts=self._train_counts() if vectors else self._counts,
            alerts=tuple(history.alerts),
            stages=tuple(history.stages),
            heartbeat=heartbeat,
            error=self._error(summary),
            problem=problem,
        )

    def _arrays(self, wanted: frozenset[str]) -> tuple[_Vectors, _Matrices, str]:
        """The vector and matrix metrics that are looked at, and what is wrong with one that cannot be read."""
        vectors: _Vectors = {}
        matrices: _Matrices = {}
        problem = ""
        for name in sorted(wanted):
            try:
                if self._axis(name) in ("class", "layer"):
                    vectors[name] = self._vector(name)
                elif (found := self._matrix(name)) is not None:
                    matrices[name] = found
            except StoreReadError as error:
                problem = plain(str(error))
        return vectors, matrices, problem

    def _take_epochs(self, epochs: tuple[Epoch, ...]) -> bool:
        """Append the epochs that are new; begin anew where some were taken back. Whether anything changed."""
        known = len(self._scalars.epochs)
        taken_back = len(epochs) < known or (known > 0 and epochs[known - 1] is not self._scalars.last)
        if taken_back:
            self._scalars, self._vectors, self._matrices = _Scalars(), {}, {}
            known = 0
        for epoch in epochs[known:]:
            self._scalars.add(epoch)
        return taken_back or len(epochs) > known

    def _axis(self, name: str) -> str:
        metric = self._run.history.metrics.get(name)
        return metric.axis if metric else ""

    def _vector(self, name: str) -> npt.NDArray[np.float32]:
        """The rows up to the last epoch; those that are there already are not read again."""
        metric, last = self._run.history.metrics[name], self._run.history.last_epoch
        rows = self._vectors.get(name)
        if rows is None or rows.width != metric.width:
            rows = self._vectors[name] = _Rows(metric.width)
        if len(rows) < last:
            rows.extend(arrays.read_rows(self._run.path, metric.file, metric.width, len(rows), last))
        return rows.view()

    def _matrix(self, name: str) -> tuple[int, npt.NDArray[np.float32]] | None:
        if self._axis(name) != "matrix":
            return None
        measured = self._scalars.matrices.get(name)
        if measured is None:
            return None
        have = self._matrices.get(name)
        if have is None or have[0] != measured:
            have = self._matrices[name] = (measured, self._run.matrix(name, measured))
        return have

    def _train_counts(self) -> Floats | None:
        """n_k: of the predictions, else as the split rule makes them; asked once."""
        if self._counts is None and not self._asked_counts:
            self._asked_counts = True
            try:
                self._counts = self._run.classifier().train_counts.astype(np.float64)
            except StoreReadError:
                self._counts = _planned_counts(self._run)
        return self._counts

    def _error(self, summary: RunSummary) -> str:
        if summary.state not in ("failed", "crashed"):
            return ""
        with contextlib.suppress(StoreReadError):
            result = self._run.result
            if result is not None and result.error:
                return result.error
        end = self._run.history.end
        return end.error if end else ""


def _planned_counts(run: Run) -> Floats | None:
    from wbtui.data.available import planned_splits

    try:
        plan = planned_splits(run.run_config().data)
    except (UsageError, StoreReadError, OSError, ValueError):
        return None
    return None if plan is None else np.asarray(plan.train_counts, dtype=np.float64)


def last_measured(
    rows: npt.NDArray[np.float32], epoch: float | None
) -> tuple[int, npt.NDArray[np.float32]] | None:
    """The row of a vector metric measured last up to an epoch: its epoch and (width,).

    Args:
        rows: (E, width), NaN rows where nothing was measured.
        epoch: None: the last of all.
    """
    end = len(rows) if epoch is None else int(min(max(epoch, 0), len(rows)))
    for index in range(end - 1, -1, -1):
        if not np.isnan(rows[index]).all():
            return index + 1, rows[index]
    return None

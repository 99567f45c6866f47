"""What does a run folder say? Typed, without torch, without trusting a byte of it."""

import contextlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wbtui.errors import UsageError
from wbtui.store import arrays, bounded, jsonio, notes, records
from wbtui.store.config_words import mistakes
from wbtui.store.errors import StoreReadError
from wbtui.store.events import EventReader, LineReader
from wbtui.store.facts import gather_facts
from wbtui.store.format import (
    CONFIG,
    DERIVED,
    LOG,
    PROVENANCE,
    SYSTEM,
    Heartbeat,
    Metric,
    Notes,
    ProcessInfo,
    Result,
    RunState,
)
from wbtui.store.history import Epoch, History
from wbtui.store.predictions import (
    Classifier,
    PredictionsMeta,
    SplitPredictions,
    read_classifier,
    read_meta,
    read_split,
)
from wbtui.store.state import derive_state
from wbtui.store.text import plain

if TYPE_CHECKING:
    from wbtui.config import RunConfig

_MAX_SAMPLES = 20_000  # of system.jsonl are kept, the latest
_MAX_DERIVED = 1_000


@dataclass(frozen=True)
class Series:
    """A vector metric over the epochs."""

    epochs: npt.NDArray[np.int64]
    """(E,) epoch numbers 1..E."""
    values: npt.NDArray[np.float32]
    """(E, width); NaN where it was not measured."""
    names: tuple[str, ...]
    """Names of the entries; empty: numbered."""


class Run:
    """One run folder, read when asked; what grows is read on from where the last call stopped.

    Not for several threads at once. Everything raises StoreReadError for what is missing or broken, and
    nothing else. Text is as it stands in the files: show it through `text.plain`.

    Args:
        path: The run folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        self._events = EventReader(path)
        self._history = History()
        self._system = LineReader(path, SYSTEM)
        self._samples: list[Mapping[str, Any]] = []

    @property
    def config(self) -> Mapping[str, Any]:
        """config.toml as it stands."""
        try:
            return bounded.read_toml(self.path, CONFIG)
        except FileNotFoundError:
            raise StoreReadError(f"{bounded.shown(self.path)}: not a run folder: no {CONFIG}") from None

    def run_config(self) -> "RunConfig":
        """config.toml, checked and typed, defaults filled in."""
        from pydantic import ValidationError  # which a listing of runs does without

        from wbtui.config import RunConfig

        try:
            return RunConfig.model_validate_json(jsonio.encode(self.config))  # TOML has lists, not tuples
        except ValidationError as error:
            raise StoreReadError(f"{bounded.shown(self.path, CONFIG)}: {plain(mistakes(error))}") from None
        except (ValueError, TypeError, RecursionError, UsageError) as error:
            raise StoreReadError(
                f"{bounded.shown(self.path, CONFIG)}: {plain(str(error), lines=True)}"
            ) from error

    @property
    def provenance(self) -> Mapping[str, Any]:
        """provenance.json; empty where there is none."""
        try:
            return bounded.read_json(self.path, PROVENANCE)
        except FileNotFoundError:
            return {}

    @property
    def history(self) -> History:
        """The events so far, folded; asks the file for new ones."""
        more = True
        while more:
            batch = self._events.poll()
            if batch.restarted:
                self._history = History()
            self._history.extend(batch.events)
            more = batch.more
        return self._history

    @property
    def bad_lines(self) -> int:
        """Lines of events.jsonl that were skipped because they were no event."""
        return self._events.bad_lines

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Declared metrics by name."""
        return self.history.metrics

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """The epochs that stand, ascending."""
        return tuple(self.history.epochs.values())

    def scalars(self, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """A scalar metric: epoch numbers (E,) and values (E,) of the epochs in which it was measured."""
        pairs = [(epoch.number, epoch.scalars[name]) for epoch in self.epochs if name in epoch.scalars]
        numbers, values = zip(*pairs, strict=True) if pairs else ((), ())
        return np.array(numbers, dtype=np.int64), np.array(values, dtype=np.float64)

    def series(self, name: str) -> Series:
        """A vector metric: a row an epoch up to the last `epoch` event."""
        metric = self._metric(name, ("class", "layer"))
        rows = arrays.read_rows(self.path, metric.file, metric.width, 0, self.history.last_epoch)
        return Series(np.arange(1, len(rows) + 1), rows, metric.names)

    def matrix_epochs(self, name: str) -> tuple[int, ...]:
        """The epochs in which a matrix metric was measured."""
        return tuple(epoch.number for epoch in self.epochs if name in epoch.matrices)

    def matrix(self, name: str, epoch: int | None = None) -> npt.NDArray[np.float32]:
        """A matrix metric (width, width) measured in `epoch`; None: in the last one in which it was."""
        metric = self._metric(name, ("matrix",))
        wanted = epoch if epoch is not None else next(reversed(self.matrix_epochs(name)), 0)
        one = self.history.epochs.get(wanted)
        if one is None or name not in one.matrices:
            raise StoreReadError(f"{bounded.shown(self.path)}: {name} was not measured in epoch {wanted}")
        row = one.matrices[name]
        rows = arrays.read_rows(self.path, metric.file, metric.width**2, row, row + 1)
        if len(rows) != 1:
            raise StoreReadError(f"{bounded.shown(self.path, metric.file)}: cut off before row {row}")
        return rows.reshape(metric.width, metric.width)

    def _metric(self, name: str, axes: tuple[str, ...]) -> Metric:
        metric = self.metrics.get(name)
        if metric is None or metric.axis not in axes:
            raise StoreReadError(f"{bounded.shown(self.path)}: no {' or '.join(axes)} metric {plain(name)!r}")
        return metric

    def predictions(self, split: str) -> SplitPredictions:
        """Logits (N, C) and labels (N,) of a split."""
        return read_split(self.path, split)

    def classifier(self) -> Classifier:
        """Training counts, class-mean feature norms, classifier norms and bias."""
        return read_classifier(self.path)

    def predictions_meta(self) -> PredictionsMeta:
        """Which weights made the predictions, and which splits there are."""
        return read_meta(self.path)

    @property
    def process(self) -> ProcessInfo | None:
        """process.json; None where there is none."""
        return records.read_process(self.path)

    @property
    def heartbeat(self) -> Heartbeat | None:
        """heartbeat.json; None where there is none."""
        return records.read_heartbeat(self.path)

    @property
    def result(self) -> Result | None:
        """result.json of the last attempt; None where there is none."""
        return records.read_result(self.path)

    @property
    def notes(self) -> Notes:
        """Tags, note and star."""
        return notes.read_notes(self.path)

    def state(self) -> RunState:
        """What the run is doing now, with the evidence in words."""
        history = self.history
        return derive_state(gather_facts(self.path, history.attempt, history.end))

    def log_tail(self, lines: int = 200, limit: int = 256 << 10) -> tuple[str, ...]:
        """The last lines of output.log, at most `limit` bytes of it, made harmless to a terminal."""
        try:
            with bounded.open_regular(self.path, LOG) as file:
                size = os.fstat(file.fileno()).st_size
                data = os.pread(file.fileno(), limit, max(0, size - limit))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StoreReadError(
                f"{bounded.shown(self.path, LOG)}: cannot be read: {error.strerror}"
            ) from error
        text = data.decode("utf-8", errors="replace").replace("\r\n", "\n")
        return tuple(plain(line.rsplit("\r", 1)[-1]) for line in text.removesuffix("\n").split("\n")[-lines:])

    def system_samples(self) -> tuple[Mapping[str, Any], ...]:
        """The samples of system.jsonl, the latest 20,000; asks the file for new ones."""
        more = True
        while more:
            lines, restarted, more = self._system.read_lines(4 << 20)
            if restarted:
                self._samples.clear()
            for line in lines:
                try:
                    sample = jsonio.decode(line)
                except ValueError:
                    continue
                if isinstance(sample, dict):
                    self._samples.append(sample)
            del self._samples[:-_MAX_SAMPLES]
        return tuple(self._samples)

    def derived_names(self) -> list[str]:
        """The files under derived/ that may be saved results, without .json, whether or not they can be read."""
        names = bounded.names(self.path, DERIVED)[:_MAX_DERIVED]
        return [
            name.removesuffix(".json")
            for name in names
            if name.endswith(".json") and not name.startswith(".")
        ]

    def derived(self) -> Mapping[str, Mapping[str, Any]]:
        """The saved results under derived/, by file name without .json; broken ones are left out."""
        found: dict[str, Mapping[str, Any]] = {}
        for name in self.derived_names():
            with contextlib.suppress(StoreReadError, FileNotFoundError):
                found[name] = bounded.read_json(self.path, f"{DERIVED}/{name}.json")
        return found


def open_run(path: Path) -> Run:
    """The run in a folder; nothing of it is read yet but that it has a config.toml.

    Args:
        path: A run folder; resolve what a person typed with `ids.resolve_run`.

    Raises:
        StoreReadError: no folder, no run folder, or one that may not be looked into.
    """
    try:
        path = path.resolve(strict=True)
        is_run = stat.S_ISREG((path / CONFIG).lstat().st_mode)
    except PermissionError as error:
        raise StoreReadError(f"{plain(str(path))}: cannot be read: {error.strerror}") from None
    except (OSError, ValueError, RuntimeError):
        is_run = False
    if not is_run:
        raise StoreReadError(f"{plain(str(path))}: not a run folder: expected a folder with a {CONFIG}")
    return Run(path)

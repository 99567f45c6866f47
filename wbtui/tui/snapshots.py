"""What does the feed hand to the screen? Frozen, so that a screen may read it while the next one is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import is_not
from typing import Any

import numpy as np
import numpy.typing as npt

from wbtui.report.table import Table
from wbtui.store.format import Heartbeat, Metric
from wbtui.store.history import Alert
from wbtui.store.summary import RunSummary

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Curve:
    """One scalar metric of one run: the epochs in which it was measured, NaN and infinities included."""

    epochs: Integers
    """(n,) ascending."""
    values: Floats
    """(n,)"""

    def at(self, epoch: float) -> float:
        """The value measured last up to an epoch; NaN before the first."""
        index = int(np.searchsorted(self.epochs, epoch, side="right")) - 1
        return float(self.values[index]) if index >= 0 else float("nan")


NO_CURVE = Curve(np.zeros(0, dtype=np.int64), np.zeros(0))


@dataclass(frozen=True, eq=False)
class RunDetail:
    """A run that is looked at, as far as it has come."""

    id: str
    version: int
    """Another one when anything below differs."""
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    epochs: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """(E,) numbers of the epochs that stand."""
    seconds: Floats = field(default_factory=lambda: np.zeros(0))
    """(E,) end of each epoch, in seconds of work; what lies between attempts is left out."""
    images: Floats = field(default_factory=lambda: np.zeros(0))
    """(E,) images trained on up to the end of each epoch."""
    attempts: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """(E,) number of the attempt that measured each epoch; empty where nobody counts them."""
    scalars: Mapping[str, Curve] = field(default_factory=dict)
    vectors: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    """Vector metrics that the screen asked for: (E, width), row r of epoch r + 1."""
    matrices: Mapping[str, tuple[int, npt.NDArray[np.float32]]] = field(default_factory=dict)
    """Matrix metrics that the screen asked for: the epoch and (C, C)."""
    asked: frozenset[str] = frozenset()
    """Names of the vector and matrix metrics that were looked for, measured or not."""
    train_counts: Floats | None = None
    """(C,) n_k where they are known."""
    alerts: tuple[Alert, ...] = ()
    stages: tuple[Mapping[str, Any], ...] = ()
    heartbeat: Heartbeat | None = None
    error: str = ""
    """The traceback of a failed run."""
    problem: str = ""
    """Why there is no more than this; empty: nothing is wrong."""

    def curve(self, name: str) -> Curve:
        """A scalar metric; an empty curve where it was never measured."""
        return self.scalars.get(name, NO_CURVE)


@dataclass(frozen=True)
class Machine:
    """What this machine is doing."""

    cpu_percent: float
    memory_bytes: int
    gpu: Mapping[str, float] = field(default_factory=dict)
    """percent, memory_bytes, memory_total_bytes, watts, celsius; as far as they are known."""


@dataclass(frozen=True, eq=False)
class RunFiles:
    """What the page of one run shows beside its measurements."""

    id: str
    overview: tuple[Table, ...] = ()
    """What `wbtui show` says of it."""
    config: tuple[tuple[str, str], ...] = ()
    """Dotted key and value as text."""
    provenance: tuple[tuple[str, str], ...] = ()
    log: tuple[str, ...] = ()
    """The last lines of output.log, harmless to a terminal."""
    events: tuple[str, ...] = ()
    """What happened to it, a line each with its time, harmless too."""
    samples: tuple[Mapping[str, Any], ...] = ()
    """Of system.jsonl; not to be trusted."""
    problems: tuple[str, ...] = ()


PAUSED, NO_WORKER = "paused", "no worker"


@dataclass(frozen=True)
class Snapshot:
    """The runs folder at one moment."""

    rows: tuple[RunSummary, ...] = ()
    """By id, that is by time."""
    details: Mapping[str, RunDetail] = field(default_factory=dict)
    machine: Machine | None = None
    """None while nothing runs here."""
    files: RunFiles | None = None
    """Of the run whose page is open."""
    loaded: bool = False
    """Whether the folder was read at all."""
    problem: str = ""
    """Why the folder cannot be read."""
    by_id: Mapping[str, RunSummary] = field(default_factory=dict)
    """The rows by run id."""
    queue: str = ""
    """Why runs that wait are not started: PAUSED or NO_WORKER; empty: none waits, or they are."""


def other_rows(before: Sequence[RunSummary], after: Sequence[RunSummary]) -> list[RunSummary]:
    """The rows that are not the same objects as before, found fast: nearly all are, and there may be a thousand."""
    if len(before) == len(after):
        return list(compress(after, map(is_not, before, after)))
    known = set(map(id, before))
    return [row for row in after if id(row) not in known]

"""What stands in a run folder: which files, which fields, which limits?

docs/run-folder.md is this file in words. Every reader and writer takes its names from here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

FORMAT_VERSION = 1
"""`v` of every event, and `version` of every JSON file with one."""

CONFIG = "config.toml"
PROVENANCE = "provenance.json"
PROCESS = "process.json"
EVENTS = "events.jsonl"
HEARTBEAT = "heartbeat.json"
SERIES = "series"
MATRICES = "matrices"
PREDICTIONS = "predictions"
PREDICTIONS_META = "predictions/meta.json"
CHECKPOINT = "checkpoint.pt"
BEST_CHECKPOINT = "best.pt"
SYSTEM = "system.jsonl"
LOG = "output.log"
RESULT = "result.json"
NOTES = "notes.json"
QUEUE = "queue.json"
CONTROL = "control"
STOP = "control/stop"
DERIVED = "derived"
ATTEMPTS = "attempts"
BIN = ".bin"
"""The folder beside the runs into which removed runs go."""

MAX_SMALL_FILE = 4 << 20
"""Bytes of a JSON or TOML file that is read."""
MAX_LINE = 1 << 20
"""Bytes of one line of a .jsonl file; longer ones are bad lines."""
MAX_LOG = 128 << 20
"""Bytes of a .jsonl file that is read."""
MAX_ARRAY = 2 << 30
"""Bytes of one array that is read."""
MAX_DEPTH = 32
"""Nesting of JSON."""
MAX_EPOCHS = 1_000_000
MAX_WIDTH = 1_000_000
MAX_METRICS = 2_000
MAX_TEXT = 20_000
"""Characters of a note."""

METRIC_NAME = re.compile(r"[a-z0-9_]{1,40}(\.[a-z0-9_]{1,40}){0,5}(@(class|layer))?", re.ASCII)
"""A metric's name becomes a file name: this is all it may be."""
SPLIT_NAME = re.compile(r"[a-z0-9_]{1,40}", re.ASCII)

Phase = Literal["starting", "data", "preparing", "training", "evaluation", "checkpoint", "ending"]
"""What a trainer is doing; `batch` is null in phases without batches."""
Outcome = Literal["finished", "stopped", "failed", "crashed"]
"""How an attempt ended; an `end` event knows the first three, only a waiter sees a crash."""
StateName = Literal[
    "queued",
    "starting",
    "running",
    "stalled",
    "stopping",
    "ending",
    "finished",
    "stopped",
    "failed",
    "crashed",
    "unknown",
]
Axis = Literal["scalar", "class", "layer", "matrix"]
Better = Literal["higher", "lower", "none"]

PHASES: tuple[str, ...] = get_args(Phase)
OUTCOMES: tuple[str, ...] = get_args(Outcome)
STATES: tuple[str, ...] = get_args(StateName)
AXES: tuple[str, ...] = get_args(Axis)
TERMINAL = frozenset(OUTCOMES)
LIVING = frozenset({"starting", "running", "stalled", "stopping", "ending"})

EVENT_TYPES = ("start", "resume", "define", "stage", "epoch", "alert", "checkpoint", "stop", "end")


@dataclass(frozen=True)
class Metric:
    """The declaration of one measured quantity; a `define` event."""

    name: str
    """Matches METRIC_NAME; `@class` or `@layer` at its end names the axis of a vector."""
    family: str
    """What it is a kind of, e.g. accuracy, fdr, feature_norm; metrics of one family share a panel."""
    unit: str = ""
    """fraction, nats, images/s, ...; empty: none."""
    better: Better = "none"
    """Which way is better."""
    group: str = ""
    """many, medium, few or all, where it is one of those; else empty."""
    axis: Axis = "scalar"
    """scalar; class or layer: one float32 row an epoch; matrix: C x C float32 at some epochs."""
    width: int = 1
    """Entries of a row; of a matrix: rows and columns."""
    names: tuple[str, ...] = ()
    """Names of the entries along the axis; empty: numbered."""

    def __post_init__(self) -> None:
        if len(self.name) > 120 or not METRIC_NAME.fullmatch(self.name):
            raise ValueError(f"metric name {self.name[:130]!r}: expected words of a-z, 0-9, _ joined by dots")
        if self.axis not in AXES or self.better not in get_args(Better):
            raise ValueError(f"metric {self.name}: axis {self.axis!r}, better {self.better!r} are not known")
        if not 1 <= self.width <= MAX_WIDTH or (self.axis == "scalar" and self.width != 1):
            raise ValueError(f"metric {self.name}: width {self.width} does not fit axis {self.axis}")
        if self.names and len(self.names) != self.width:
            raise ValueError(f"metric {self.name}: {len(self.names)} names for width {self.width}")

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of its file."""
        return 4 * (self.width**2 if self.axis == "matrix" else self.width)

    @property
    def file(self) -> str:
        """Its file, relative to the run folder."""
        return f"{MATRICES if self.axis == 'matrix' else SERIES}/{self.name}.f32"


@dataclass(frozen=True)
class Event:
    """One line of events.jsonl."""

    seq: int
    """Counts 0, 1, 2 ... over all attempts."""
    time: float
    """Unix seconds."""
    type: str
    fields: Mapping[str, Any]
    """Everything else on the line, as parsed: not to be trusted."""


@dataclass(frozen=True)
class ProcessInfo:
    """Who works on the run now; process.json."""

    attempt: int
    """1 for the first; a resume is the next."""
    host: str
    device: str = ""
    pid: int | None = None
    """The trainer; None until the waiter has started it."""
    created: float | None = None
    """Creation time of the trainer, Unix seconds as psutil tells it."""
    waiter_pid: int | None = None
    """None where the trainer was started without a waiter."""
    waiter_created: float | None = None
    process_group: int | None = None
    boot_time: float | None = None
    """Boot time of the host, Unix seconds as psutil told it when the creation times were read."""
    boot_id: str = ""
    """The kernel's id of this boot, where it has one: a clock that is set moves boot_time, not this."""
    pid_namespace: str = ""
    """The kernel's name of the process table that the pids are of: a container has its own."""
    written: float = 0.0
    """Unix seconds at which this file was written."""


@dataclass(frozen=True)
class Heartbeat:
    """What the trainer was doing a moment ago; heartbeat.json."""

    attempt: int
    pid: int
    phase: Phase
    epoch: int
    """The epoch in work, 1...; 0 before the first."""
    batch: int | None
    """Batches done in this phase; None in a phase without batches."""
    images_per_second: float
    median_step_seconds: float
    """Median duration of recent steps; 0 before there are any."""
    time: float
    """Unix seconds of this heartbeat."""
    still_seconds: float
    """Seconds since phase, epoch or batch last changed."""
    monotonic: float = 0.0
    """time.monotonic() of this heartbeat: readers on the same boot measure age by it; 0: not known."""
    batches: int | None = None
    """Batches in this phase, where known."""


@dataclass(frozen=True)
class Result:
    """How an attempt ended; result.json, its last file."""

    attempt: int
    outcome: Outcome
    reason: str
    """In words: 'all epochs done', 'stopped by control/stop', 'killed by signal 9', a traceback's end."""
    exit_code: int | None = None
    signal: int | None = None
    started: float = 0.0
    """Unix seconds."""
    ended: float = 0.0
    epoch: int = 0
    """Epochs done."""
    final: Mapping[str, float] | None = None
    """Metric name → value of the weights that the predictions come from."""
    best: Mapping[str, float] | None = None
    """Metric name → value at the epoch that validation prefers."""
    best_epoch: int | None = None
    error: str = ""
    """The traceback of a failed run."""

    @property
    def seconds(self) -> float:
        """Duration of the attempt."""
        return max(0.0, self.ended - self.started)


@dataclass(frozen=True)
class RunState:
    """What a run is doing, and how that is known."""

    name: StateName
    evidence: str
    """In words, e.g. 'heartbeat 42 s old, pid 2213 alive'."""
    settled: bool = False
    """Whether it changes only when the run's files do: result.json says so, or the trainer is certainly dead."""

    @property
    def terminal(self) -> bool:
        """Whether nothing works on the run any more."""
        return self.name in TERMINAL

    @property
    def living(self) -> bool:
        """Whether a process may be working on the run."""
        return self.name in LIVING


@dataclass(frozen=True)
class Notes:
    """What a person wrote about a run; notes.json."""

    note: str = ""
    tags: tuple[str, ...] = ()
    """Sorted, without duplicates."""
    star: bool = False

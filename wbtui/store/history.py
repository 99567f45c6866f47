"""What do the events say together, once resumes have superseded what came before them?"""

import sys
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from wbtui.store import jsonio
from wbtui.store.format import (
    MAX_EPOCHS,
    MAX_METRICS,
    METRIC_NAME,
    OUTCOMES,
    Axis,
    Better,
    Event,
    Metric,
    Outcome,
)
from wbtui.store.scalars import Scalars
from wbtui.store.tally import Tally

_METRIC_DEFAULTS = {"name": "", "family": "", "unit": "", "better": "none", "group": "", "axis": "scalar"}
_MAX_STAGES = 64
_MAX_ALERTS = 10_000
_WORK = frozenset({"epoch", "checkpoint", "stop", "end"})
"""Events that only a trainer at work writes; others may come before an attempt's resume event."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch's measurements."""

    number: int
    """1.. over all stages together; its series row is number - 1."""
    stage: int
    """Index of its stage, from 0."""
    time: float
    """Unix seconds at its end."""
    scalars: Mapping[str, float]
    vectors: frozenset[str]
    """Vector metrics measured in this epoch."""
    matrices: Mapping[str, int]
    """Matrix metrics measured in this epoch → row in their file."""
    attempt: int = 1
    """Number of the attempt that measured it."""
    worked: float = 0.0
    """Seconds of work up to its end, over all attempts; what lies between attempts is left out."""


@dataclass(frozen=True)
class End:
    """The trainer's own word on how the attempt ended."""

    outcome: Outcome
    reason: str = ""
    time: float = 0.0
    final: Mapping[str, float] = field(default_factory=dict)
    best: Mapping[str, float] = field(default_factory=dict)
    best_epoch: int | None = None
    error: str = ""


@dataclass(frozen=True)
class Alert:
    """Something that the trainer noticed, e.g. a loss that is NaN."""

    time: float
    epoch: int | None
    kind: str
    message: str


def is_metric_name(name: str) -> bool:
    """Whether a name may be a metric's."""
    return len(name) <= 120 and METRIC_NAME.fullmatch(name) is not None


def metric_from(fields: Mapping[str, Any]) -> Metric | None:
    """The metric that a `define` event declares, or None if it declares none."""
    text = {key: fields.get(key, default) for key, default in _METRIC_DEFAULTS.items()}
    names, width = fields.get("names", []), fields.get("width", 1)
    if (
        not all(isinstance(item, str) and len(item) <= 200 for item in text.values())
        or type(width) is not int
    ):
        return None
    if not isinstance(names, list) or not all(isinstance(item, str) and len(item) <= 200 for item in names):
        return None
    try:
        return Metric(
            name=text["name"],
            family=text["family"],
            unit=text["unit"],
            better=cast(Better, text["better"]),
            group=text["group"],
            axis=cast(Axis, text["axis"]),
            width=width,
            names=tuple(names),
        )
    except ValueError:
        return None


def _count(value: object, least: int) -> int | None:
    return value if type(value) is int and least <= value <= MAX_EPOCHS else None


def _text(value: object, limit: int = 20_000) -> str:
    return value[:limit] if isinstance(value, str) else ""


class History:
    """Folds events, one by one, into what stands now.

    A `resume` event takes back epochs, alerts and stages later than its `from_epoch`, and the end and stop of
    the attempt before. An epoch that comes again takes back the earlier one and those after it.

    Attributes:
        metrics: Declared metrics by name.
        start: Fields of the `start` event.
        started: Unix seconds of that event.
        attempt: Number of the attempt that the last event belongs to; 0 before any.
        work: Number of an attempt → seconds from its start or resume event to its last sign of work.
        taken_over: Number of the last epoch that another run has trained; 0: none.
        epochs: Epochs that stand, by number, ascending.
        tally: What they come to.
        stages: Fields of the `stage` events that stand.
        alerts: Alerts that stand.
        checkpoint: Fields of the last `checkpoint` event.
        end: How the trainer says this attempt ended, if it does.
        stop: Fields of this attempt's `stop` event.
        last_time: Unix seconds of the last event.
        next_seq: One more than the largest `seq` seen.
        strange: Events of a known type whose content made no sense.
    """

    def __init__(self) -> None:
        self.metrics: dict[str, Metric] = {}
        self.start: Mapping[str, Any] = {}
        self.started = 0.0
        self.attempt = 0
        self.work: dict[int, float] = {}
        self._begun: float | None = None  # when the attempt at work began
        self.taken_over = 0
        self.epochs: dict[int, Epoch] = {}
        self._places: dict[tuple[str, ...], Mapping[str, int]] = {}
        self._measured: dict[frozenset[str], frozenset[str]] = {}
        self.tally = Tally()
        self.stages: list[Mapping[str, Any]] = []
        self.alerts: list[Alert] = []
        self.checkpoint: Mapping[str, Any] = {}
        self.end: End | None = None
        self.stop: Mapping[str, Any] | None = None
        self.last_time = 0.0
        self.next_seq = 0
        self.strange = 0

    @property
    def last_epoch(self) -> int:
        """Number of the last epoch that stands; 0 before any."""
        return next(reversed(self.epochs), 0)

    @property
    def worked(self) -> float:
        """Seconds of work so far, over all attempts."""
        return sum(self.work.values())

    def extend(self, events: Iterable[Event]) -> None:
        """Take these events in."""
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Take one event in; a type that is not known here is passed over."""
        self.next_seq = max(self.next_seq, event.seq + 1)
        self.last_time = event.time
        if event.type in _WORK:
            self._worked_until(event.time)
        match event.type:
            case "epoch":
                self._add_epoch(event)
            case "define":
                self._add_metric(event)
            case "start" | "resume":
                self._begin(event)
            case "stage":
                self._add_stage(event.fields)
            case "alert":
                self._add_alert(event)
            case "checkpoint":
                self.checkpoint = event.fields
            case "stop":
                self.stop = event.fields
            case "end":
                self._add_end(event)

    def _worked_until(self, now: float) -> None:
        if self._begun is None:  # the event that began it is lost
            self._begun = now
        before = self.work.get(self.attempt, 0.0)
        self.work[self.attempt] = max(before, now - self._begun)  # a clock set back takes nothing away

    def _add_metric(self, event: Event) -> None:
        metric = metric_from(event.fields)
        if metric is None or len(self.metrics) >= MAX_METRICS:
            self.strange += 1
        else:
            self.metrics[metric.name] = metric

    def _add_epoch(self, event: Event) -> None:
        number, stage = _count(event.fields.get("epoch"), 1), _count(event.fields.get("stage", 0), 0)
        if number is None or stage is None:
            self.strange += 1
            return
        self._take_back(number - 1)
        scalars = {
            name: value
            for name, value in jsonio.numbers(event.fields.get("scalars")).items()
            if name in self.metrics or is_metric_name(name)
        }
        vectors, matrices = event.fields.get("vectors"), event.fields.get("matrices")
        self.epochs[number] = Epoch(
            number,
            stage,
            event.time,
            self._kept(scalars),
            self._one_of_equals(vectors),
            {sys.intern(name): row for name, row in matrices.items() if _count(row, 0) is not None}
            if isinstance(matrices, dict)
            else {},
            attempt=max(self.attempt, 1),
            worked=self.worked,
        )
        self.tally.add(number, stage, scalars)

    def _kept(self, scalars: Mapping[str, float]) -> Scalars:
        """The scalars of an epoch: nearly all epochs have the same names, and share one table of them."""
        names = tuple(scalars)
        places = self._places.setdefault(names, {name: place for place, name in enumerate(names)})
        return Scalars(places, array("d", [*scalars.values()]))

    def _one_of_equals(self, vectors: object) -> frozenset[str]:
        """The names of an epoch's vectors: nearly all epochs have the same, and share one set of them."""
        names = vectors if isinstance(vectors, list) else ()
        found = frozenset(name for name in names if isinstance(name, str))
        return self._measured.setdefault(found, found)

    def _add_stage(self, fields: Mapping[str, Any]) -> None:
        """A stage that was resumed in its middle says so again: the later event replaces the earlier one."""
        index = fields.get("stage")
        others = [stage for stage in self.stages if stage.get("stage") != index]
        self.stages = [*others, fields][-_MAX_STAGES:]

    def _add_alert(self, event: Event) -> None:
        fields = event.fields
        alert = Alert(
            event.time,
            _count(fields.get("epoch"), 0),
            _text(fields.get("kind"), 100),
            _text(fields.get("message")),
        )
        if len(self.alerts) < _MAX_ALERTS:
            self.alerts.append(alert)

    def _begin(self, event: Event) -> None:
        self.attempt = _count(event.fields.get("attempt"), 1) or self.attempt + 1
        self.end = self.stop = None
        self._begun = event.time
        if event.type == "start":
            self.start, self.started = event.fields, event.time
            self.taken_over = self.last_epoch
            return
        from_epoch = _count(event.fields.get("from_epoch"), 0)
        if from_epoch is None:
            self.strange += 1
            return
        self._take_back(from_epoch)
        self.alerts = [alert for alert in self.alerts if alert.epoch is None or alert.epoch <= from_epoch]
        self.stages = [
            stage for stage in self.stages if (_count(stage.get("first_epoch"), 1) or 1) <= from_epoch
        ]

    def _take_back(self, last: int) -> None:
        if self.last_epoch <= last:
            return
        while self.last_epoch > last:
            self.epochs.popitem()
        self.tally = Tally()
        for epoch in self.epochs.values():
            self.tally.add(epoch.number, epoch.stage, epoch.scalars)

    def _add_end(self, event: Event) -> None:
        fields = event.fields
        outcome = fields.get("outcome")
        if outcome not in OUTCOMES:
            self.strange += 1
            return
        self.end = End(
            outcome=cast(Outcome, outcome),
            reason=_text(fields.get("reason")),
            time=event.time,
            final=jsonio.numbers(fields.get("final")),
            best=jsonio.numbers(fields.get("best")),
            best_epoch=_count(fields.get("best_epoch"), 1),
            error=_text(fields.get("error"), 100_000),
        )

"""Where does a run stand right now? Its files, put together for whoever shows it."""

import bisect
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeVar

from wbtui.errors import UsageError
from wbtui.launch.identity import waiter_lives
from wbtui.launch.queue_files import waits_again
from wbtui.launch.resume import config_of
from wbtui.report.telling import told_apart
from wbtui.report.values import counted
from wbtui.store.errors import StoreReadError
from wbtui.store.format import Heartbeat, Result, RunState
from wbtui.store.history import Epoch, History
from wbtui.store.reader import Run
from wbtui.store.setting import IMPORTED
from wbtui.store.summary import summarise
from wbtui.store.text import plain

_RECENT = 20

Found = TypeVar("Found")


@dataclass(frozen=True)
class Labels:
    """What a run is, in words."""

    id: str
    preset: str
    variant: str
    seed: int
    name: str
    epochs: int
    """Of all stages."""

    stages: tuple[str, ...]
    stage_epochs: tuple[int, ...] = ()
    """Of each stage."""

    apart: str = ""
    """What tells it from those of its method that are followed with it, `wd=0.001`."""

    def stage_words(self, epoch: int) -> str:
        """` (stage 1 of 2: representation, 200 epochs)`, in which an epoch is; empty where there is one stage alone."""
        if len(self.stages) < 2:
            return ""
        ends = list(itertools.accumulate(self.stage_epochs))
        index = min(bisect.bisect_left(ends, epoch), len(ends) - 1)
        of = f"stage {index + 1} of {len(ends)}"
        return plain(f" ({of}: {self.stages[index]}, {counted(self.stage_epochs[index], 'epoch')})")

    def __str__(self) -> str:
        words = (self.preset, self.variant, self.apart, f"seed {self.seed}", self.name)
        return plain(" ".join(word for word in words if word))


@dataclass(frozen=True)
class Standing:
    """One look at a run."""

    run: Run
    labels: Labels
    state: RunState
    history: History
    heartbeat: Heartbeat | None
    result: Result | None
    started: float
    """Unix seconds at which the attempt at work was started; 0: not yet."""

    @property
    def waits(self) -> bool:
        """Whether it waits in the queue: for its first start or, crashed, to be tried again."""
        name = self.state.name
        return name == "queued" or (name == "crashed" and waits_again(self.run.path))

    @property
    def over(self) -> bool:
        """Whether nothing will change any more: it ended, and result.json is written or nobody is left to."""
        ended = self.state.terminal and (self.state.settled or not waiter_lives(self.run.path))
        return ended and not self.waits

    @property
    def epoch(self) -> Epoch | None:
        """The last epoch that stands."""
        return next(reversed(self.history.epochs.values()), None)

    @property
    def epochs_done(self) -> int:
        """Epochs that stand."""
        return self.history.last_epoch

    @property
    def batch_share(self) -> float:
        """How much of the epoch in work is done, 0 to 1."""
        beat = self.heartbeat
        if beat is None or beat.epoch != self.epochs_done + 1 or beat.phase != "training":
            return 0.0
        return min(1.0, (beat.batch or 0) / beat.batches) if beat.batches else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the last epoch ends, from the median of recent ones; None: too early to say."""
        times = [epoch.time for epoch in self.history.epochs.values() if epoch.time >= self.started]
        times = times[-_RECENT - 1 :]
        steps = [after - before for before, after in itertools.pairwise(times)]
        if not steps:
            return None
        return max(0.0, median(steps) * (self.labels.epochs - self.epochs_done - self.batch_share))


def labels_of(run: Run) -> Labels:
    """What a run is, from its configuration; a broken one leaves gaps."""
    try:
        config = config_of(run.path)
    except UsageError:
        return Labels(run.id, "", "", 0, "", run.history.last_epoch, ())
    if config.preset == IMPORTED:  # what else its configuration says is nobody's training
        return Labels(run.id, IMPORTED, config.variant, config.seed, config.name, run.history.last_epoch, ())
    return Labels(
        id=run.id,
        preset=config.preset or config.data.source,
        variant=config.variant,
        seed=config.seed,
        name=config.name,
        epochs=config.total_epochs,
        stages=tuple(stage.name for stage in config.stages),
        stage_epochs=tuple(stage.epochs for stage in config.stages),
    )


def labels_of_each(runs: Sequence[Run]) -> list[Labels]:
    """What each of several runs is; those of one method with what was typed for them alone, as lists of runs say it."""
    apart = told_apart(map(summarise, runs)) if len(runs) > 1 else {}
    return [replace(labels_of(run), apart=apart.get(run.id, "")) for run in runs]


def _readable(read: Callable[[], Found | None]) -> Found | None:
    try:
        return read()
    except StoreReadError:
        return None


def standing(run: Run, labels: Labels) -> Standing:
    """Look at a run now."""
    state = run.state()  # before the events: a run that has ended has written them all
    history = run.history
    process = _readable(lambda: run.process)
    return Standing(
        run=run,
        labels=labels,
        state=state,
        history=history,
        heartbeat=_readable(lambda: run.heartbeat),
        result=_readable(lambda: run.result),
        started=process.written if process else 0.0,
    )

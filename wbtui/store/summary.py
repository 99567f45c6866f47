"""What does one row of the table of runs say, also of a run that is broken?"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from wbtui.store import bounded
from wbtui.store.errors import StoreReadError
from wbtui.store.facts import gather_facts
from wbtui.store.format import CONFIG, DERIVED, OUTCOMES, Outcome, RunState, StateName
from wbtui.store.history import End, History
from wbtui.store.jsonio import number
from wbtui.store.reader import Run
from wbtui.store.setting import setting_digest, typed_settings
from wbtui.store.state import derive_state
from wbtui.store.text import plain

KEY_FIGURES = (
    "test.accuracy.all",
    "test.accuracy.many",
    "test.accuracy.medium",
    "test.accuracy.few",
    "test.loss",
    "test.fdr",
    "bn.scale.mean",
    "validation.accuracy.all",
    "running.loss",
    "time.epoch_seconds",
    "time.images_per_second",
)
"""Metrics whose last and best values stand in a row."""
_TREND_POINTS = 16
_SHOWN = 300  # characters of a label


@dataclass(frozen=True)
class RunSummary:
    """One row: plain text and numbers; all but id and path are safe to show literally."""

    id: str
    """Name of the folder, whatever somebody called it: show it through text.plain."""
    path: str
    state: StateName = "unknown"
    evidence: str = ""
    settled: bool = False
    """See format.RunState."""
    preset: str = ""
    variant: str = ""
    seed: int | None = None
    name: str = ""
    device: str = ""
    model: str = ""
    weight_decay: float | None = None
    """Of the first stage."""
    imbalance_factor: float | None = None
    """None also where the data keep their own counts, and so use none."""
    setting: str = ""
    """What its seeds have in common, as `setting.setting_digest` says it; empty: not known."""
    typed: tuple[str, ...] = ()
    """Settings that somebody typed for it, as `setting.typed_settings` says them."""
    tags: tuple[str, ...] = ()
    note: str = ""
    star: bool = False
    attempt: int = 0
    """Of the last start or resume event."""
    end_outcome: str = ""
    """Of that attempt's end event; empty before it."""
    end_reason: str = ""
    epoch: int = 0
    """The last one that is done."""
    total_epochs: int = 0
    taken_over: int = 0
    """Those that another run has trained."""
    last: Mapping[str, float] = field(default_factory=dict)
    """KEY_FIGURES where they were measured last, but for NaN; of a run that ended, its final figures."""
    best: Mapping[str, float] = field(default_factory=dict)
    """KEY_FIGURES at best_epoch."""
    best_epoch: int | None = None
    """Where validation.accuracy.all is highest in the stage of that epoch, as result.json has it of a finished run."""
    non_finite_epoch: int | None = None
    """The first epoch whose loss is NaN or infinite, as measured or as the trainer says; None where all are finite."""
    trend: tuple[float, ...] = ()
    """Up to 16 values of test.accuracy.all, evenly over the epochs, the last one included."""
    derived: int = 0
    """Saved adjustments."""
    started: float = 0.0
    """Unix seconds."""
    updated: float = 0.0
    """Unix seconds of the last event."""
    size: int = 0
    """Bytes on disk when it was summarised."""
    bad_lines: int = 0
    """Lines of events.jsonl that were skipped."""
    problem: str | None = None
    """What is wrong with the folder; None: nothing."""

    @property
    def unreadable(self) -> bool:
        """Whether nothing but the problem is known."""
        return self.problem is not None and self.evidence == self.problem

    @property
    def accuracy_all(self) -> float | None:
        """Test accuracy, a fraction."""
        return self.last.get("test.accuracy.all")

    @property
    def accuracy_many(self) -> float | None:
        """Test accuracy of Many (head) classes."""
        return self.last.get("test.accuracy.many")

    @property
    def accuracy_medium(self) -> float | None:
        """Test accuracy of Medium classes."""
        return self.last.get("test.accuracy.medium")

    @property
    def accuracy_few(self) -> float | None:
        """Test accuracy of Few (tail) classes."""
        return self.last.get("test.accuracy.few")

    @property
    def fdr(self) -> float | None:
        """Fisher's discriminant ratio of the test features."""
        return self.last.get("test.fdr")

    @property
    def bn_scale(self) -> float | None:
        """Mean BatchNorm scale γ."""
        return self.last.get("bn.scale.mean")

    @property
    def epoch_seconds(self) -> float | None:
        """Duration of the last epoch."""
        return self.last.get("time.epoch_seconds")


def broken(run: Path, problem: str) -> RunSummary:
    """The row of a folder that cannot be read."""
    problem = _named_within(run, problem)
    return RunSummary(id=run.name, path=str(run), evidence=problem, problem=problem)


def _named_within(run: Path, problem: str) -> str:
    """A problem with files of a run called as they are in its folder: rows name the run, and have little room."""
    return plain(problem.replace(f"{run}{os.sep}", ""))


def summarise(run: Run, known: RunSummary | None = None) -> RunSummary:
    """The row of a run, whatever its folder holds.

    Args:
        run: The run.
        known: An earlier row of the same configuration, for what follows from it and takes a while.

    Raises:
        FileNotFoundError: the folder is not there any more.
    """
    if not run.id.isprintable():
        return broken(run.path, "its name holds characters that cannot be shown; rename it")
    try:
        return _summarise(run, known if known is not None and known.setting else None)
    except (StoreReadError, OSError, RecursionError, MemoryError) as error:
        run.path.lstat()
        return broken(run.path, str(error) or type(error).__name__)


def _summarise(run: Run, known: RunSummary | None) -> RunSummary:
    labels = _labels(run.config)
    history = run.history
    state = run.state()
    problems = []
    result = notes = None
    try:
        result = run.result
    except StoreReadError as error:
        problems.append(str(error))
    try:
        notes = run.notes
    except StoreReadError as error:
        problems.append(str(error))
    last = _key_figures(history.tally.last)
    if state.terminal:
        last |= _key_figures((result.final if result else None) or (history.end.final if history.end else {}))
    ended_at = (result.epoch or 0) if result and state.terminal else 0
    if 0 < history.last_epoch < ended_at:
        problems.append(f"events.jsonl ends at epoch {history.last_epoch}, the run at {ended_at}")
    best_epoch = history.tally.best_epoch
    start = next(iter(history.epochs.values())).time if history.epochs else 0.0
    return RunSummary(
        id=run.id,
        path=str(run.path),
        state=state.name,
        evidence=state.evidence,
        settled=state.settled,
        **labels,
        setting=known.setting if known else setting_digest(run),
        typed=known.typed if known else typed_settings(run),
        tags=tuple(plain(tag) for tag in notes.tags) if notes else (),
        note=plain(notes.note, lines=True) if notes else "",
        star=notes.star if notes else False,
        attempt=history.attempt,
        end_outcome=history.end.outcome if history.end else "",
        end_reason=plain(history.end.reason)[:_SHOWN] if history.end else "",
        epoch=max(history.last_epoch, ended_at),
        taken_over=history.taken_over,
        last=last,
        best=_key_figures(history.epochs[best_epoch].scalars) if best_epoch else {},
        best_epoch=best_epoch,
        non_finite_epoch=_non_finite_epoch(history),
        trend=_trend(history),
        derived=len([name for name in bounded.names(run.path, DERIVED) if name.endswith(".json")]),
        started=history.started or start or (run.path / CONFIG).lstat().st_mtime,
        updated=history.last_time or (run.path / CONFIG).lstat().st_mtime,
        size=size_on_disk(run.path),
        bad_lines=run.bad_lines + history.strange,
        problem=_named_within(run.path, "; ".join(problems)) or None,
    )


def refresh_state(row: RunSummary) -> RunSummary:
    """The row with its state as it is now; its files are otherwise unchanged."""
    end = End(cast(Outcome, row.end_outcome), row.end_reason) if row.end_outcome in OUTCOMES else None
    state = derive_state(gather_facts(Path(row.path), row.attempt, end))
    if state == RunState(row.state, row.evidence, row.settled):
        return row
    return replace(row, state=state.name, evidence=state.evidence, settled=state.settled)


def _labels(config: Mapping[str, Any]) -> dict[str, Any]:
    def text(value: object) -> str:
        return plain(value[:_SHOWN]) if isinstance(value, str) else ""

    def real(value: object) -> float | None:
        found = None if value is None else number(value)
        return found if found is not None and math.isfinite(found) else None

    def table(value: object) -> Mapping[str, Any]:
        return value if isinstance(value, dict) else {}

    stages = (
        [table(stage) for stage in config.get("stages", [])] if isinstance(config.get("stages"), list) else []
    )
    seed = config.get("seed")
    epochs = [stage.get("epochs") for stage in stages]
    data = table(config.get("data"))
    return {
        "preset": text(config.get("preset")),
        "variant": text(config.get("variant")),
        "name": text(config.get("name")),
        "seed": seed if type(seed) is int and abs(seed) < 2**53 else None,
        "device": text(config.get("device")),
        "model": text(table(config.get("model")).get("name")),
        "weight_decay": real(stages[0].get("weight_decay")) if stages else None,
        "imbalance_factor": None if data.get("profile") == "natural" else real(data.get("imbalance_factor")),
        "total_epochs": sum(n for n in epochs if type(n) is int and 0 < n < 2**31),
    }


def _key_figures(values: Mapping[str, float]) -> dict[str, float]:
    """Those of KEY_FIGURES that are there, but for NaN."""
    return {name: values[name] for name in KEY_FIGURES if name in values and not math.isnan(values[name])}


def _non_finite_epoch(history: History) -> int | None:
    told = [one.epoch for one in history.alerts if one.kind == "non_finite_loss" and one.epoch is not None]
    measured = history.tally.non_finite_epoch
    return min([*told, *([] if measured is None else [measured])], default=None)


def _trend(history: History) -> tuple[float, ...]:
    values = history.tally.trend
    if len(values) <= _TREND_POINTS:
        return tuple(values)
    step = (len(values) - 1) / (_TREND_POINTS - 1)
    return tuple(round(values[round(i * step)], 4) for i in range(_TREND_POINTS))


def size_on_disk(folder: Path) -> int:
    """Bytes that a run's files take; links are not followed, what vanishes meanwhile counts nothing."""
    total, waiting = 0, [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        status = entry.stat(follow_symlinks=False)
                        total += min(status.st_size, getattr(status, "st_blocks", status.st_size) * 512)
        except OSError:
            continue
    return total

"""What stands beside what in the comparison, and how do settings differ class by class? No screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wbtui.errors import UsageError
from wbtui.metrics import accuracy_by_class
from wbtui.report.class_axis import ClassAxis, class_axis
from wbtui.report.compare import Comparison, compare
from wbtui.report.derived import Derived, describe, load_derived
from wbtui.report.differences import interval_over_seeds, same_images
from wbtui.report.entries import Entry, Member, member
from wbtui.report.figures import SCREEN_TITLES
from wbtui.store.reader import open_run
from wbtui.store.text import plain
from wbtui.tui.snapshots import Floats

MOST_COLUMNS = 6
LEAST_COLUMNS = 2


@dataclass(frozen=True, eq=False)
class Saved:
    """A saved adjustment that could stand in the comparison."""

    run_id: str
    derived: Derived

    @property
    def label(self) -> str:
        """One line."""
        return describe(self.derived, SCREEN_TITLES)


@dataclass(frozen=True, eq=False)
class Read:
    """What was read of some runs."""

    members: tuple[Member, ...]
    saved: tuple[Saved, ...]
    """Adjustments that stand under these runs, stale ones left out."""
    problems: tuple[str, ...]
    """Why something could not be read."""


def read_members(folders: Sequence[Path], *, derived: bool = False) -> Read:
    """Runs with their figures and predictions.

    Args:
        folders: Of the runs.
        derived: Whether what is saved under them stands beside them.
    """
    members: list[Member] = []
    saved: list[Saved] = []
    problems: list[str] = []
    for folder in folders:
        try:
            run = open_run(folder)
            members.append(member(run))
            own = [Saved(run.id, one) for one in load_derived(run) if not one.stale]
            saved += own
            members += [member(run, one.derived) for one in own if derived]
        except (UsageError, OSError) as error:
            problems.append(str(error))
    return Read(tuple(members), tuple(saved), tuple(problems))


def read_again(members: Sequence[Member]) -> dict[str, Member]:
    """What there is now of runs that had no final figures, by run id; those that cannot be read are left out."""
    found = {}
    for one in members:
        try:
            found[one.run.id] = member(one.run)
        except (UsageError, OSError):  # it stays as it was read; the panels say what is wrong
            continue
    return found


def read_saved(folder: Path, derived: Derived) -> Member:
    """One run, adjusted.

    Raises:
        UsageError: it cannot be read.
    """
    return member(open_run(folder), derived)


def _class_axis(entry: Entry, classes: int) -> ClassAxis:
    predicted = entry.members[0].predicted
    names = predicted.class_names if predicted is not None else ()
    return class_axis(classes, _counts(entry, classes), names)


@dataclass(frozen=True, eq=False)
class ClassDifference:
    """How far a setting is from the baseline, class by class."""

    mean: Floats
    """(C,) difference of the mean accuracies over seeds, a fraction; NaN for a class without images."""
    sure: Floats
    """(C,) 1 where the 95 % interval over seeds leaves 0 out, 0 where it does not, NaN without interval."""
    paired: bool
    """Whether the interval is of pairs, results of the same runs; Welch's otherwise. See `differences`."""


@dataclass(frozen=True, eq=False)
class Board:
    """Everything that the comparison shows."""

    comparison: Comparison
    by_class: tuple[ClassDifference | None, ...]
    """Of each column; None for the baseline and where there is nothing to hold against it."""
    axis: ClassAxis
    """Of the classes of the baseline; of none where it stores no predictions."""
    counts: tuple[int, ...]
    """(C,) n_k of the baseline, as far as they are known."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The columns."""
        return self.comparison.entries

    @property
    def baseline(self) -> int:
        """Index of the baseline."""
        return self.comparison.baseline


def why_nothing_by_class(base: Entry, other: Entry) -> str:
    """Why two settings cannot be held against each other class by class; empty: they can, as far as is known."""
    for entry in (base, other):
        if entry.members[0].predicted is None:
            finishes = "has not finished: predictions are written when a run finishes, and compared then"
            why = "stores no predictions" if entry.members[0].figures.final else finishes
            return f"{plain(entry.label)} {why}"
    a, b = base.members[0].predicted, other.members[0].predicted
    if a is not None and b is not None and not same_images(a, b):
        return f"{plain(other.label)} has other test images"
    return "" if _accuracies(base) and _accuracies(other) else "seeds are of different classes"


def make_board(entries: Sequence[Entry], baseline: int) -> Board:
    """Compare settings; takes up to a second where bootstraps are many."""
    base = entries[baseline]
    own = next(iter(_accuracies(base).values()), None)
    axis = _class_axis(base, 0 if own is None else len(own))
    differences = [
        None if index == baseline else _class_difference(base, entry) for index, entry in enumerate(entries)
    ]
    return Board(compare(entries, baseline), tuple(differences), axis, _counts(base, len(axis.called)))


def _counts(entry: Entry, classes: int) -> tuple[int, ...]:
    data = entry.members[0].provenance.get("data", {})
    counts = data.get("train_counts") if isinstance(data, dict) else None
    known = isinstance(counts, list) and len(counts) == classes and all(type(one) is int for one in counts)
    return tuple(counts) if known and counts is not None else ()


def _accuracies(entry: Entry) -> dict[Path, Floats]:
    """Run folder → (C,) accuracy by class, of the seeds with predictions; empty where they are of other classes."""
    rows = {
        one.run.path: accuracy_by_class(
            one.predicted.labels, one.predicted.predictions, one.predicted.groups.n_classes
        )
        for one in sorted(entry.members, key=lambda one: one.run.path)  # rows of the same runs are then pairs
        if one.predicted is not None
    }
    return rows if len({len(row) for row in rows.values()}) == 1 else {}


def _class_difference(base: Entry, other: Entry) -> ClassDifference | None:
    if why_nothing_by_class(base, other):
        return None
    rows = _accuracies(base), _accuracies(other)
    before, after = (np.stack(list(found.values())) for found in rows)
    paired = rows[0].keys() == rows[1].keys()
    mean = after.mean(axis=0) - before.mean(axis=0)
    sure = np.full(mean.shape, np.nan)
    if min(len(before), len(after)) >= 2:
        for k in np.flatnonzero(np.isfinite(mean)):
            interval = interval_over_seeds(before[:, k], after[:, k], paired=paired)
            if interval is not None:
                sure[k] = not interval.low <= 0.0 <= interval.high
    return ClassDifference(mean, sure, paired)

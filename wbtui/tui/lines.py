"""Which lines does the table of runs have: filtered, ordered, seeds folded or not?"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from operator import is_not

from wbtui.report.fields import FIELDS, Field, field_named, number_of, sorted_rows
from wbtui.report.filters import Filter
from wbtui.report.seeds import Candidate, Counted, one_a_seed
from wbtui.store.summary import RunSummary

LIVING = ("running", "stalled", "starting", "stopping", "ending")
"""States in which a process may be at work."""

_FIGURES = tuple(FIELDS[key] for key in ("all", "many", "medium", "few", "fdr", "bn", "loss"))
"""What is shown of folded seeds as their mean."""


@dataclass(frozen=True)
class TableLine:
    """A run, or the seeds of one setting."""

    members: tuple[RunSummary, ...]
    """By time; never empty."""

    @property
    def key(self) -> str:
        """Id of its first run, by which the table keeps its selection."""
        return self.members[0].id

    @property
    def row(self) -> RunSummary:
        """The run that speaks for all."""
        return self.members[0]

    @cached_property
    def counted(self) -> Counted[RunSummary]:
        """Its runs divided into those whose figures it shows, one a seed, and the others."""
        return one_a_seed(self.members, _candidate)

    @property
    def name(self) -> str:
        """What it is called: the name that all its runs have, else the method; empty where neither is known."""
        names = {row.name for row in self.members}
        return self.row.name if len(names) == 1 and self.row.name else self.row.variant

    @property
    def n(self) -> int:
        """How many seeds its figures are of."""
        return len(self.counted.runs)

    @cached_property
    def state(self) -> str:
        """The state of its runs: at work, else queued, else finished, else the worst."""
        order = (*LIVING, "queued", "finished", "failed", "crashed", "stopped", "unknown")
        return min((row.state for row in self.members), key=order.index)

    @property
    def leader(self) -> RunSummary:
        """The run whose epoch it shows: the newest at work, else the newest whose figures count."""
        at_work = [row for row in self.members if row.state in LIVING]
        return (at_work or self.counted.runs)[-1]

    @property
    def lives(self) -> bool:
        """Whether one of its runs is at work."""
        return any(row.state in LIVING for row in self.members)

    def mean_std(self, name: str) -> tuple[float | None, float | None]:
        """Mean and standard deviation (n - 1) of a figure over the seeds that have it; None where there is none."""
        found = [row.last[name] for row in self.counted.runs if math.isfinite(row.last.get(name, math.nan))]
        if not found:
            return None, None
        mean = sum(found) / len(found)
        if len(found) < 2:
            return mean, None
        std = math.sqrt(sum((value - mean) ** 2 for value in found) / (len(found) - 1))
        return mean, std if std > 1e-9 * abs(
            mean
        ) else 0.0  # equal values, whatever the rounding of their mean


def table_lines(rows: Iterable[RunSummary], wanted: Filter, sort: str, *, group: bool) -> list[TableLine]:
    """The lines of the table.

    Args:
        rows: All runs, by time.
        wanted: Which of them.
        sort: A key of `report.fields`, with a minus before it descending; empty: living runs first, then queued
            ones, then the newest.
        group: Whether seeds of one setting are one line; figures of which it shows the mean order it by that.
    """
    chosen = wanted.of(rows)
    found = field_named(sort.removeprefix("-")) if sort else None
    if found is None:
        chosen.reverse()
        chosen.sort(key=_liveliness)
    else:
        chosen = sorted_rows(chosen, found, descending=sort.startswith("-"))
    if not group:
        return [TableLine((row,)) for row in chosen]
    lines = folded(chosen)
    return _by_mean(lines, found, descending=sort.startswith("-")) if found in _FIGURES else lines


def _by_mean(lines: Sequence[TableLine], figure: Field, *, descending: bool) -> list[TableLine]:
    """Lines in the order of the mean over the seeds that count, those without one last whichever way."""
    means = {}
    for line in lines:
        values = [number_of(figure.read(row)) for row in line.counted.runs]
        known = [value for value in values if math.isfinite(value)]
        if known:
            means[line.key] = sum(known) / len(known)
    there = [line for line in lines if line.key in means]
    there.sort(key=lambda line: means[line.key], reverse=descending)
    return there + [line for line in lines if line.key not in means]


def replaced(
    lines: Sequence[TableLine], before: Sequence[RunSummary], after: Sequence[RunSummary]
) -> list[TableLine] | None:
    """The lines with what is new of single runs, where nothing else can have changed: no order, no filter.

    Args:
        lines: One line a run, in the order of liveliness.
        before: The rows that they were made of.
        after: The rows as they are now.

    Returns:
        None where runs came, went or changed their state: the lines must be made anew.
    """
    if len(before) != len(after):
        return None
    differ = list(map(is_not, before, after))
    changed = {}
    for old, new in zip(compress(before, differ), compress(after, differ), strict=True):
        if old.id != new.id or old.state != new.state:
            return None
        changed[new.id] = TableLine((new,))
    now = list(lines)
    for place, line in enumerate(lines):  # those that change stand first, as a rule
        if not changed:
            break
        if line.key in changed:
            now[place] = changed.pop(line.key)
    return now


def called(row: RunSummary, short: str) -> str:
    """A run as people know it: short id, method, data, seed."""
    words = [short, row.name or row.variant, row.preset]
    return " ".join(word for word in words if word) + ("" if row.seed is None else f" seed {row.seed}")


def _candidate(row: RunSummary) -> Candidate:
    return Candidate(row.id, row.seed, row.state, bool(row.last))


def _liveliness(row: RunSummary) -> int:
    """Living runs first, then those that wait, then those that have ended."""
    if row.state in LIVING:
        return 0
    return 1 if row.state == "queued" else 2


def setting_of(row: RunSummary) -> str:
    """What seeds of one setting have in common: their whole configuration without seed, labels and place."""
    return row.setting or row.id


def folded(rows: Sequence[RunSummary]) -> list[TableLine]:
    """Seeds of one setting as one line, where the first of them stands."""
    groups: dict[str, list[RunSummary]] = {}
    for row in rows:
        groups.setdefault(setting_of(row), []).append(row)
    return [TableLine(tuple(sorted(members, key=lambda row: row.id))) for members in groups.values()]

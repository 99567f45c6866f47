"""How do settings compare: differences to a baseline, who is best, and whether they may be compared at all?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wbtui.report.differences import Difference, difference, same_images
from wbtui.report.entries import Entry
from wbtui.report.settings import shown_value
from wbtui.report.values import figure, percent, points, signed
from wbtui.store.setting import is_imported

NOT_COMPARABLE = "NOT COMPARABLE"
"""How the gravest problems begin."""

SAME = 1e-9
"""Means that differ by less, relatively, are the same: sums in another order round differently."""


@dataclass(frozen=True)
class Compared:
    """A metric of the comparison."""

    metric: str
    title: str
    better: int
    """1 higher, -1 lower, 0 neither."""

    is_accuracy: bool = False

    def write(self, value: float) -> str:
        """The figure for people."""
        return percent(value) if self.is_accuracy else figure(value)

    def write_difference(self, value: float) -> str:
        """The difference for people."""
        return points(value) if self.is_accuracy else signed(value)


METRICS = (
    Compared("test.accuracy.all", "All % ↑", 1, True),
    Compared("test.accuracy.many", "Many % ↑", 1, True),
    Compared("test.accuracy.medium", "Medium % ↑", 1, True),
    Compared("test.accuracy.few", "Few % ↑", 1, True),
    Compared("test.loss", "loss ↓", -1),
    Compared("train.fdr", "FDR train ↑", 1),
    Compared("test.fdr", "FDR test ↑", 1),
    Compared("test.cosine.intra", "cosine intra ↑", 1),
    Compared("test.cosine.inter", "cosine inter ↓", -1),
    Compared("bn.scale.mean", "BN scale", 0),
    Compared("validation.accuracy.all", "validation All % ↑", 1, True),
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Settings side by side."""

    entries: tuple[Entry, ...]
    baseline: int
    """Index of the one that the others are held against."""

    differences: Mapping[tuple[str, int], Difference]
    """By metric and index of the setting."""

    problems: tuple[str, ...]
    """Why they may not be compared, then which runs do not count; said at the top."""


def compare(entries: Sequence[Entry], baseline: int = 0) -> Comparison:
    """Compare settings with a baseline.

    Args:
        entries: two or more.
        baseline: index of the baseline.
    """
    found = {}
    for one in METRICS:
        for index, entry in enumerate(entries):
            if index != baseline:
                apart = difference(entries[baseline], entry, one.metric)
                if apart is not None:
                    found[one.metric, index] = apart
    said = dict.fromkeys(sentence for entry in entries for sentence in entry.said)
    return Comparison(tuple(entries), baseline, found, (*problems(entries, baseline), *said))


def problems(entries: Sequence[Entry], baseline: int = 0) -> list[str]:
    """Why figures of these settings do not belong beside each other, the gravest first."""
    found = []
    base = entries[baseline]
    for entry in entries:
        unfinished = sorted({one.figures.epoch for one in entry.members if not one.figures.final})
        if unfinished:
            count = sum(not one.figures.final for one in entry.members)
            epochs = " to ".join(str(epoch) for epoch in dict.fromkeys((unfinished[0], unfinished[-1])))
            what = f"these are of epoch {epochs}" if unfinished[-1] else "nothing has been measured"
            whose = f" of {count} of {entry.n} runs" if entry.n > 1 else ""
            found.append(f"{entry.label}: no final figures{whose}, {what}")
        unusable = [one.why_not for one in entry.members if one.why_not and one.figures.final]
        found += [f"{entry.label}: nothing by test images: {why}" for why in dict.fromkeys(unusable)]
        if _has_oracle(entry):
            found.append(f"{entry.label}: an oracle, its strength was chosen on test: not a result")
        if any(one.derived is not None and one.derived.basis == "given" for one in entry.members):
            found.append(
                f"{entry.label}: its strength was given by hand; if test was in sight, it is chosen on test"
            )
        mine, its = ({one.run.path for one in each.members} for each in (entry, base))
        if mine != its and mine & its:
            found.append(
                f"{entry.label} is over other seeds than {base.label}: differences are also between seeds"
            )
        if entry is not base:
            found += [
                f"{NOT_COMPARABLE}: {entry.label} and {base.label}: {why}" for why in _why_apart(entry, base)
            ]
    return sorted(found, key=lambda problem: not problem.startswith(NOT_COMPARABLE))


def _why_apart(one: Entry, base: Entry) -> list[str]:
    """Why a setting and the baseline may not be compared; where both have a value, in the order of the arguments."""
    why = []
    a, b = one.members[0].predicted, base.members[0].predicted
    if a is not None and b is not None:
        if not same_images(a, b):
            why.append("different test sets")
        elif not np.array_equal(a.groups.membership, b.groups.membership):
            groups = (a.groups, b.groups)
            bounds = [f"Many above {each.many_above}, Few below {each.few_below}" for each in groups]
            apart = f": {' / '.join(bounds)}" if bounds[0] != bounds[1] else ""
            why.append(f"different groups of classes{apart}")
    data = [_known(entry, "data") for entry in (one, base)]
    counts: list[Sequence[Any]] = [known.get("train_counts") or () for known in data]
    prints = [known.get("fingerprint") for known in data]
    if all(counts) and counts[0] != counts[1]:
        why.append(f"different training splits: {_splits_apart(one, base, *counts)}")
    elif all(prints) and prints[0] != prints[1]:
        why.append("different images (fingerprints of the data)")
    return why


def _splits_apart(one: Entry, base: Entry, ours: Sequence[Any], theirs: Sequence[Any]) -> str:
    """The rules that made two lists of training counts; where they are called alike, the first count that differs."""
    rules = [_split_words(entry) for entry in (one, base)]
    if rules[0] != rules[1]:
        return " / ".join(rules)
    if len(ours) != len(theirs):
        return f"{rules[0]}, {len(ours)} / {len(theirs)} classes"
    k = next(k for k, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b)
    return f"{rules[0]}, class {k} has {shown_value(ours[k])} / {shown_value(theirs[k])} images"


def _known(entry: Entry, key: str) -> Mapping[str, Any]:
    value = entry.members[0].provenance.get(key, {})
    return value if isinstance(value, Mapping) else {}


def _split_words(entry: Entry) -> str:
    values = entry.setting.values
    if is_imported(values):
        return "counts given with the predictions"
    natural = values.get("data.profile") == "natural"
    shape = "natural counts" if natural else f"IF {shown_value(values.get('data.imbalance_factor'))}"
    return f"{values.get('data.split_rule', '?')} rule, {shape}"


def is_best(comparison: Comparison, one: Compared, index: int) -> bool:
    """Whether no setting that competes is better.

    An oracle is no result and does not compete; neither does what cannot be told from seed noise, as all of a metric
    that the baseline has not, nor a baseline against which nothing can be told.
    """
    competing = [place for place in range(len(comparison.entries)) if _competes(comparison, one, place)]
    if index not in competing:
        return False
    means = [one.better * float(comparison.entries[place].values(one.metric).mean()) for place in competing]
    own = one.better * float(comparison.entries[index].values(one.metric).mean())
    return math.isclose(own, max(means), rel_tol=SAME)


def _competes(comparison: Comparison, one: Compared, index: int) -> bool:
    if not one.better or _has_oracle(comparison.entries[index]):
        return False
    return any(
        apart.verdict != "no interval"
        for (metric, place), apart in comparison.differences.items()
        if metric == one.metric and index in (place, comparison.baseline)
    )


def _has_oracle(entry: Entry) -> bool:
    return any(one.derived is not None and one.derived.basis == "oracle" for one in entry.members)

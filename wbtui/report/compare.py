"""How do settings compare: figures with deltas, what differs, and whether they may be compared at all?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wbtui.metrics import seed_statistics
from wbtui.report.derived import adjustment_facts
from wbtui.report.differences import MARKS, Difference, Rule, difference, rule_in_words, same_images
from wbtui.report.entries import Entry
from wbtui.report.settings import Setting, difference_table, shown_value
from wbtui.report.table import Cell, Column, Table, text_cell
from wbtui.report.values import figure, percent, plus_minus, points, signed
from wbtui.store.setting import IMPORTED
from wbtui.store.text import plain

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
            found.append(
                f"{entry.label}: {count} of {entry.n} runs have no final figures, these are of epoch {epochs}"
            )
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
                f"{NOT_COMPARABLE}: {entry.label} and {base.label}: {why}" for why in _why_apart(base, entry)
            ]
    return sorted(found, key=lambda problem: not problem.startswith(NOT_COMPARABLE))


def _why_apart(base: Entry, other: Entry) -> list[str]:
    why = []
    a, b = base.members[0].predicted, other.members[0].predicted
    if a is not None and b is not None:
        if not same_images(a, b):
            why.append("different test sets")
        elif not np.array_equal(a.groups.membership, b.groups.membership):
            why.append("different groups of classes")
    data = [_known(entry, "data") for entry in (base, other)]
    counts: list[Sequence[Any]] = [one.get("train_counts") or () for one in data]
    prints = [one.get("fingerprint") for one in data]
    if all(counts) and counts[0] != counts[1]:
        why.append(f"different training splits: {_splits_apart(base, other, *counts)}")
    elif all(prints) and prints[0] != prints[1]:
        why.append("different images (fingerprints of the data)")
    return why


def _splits_apart(base: Entry, other: Entry, before: Sequence[Any], after: Sequence[Any]) -> str:
    """The rules that made two lists of training counts; where they are called alike, the first count that differs."""
    rules = [_split_words(entry) for entry in (base, other)]
    if rules[0] != rules[1]:
        return " / ".join(rules)
    if len(before) != len(after):
        return f"{rules[0]}, {len(before)} / {len(after)} classes"
    k = next(k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
    return f"{rules[0]}, class {k} has {shown_value(before[k])} / {shown_value(after[k])} images"


def _known(entry: Entry, key: str) -> Mapping[str, Any]:
    value = entry.members[0].provenance.get(key, {})
    return value if isinstance(value, Mapping) else {}


def _split_words(entry: Entry) -> str:
    values = entry.setting.values
    if values.get("preset") == IMPORTED:
        return "counts given with the predictions"
    return f"{values.get('data.split_rule', '?')} rule, IF {shown_value(values.get('data.imbalance_factor'))}"


def metric_table(comparison: Comparison) -> Table:
    """A row a metric, a column a setting: mean ± std, and the difference to the baseline."""
    columns = [Column("metric", "test", right=False)]
    for index, entry in enumerate(comparison.entries):
        mark = " (baseline)" if index == comparison.baseline else ""
        columns.append(
            Column(entry.label, f"{entry.label}{mark}, n = {entry.n}", right=False, drop=_drop(index))
        )
    rows = []
    for one in METRICS:
        if any(entry.values(one.metric).size for entry in comparison.entries):
            cells = [_cell(comparison, one, index) for index in range(len(comparison.entries))]
            rows.append((text_cell(one.title), *cells))
    rules: set[Rule] = {apart.rule for apart in comparison.differences.values()}
    predicted = comparison.entries[comparison.baseline].members[0].predicted
    notes = rule_in_words(rules, 0 if predicted is None else len(predicted.labels))
    if any(entry.n > 1 for entry in comparison.entries):
        notes.insert(0, "mean ± sample standard deviation over n seeds")
    return Table(tuple(columns), tuple(rows), notes=tuple(notes))


def _drop(index: int) -> int:
    """On a narrow terminal two settings stay, whole; the last goes first."""
    return max(0, index - 1)


def _cell(comparison: Comparison, one: Compared, index: int) -> Cell:
    values = comparison.entries[index].values(one.metric)
    if not values.size:
        return text_cell("-")
    statistics = seed_statistics(values)
    text = plus_minus(one.write(statistics.mean), one.write(statistics.std))
    if statistics.n != comparison.entries[index].n:
        text += f" (n = {statistics.n})"
    apart = comparison.differences.get((one.metric, index))
    style = ""
    if apart is not None:
        text += f"  {one.write_difference(apart.value)}{MARKS[apart.verdict]}"
        gain = one.better * apart.value
        if apart.significant and gain:
            style = "green" if gain > 0 else "red"
    return Cell(text, statistics.mean, style, best=is_best(comparison, one, index))


def is_best(comparison: Comparison, one: Compared, index: int) -> bool:
    """Whether no setting that competes is better.

    An oracle is no result and does not compete; neither does what cannot be told from seed noise, nor a baseline
    against which nothing can be told.
    """
    competing = [place for place in range(len(comparison.entries)) if _competes(comparison, one, place)]
    if index not in competing:
        return False
    means = [one.better * float(comparison.entries[place].values(one.metric).mean()) for place in competing]
    own = one.better * float(comparison.entries[index].values(one.metric).mean())
    return math.isclose(own, max(means), rel_tol=SAME)


def _competes(comparison: Comparison, one: Compared, index: int) -> bool:
    entry = comparison.entries[index]
    if not one.better or _has_oracle(entry) or not entry.values(one.metric).size:
        return False
    apart = [
        found
        for (metric, place), found in comparison.differences.items()
        if metric == one.metric and index in (place, comparison.baseline)
    ]
    return not apart or any(found.verdict != "no interval" for found in apart)


def _has_oracle(entry: Entry) -> bool:
    return any(one.derived is not None and one.derived.basis == "oracle" for one in entry.members)


def long_table(comparison: Comparison) -> Table:
    """The same for machines: a row a metric and setting, fractions, intervals and the rule behind them."""
    keys = (
        "metric",
        "setting",
        "n",
        "mean",
        "std",
        "difference",
        "low",
        "high",
        "significant",
        "verdict",
        "rule",
    )
    rows = []
    for one in METRICS:
        for index, entry in enumerate(comparison.entries):
            values = entry.values(one.metric)
            if not values.size:
                continue
            found = seed_statistics(values)
            apart = comparison.differences.get((one.metric, index))
            cells: list[Any] = [one.metric, entry.label, found.n, found.mean, found.std]
            cells += (
                [None] * 6
                if apart is None
                else [apart.value, apart.low, apart.high, apart.significant, apart.verdict, apart.rule]
            )
            rows.append(tuple(Cell(str(cell), cell) for cell in cells))
    return Table(tuple(Column(key, key) for key in keys), tuple(rows))


def difference_tables(comparison: Comparison) -> list[Table]:
    """What differs: adjustment and configuration, then what the figures rest on."""
    return [configuration_table(comparison), provenance_table(comparison)]


def configuration_table(comparison: Comparison) -> Table:
    """Differing configuration only; first how logits were adjusted, where they were."""
    return difference_table([_adjusted_setting(entry) for entry in comparison.entries])


def _adjusted_setting(entry: Entry) -> Setting:
    """Its setting, the adjustment as keys before those of the configuration."""
    facts = _adjustment(entry) or {"method": "none"}
    values = {f"adjustment.{key}": value for key, value in facts.items()}
    return replace(entry.setting, label=entry.label, values={**values, **entry.setting.values})


def _adjustment(entry: Entry) -> dict[str, str]:
    saved = [one.derived for one in entry.members if one.derived is not None]
    return adjustment_facts(saved) if saved else {}


def provenance_table(comparison: Comparison) -> Table:
    """Differing provenance only: versions, device, data, selection, TTA."""
    facts = [_facts(entry) for entry in comparison.entries]
    keys = dict.fromkeys(key for one in facts for key in one)
    rows = tuple(
        (text_cell(key), *(text_cell(one.get(key, "-")) for one in facts))
        for key in keys
        if len({one.get(key, "-") for one in facts}) > 1
    )
    labels = [entry.label for entry in comparison.entries]
    columns = (
        Column("fact", "provenance", right=False),
        *(Column(one, one, right=False, drop=_drop(index)) for index, one in enumerate(labels)),
    )
    return Table(
        columns, rows, notes=() if rows else ("versions, device, data, selection and TTA are the same",)
    )


def _facts(entry: Entry) -> dict[str, str]:
    """What the figures of a setting rest on; where its seeds disagree, all of it."""
    collected: dict[str, dict[str, None]] = {}
    for one in entry.members:
        for key, value in _facts_of(one.provenance, entry, one.figures.weights).items():
            collected.setdefault(key, {})[value] = None
    return {key: " / ".join(values) for key, values in collected.items()}


def _facts_of(provenance: Mapping[str, Any], entry: Entry, weights: str) -> dict[str, str]:
    def table(key: str) -> Mapping[str, Any]:
        value = provenance.get(key, {})
        return value if isinstance(value, Mapping) else {}

    data, values = table("data"), entry.setting.values
    facts = {f"version {name}": value for name, value in table("versions").items()}
    facts |= {name: value for name, value in table("identity").items() if name not in ("torch", "numpy")}
    facts |= {"commit": table("code").get("commit", ""), "imported from": provenance.get("imported", "")}
    facts |= {
        "split rule": data.get("description", ""),
        "data fingerprint": str(data.get("fingerprint", ""))[:16],
        "selection": values.get("evaluation.selection", ""),
        "TTA": values.get("evaluation.tta", ""),
        "weights": weights,
    }
    return {key: plain(str(value)) for key, value in facts.items() if value not in ("", None)}


def comparison_json(comparison: Comparison, only_differences: bool = False) -> dict[str, Any]:
    """The comparison for machines.

    Args:
        comparison: the settings.
        only_differences: only which settings there are and what differs in their configuration and provenance.
    """
    labels = [entry.label for entry in comparison.entries]
    settings = {
        "problems": list(comparison.problems),
        "baseline": labels[comparison.baseline],
        "settings": [
            {"label": entry.label, "n": entry.n, "runs": [one.run.id for one in entry.members]}
            for entry in comparison.entries
        ],
    }
    differences = {
        "configuration": _as_json(configuration_table(comparison)),
        "adjustments": {entry.label: facts for entry in comparison.entries if (facts := _adjustment(entry))},
        "provenance": _as_json(provenance_table(comparison)),
    }
    if only_differences:
        return settings | differences
    table = long_table(comparison)
    metrics = [
        {column.key: cell.value for column, cell in zip(table.columns, row, strict=True)}
        for row in table.rows
    ]
    rules = list(metric_table(comparison).notes)
    return settings | {"metrics": metrics} | differences | {"rules": rules}


def _as_json(table: Table) -> dict[str, dict[str, str]]:
    labels = [column.key for column in table.columns[1:]]
    return {
        row[0].text: dict(zip(labels, (cell.text for cell in row[1:]), strict=True)) for row in table.rows
    }

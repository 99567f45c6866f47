"""How is a comparison told: tables of figures and of what differs, and all of it as JSON?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wbtui.metrics import seed_statistics
from wbtui.report.compare import METRICS, Compared, Comparison, is_best
from wbtui.report.derived import adjustment_facts
from wbtui.report.differences import MARKS, Rule, rule_in_words
from wbtui.report.entries import Entry
from wbtui.report.flagged import flagged_ratios
from wbtui.report.settings import Setting, difference_table, keys_that_differ
from wbtui.report.table import Cell, Column, Table, text_cell
from wbtui.report.values import plus_minus
from wbtui.store.setting import is_imported
from wbtui.store.text import plain


def metric_table(comparison: Comparison) -> Table:
    """A row a metric, a column a setting: mean ± std, and the difference to the baseline."""
    columns = [Column("metric", "test", right=False)]
    for index, entry in enumerate(comparison.entries):
        mark = " (baseline)" if index == comparison.baseline else ""
        columns.append(
            Column(
                entry.label, f"{entry.label}{mark}, n = {entry.n}", right=False, drop=_drop(index), wrap=True
            )
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
    notes += flagged_ratios(comparison.entries)
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
    facts = [_adjustment(entry) or {"method": "none"} for entry in comparison.entries]
    # All of them in every setting: rows go by the first setting that has them, and one that is not adjusted has few.
    keys = dict.fromkeys(key for one in facts for key in one)
    return difference_table(
        [
            _adjusted_setting(entry, {f"adjustment.{key}": one.get(key) for key in keys})
            for entry, one in zip(comparison.entries, facts, strict=True)
        ]
    )


def _adjusted_setting(entry: Entry, adjustment: Mapping[str, str | None]) -> Setting:
    """Its setting, the adjustment as keys before those of the configuration."""
    return replace(entry.setting, label=entry.label, values={**adjustment, **entry.setting.values})


def _adjustment(entry: Entry) -> dict[str, str]:
    saved = [one.derived for one in entry.members if one.derived is not None]
    return adjustment_facts(saved) if saved else {}


def provenance_table(comparison: Comparison) -> Table:
    """Differing provenance only: versions, device, data, selection, TTA."""
    facts = [_facts(entry) for entry in comparison.entries]
    keys = keys_that_differ(facts, [is_imported(entry.setting.values) for entry in comparison.entries])
    rows = tuple((text_cell(key), *(text_cell(one.get(key, "-")) for one in facts)) for key in keys)
    labels = [entry.label for entry in comparison.entries]
    columns = (
        Column("fact", "provenance", right=False),
        *(Column(one, one, right=False, drop=_drop(index), wrap=True) for index, one in enumerate(labels)),
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

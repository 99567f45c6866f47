"""How does a study look as the papers' table: a row a method, Many, Medium, Few, All, FDR train and test?"""

from collections.abc import Iterable, Sequence

from wbtui.adjustment import label_of, method_named
from wbtui.metrics import seed_statistics
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.report.compare import problems
from wbtui.report.differences import difference
from wbtui.report.entries import Entry, Member, folded, member
from wbtui.report.flagged import flagged_ratios
from wbtui.report.settings import shown_value
from wbtui.report.table import Cell, Column, Table, count_cell, figure_cell, text_cell
from wbtui.report.values import figure, percent, plus_minus
from wbtui.store.reader import Run
from wbtui.store.text import plain

_DROPS = {"test.fdr": 4, "train.fdr": 3, "test.accuracy.medium": 2, "test.accuracy.many": 1}
"""Figures that a narrow terminal does without, the largest number first."""

_BOLD = "bold: the best mean of a column, where 95 % intervals over seeds tell it from all others of two seeds or more"
_NOTHING_BOLD = "nothing is bold: 95 % intervals over seeds tell no best mean of a column from all others"

_COLUMNS = (
    ("test.accuracy.many", "Many", True),
    ("test.accuracy.medium", "Medium", True),
    ("test.accuracy.few", "Few", True),
    ("test.accuracy.all", "All", True),
    ("train.fdr", "FDR train", False),
    ("test.fdr", "FDR test", False),
)


def study_csv_table(entries: Sequence[Entry]) -> Table:
    """One table of all presets for programs: mean, sample standard deviation and number of seeds of each metric."""
    columns = [Column(key, key, right=False) for key in ("preset", "method")] + [Column("n", "n")]
    for metric, title, _ in _COLUMNS:
        columns += [
            Column(metric, title),
            Column(f"{metric}.std", f"{title} std"),
            Column(f"{metric}.n", f"{title} n"),
        ]
    rows = []
    for preset, own in by_preset(entries).items():
        for entry in own:
            cells = [
                text_cell(preset),
                text_cell(entry.label.removeprefix(f"{preset} ")),
                count_cell(entry.n),
            ]
            for metric, _, _ in _COLUMNS:
                found = seed_statistics(entry.values(metric))
                cells += [figure_cell(found.mean), figure_cell(found.std), count_cell(found.n)]
            rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows), notes=tuple(_notes(entries)))


def study_entries(runs: Sequence[Run], adjustments: Sequence[Request] = ()) -> list[Entry]:
    """Settings of finished runs, each followed by what the adjustments make of it.

    Args:
        runs: finished ones.
        adjustments: how each run is adjusted.

    Raises:
        UsageError: a run cannot be read or adjusted.
    """
    members: list[Member] = []
    for run in runs:
        members.append(member(run))
        for request in adjustments:
            adjusted = adjust_run(load_material(run), request)
            members.append(member(run, adjusted.derived()))
    by_setting: dict[int, list[Entry]] = {}
    for entry in folded(members):
        by_setting.setdefault(id(entry.setting), []).append(entry)
    return [entry for entries in by_setting.values() for entry in entries]


def study_tables(entries: Sequence[Entry]) -> list[Table]:
    """A table for each data preset: only rows on the same data stand below each other."""
    presets = by_preset(entries)
    return [_table(preset, own, several=len(presets) > 1) for preset, own in presets.items()]


def by_preset(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Settings by the preset of their data."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(str(entry.setting.values.get("preset") or "custom"), []).append(entry)
    return found


def _table(preset: str, entries: Sequence[Entry], *, several: bool) -> Table:
    columns = [Column("method", "method", right=False, wrap=True), Column("n", "n")]
    shown = [one for one in _COLUMNS if any(entry.values(one[0]).size for entry in entries)]
    columns += [Column(metric, title, drop=_DROPS.get(metric, 0)) for metric, title, _ in shown]
    best = {metric: _best(entries, metric) for metric, _, _ in shown}
    rows = []
    for entry in entries:
        label = entry.label.removeprefix(f"{preset} ") if several else entry.label
        cells = [text_cell(label), count_cell(entry.n)]
        cells += [_cell(entry, metric, accuracy, entry in best[metric]) for metric, _, accuracy in shown]
        rows.append(tuple(cells))
    notes = _notes(entries)
    notes.insert(1, _BOLD if any(best.values()) else _NOTHING_BOLD)
    return Table(tuple(columns), tuple(rows), plain(preset), tuple(notes))


def _best(entries: Sequence[Entry], metric: str) -> list[Entry]:
    """The settings with the best mean, where the interval over seeds tells it from all others; else none.

    A single seed has no spread that would tell it from another, and does not compete. What adjusting leaves as it was
    is no other: alone it is not best.
    """
    means = {entry: float(values.mean()) for entry in entries if (values := entry.values(metric)).size > 1}
    if not means:
        return []
    best = max(means, key=means.__getitem__)
    found = [best]
    for entry in means.keys() - {best}:
        apart = difference(best, entry, metric)
        if apart is not None and apart.verdict == "identical":
            found.append(entry)
        elif apart is None or apart.verdict != "significant":
            return []
    return found if len(found) < len(means) else []


def _cell(entry: Entry, metric: str, accuracy: bool, best: bool) -> Cell:
    values = entry.values(metric)
    if not values.size:
        return text_cell("-")
    found = seed_statistics(values)
    write = percent if accuracy else figure
    count = "" if found.n == entry.n else f" (n = {found.n})"
    return Cell(plus_minus(write(found.mean), write(found.std)) + count, found.mean, best=best)


def _notes(entries: Sequence[Entry]) -> list[str]:
    notes = ["test accuracy in %, mean ± sample standard deviation over n seeds"]
    notes += dict.fromkeys(sentence for entry in entries for sentence in entry.said)
    notes += flagged_ratios(entries)
    rests_on = (
        ("split rule", "data.split_rule"),
        ("selection", "evaluation.selection"),
        ("TTA", "evaluation.tta"),
    )
    notes.append(", ".join(f"{title} {_all_values(entries, key)}" for title, key in rests_on))
    adjusted = [one.derived for entry in entries for one in entry.members if one.derived is not None]
    if adjusted:
        bases = sorted({one.basis for one in adjusted})
        how = " / ".join("as published" if one == "published" else f"chosen on {one}" for one in bases)
        notes.append(f"adjustments: strength {how}, prior from the training counts")
    for name in dict.fromkeys(one.method for one in adjusted if one.basis == "published"):
        source = method_named(name).strength_source
        notes.append(f"{label_of(name)}: nothing was chosen on these data; {source}")
    return notes


def _all_values(entries: Sequence[Entry], key: str) -> str:
    return " / ".join(sorted({shown_value(entry.setting.values.get(key)) for entry in entries}))


def study_problems(entries: Sequence[Entry]) -> list[str]:
    """Rows of one table that do not belong below each other."""
    return [problem for own in by_preset(entries).values() for problem in problems(own)]

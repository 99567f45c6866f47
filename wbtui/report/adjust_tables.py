"""How are adjusted runs told: tables, JSON and curves, with the test-best always called oracle?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from wbtui.adjustment import label_of
from wbtui.metrics import AccuracySummary, seed_statistics
from wbtui.plotting.canvas import Canvas
from wbtui.plotting.line import LineOptions, line_plot
from wbtui.plotting.palette import series_style
from wbtui.plotting.series import Series
from wbtui.report.adjusting import Adjusted, Floats, accuracy_at, sweep_rows
from wbtui.report.figures import GROUP_TITLES, GROUPS
from wbtui.report.plots import Look
from wbtui.report.seeds import candidate, one_a_seed, sentences
from wbtui.report.settings import Setting, fold_seeds
from wbtui.report.table import Cell, Column, Table, figure_cell, percent_cell, text_cell
from wbtui.report.values import ROUNDING, figure, percent, plus_minus, points
from wbtui.store.ids import short_ids
from wbtui.store.reader import Run
from wbtui.store.text import plain

ORACLE = "oracle: best on test, not a result"
_BASES = {
    "validation": "chosen on validation",
    "published": "published, nothing chosen",
    "given": "given by hand",
    "oracle": ORACLE,
}
_DROPS = {"medium": 3, "many": 2, "few": 1}
_COLUMNS = (
    Column("run", "run", right=False, drop=4),
    Column("method", "adjustment", right=False),
    Column("strength", "strength"),
    *(Column(key, title, drop=_DROPS.get(key, 0)) for key, title in GROUP_TITLES.items()),
    Column("change", "ΔAll"),
    Column("ece", "ECE", drop=5),
    Column("basis", "strength is", right=False, wrap=True),  # without it nobody could tell an oracle
)
_CURVE_POINTS = 400
_SHOWN_NOTES = 6


def result_tables(
    results: Sequence[Adjusted], runs: Sequence[Run], strengths: Floats | None, names: Mapping[str, str]
) -> list[Table]:
    """Everything that is said of results: by run, over the seeds of settings that have several, by strength.

    Args:
        results: of all methods on all runs.
        runs: that were adjusted.
        strengths: of a sweep; None: there is none.
        names: run id → what it is called here.
    """
    settings = fold_seeds(runs)
    tables = [run_table(results, names)]
    if any(setting.n > 1 for setting in settings):
        tables.append(seed_table(results, settings))
    if strengths is not None:
        tables += [sweep_table(one, strengths, names[one.material.run.id]) for one in results]
    return tables


def run_table(results: Sequence[Adjusted], names: Mapping[str, str]) -> Table:
    """Each run without adjustment, with it, and at the oracle.

    Args:
        results: several methods of one run stand together.
        names: run id → what it is called here.
    """
    rows: list[tuple[Cell, ...]] = []
    told: set[str] = set()
    for one in results:
        run = one.material.run.id
        name = text_cell(names[run])
        if run not in told:
            told.add(run)
            rows.append((name, *_cells_before(one)))
        rows.append((name, *_cells_after(one)))
        if one.oracle is not None and one.basis != "oracle":
            rows.append((name, *_oracle_cells(one, *one.oracle)))
    return _told_apart(Table(_COLUMNS, tuple(rows), "Test, accuracy in %", tuple(_notes(results, names))))


def _told_apart(table: Table) -> Table:
    """The table; where its rows are of several runs or settings, what they are of stays, however narrow it is shown."""
    if len({row[0].text for row in table.rows}) < 2:
        return table
    return replace(table, columns=(replace(table.columns[0], drop=0), *table.columns[1:]))


def _cells_before(one: Adjusted) -> tuple[Cell, ...]:
    accuracy = one.before.score.accuracy
    nothing = text_cell("-")
    ece = percent_cell(one.before.calibration_error)
    return text_cell("none"), nothing, *_accuracy(accuracy), nothing, ece, text_cell("")


def _cells_after(one: Adjusted) -> tuple[Cell, ...]:
    accuracy = one.after.score.accuracy
    return (
        _method(one),
        figure_cell(one.strength),
        *_accuracy(accuracy),
        _change(accuracy, one.before.score.accuracy),
        percent_cell(one.after.calibration_error),
        text_cell(_BASES[one.basis]),
    )


def _oracle_cells(one: Adjusted, strength: float, accuracy: AccuracySummary) -> tuple[Cell, ...]:
    return (
        _method(one),
        figure_cell(strength),
        *_accuracy(accuracy, "dim"),
        _change(accuracy, one.before.score.accuracy),
        text_cell("-"),
        text_cell(ORACLE, "dim"),
    )


def _label(one: Adjusted) -> str:
    return label_of(one.method.name)


def _method(one: Adjusted) -> Cell:
    more = "".join(f", {key} {value:.3g}" for key, value in one.method.parameters.items())
    return Cell(_label(one) + more, one.method.name)


def _accuracy(accuracy: AccuracySummary, style: str = "") -> tuple[Cell, ...]:
    return tuple(percent_cell(getattr(accuracy, group), style) for group in GROUPS)


def _change(after: AccuracySummary, before: AccuracySummary) -> Cell:
    change = after.all - before.all
    return Cell(points(change), change, "green" if change > 0 else "red" if change < 0 else "")


def _notes(results: Sequence[Adjusted], names: Mapping[str, str]) -> list[str]:
    notes = []
    for one in results:
        about = f"{names[one.material.run.id]} {_label(one)}"
        interval = one.after.interval
        if one.choice is not None and one.basis == "validation":
            low, high = one.choice.within_one_error
            notes.append(
                f"{about}: strengths from {low:.3g} to {high:.3g} are within one standard error on "
                f"{one.choice.n_images} validation images; All on test {percent(interval.low)} to "
                f"{percent(interval.high)} (95 %, bootstrap over its images)"
            )
        if one.prior is not None:
            notes.append(f"{about}: class frequencies: {one.prior.source}")
        if one.basis == "published":
            notes.append(f"{about}: nothing was chosen; {one.method.strength_source}")
        if one.warning is not None:
            notes.append(f"{about}: {one.warning.message()}")
    more = len(notes) - _SHOWN_NOTES
    return notes[:_SHOWN_NOTES] + ([f"and {more} more remarks; --json has them"] if more > 0 else [])


def seed_table(results: Sequence[Adjusted], settings: Sequence[Setting]) -> Table:
    """Mean ± sample standard deviation over the seeds of each setting, each once."""
    rows: list[tuple[Cell, ...]] = []
    notes: list[str] = []
    short = short_ids(run.id for setting in settings for run in setting.runs)
    for setting in settings:
        counted = one_a_seed(setting.runs, candidate)
        notes += sentences(setting.label, counted, short)
        ids = [run.id for run in counted.runs]
        own = [one for one in results if one.material.run.id in ids]
        for method in dict.fromkeys(one.method.name for one in own):
            of_method = [one for one in own if one.method.name == method]
            if method == own[0].method.name:
                before = [one.before.score.accuracy for one in of_method]
                rows.append(_folded(setting.label, "none", None, before, before, ""))
            rows += _of_method(setting.label, method, of_method)
    columns = (
        replace(_COLUMNS[0], wrap=True),
        Column("n", "n"),
        *(column for column in _COLUMNS[1:] if column.key != "ece"),
    )
    title = "Mean ± sample standard deviation over seeds, accuracy in %"
    return _told_apart(Table(columns, tuple(rows), title, tuple(notes)))


def _of_method(label: str, method: str, results: Sequence[Adjusted]) -> list[tuple[Cell, ...]]:
    before = [one.before.score.accuracy for one in results]
    after = [one.after.score.accuracy for one in results]
    bases = " / ".join(dict.fromkeys(_BASES[one.basis] for one in results))
    rows = [_folded(label, method, [one.strength for one in results], after, before, bases)]
    best = [one.oracle for one in results if one.oracle is not None and one.basis != "oracle"]
    if best and len(best) == len(results):
        rows.append(_folded(label, method, [s for s, _ in best], [a for _, a in best], before, ORACLE))
    return rows


def _folded(
    label: str,
    method: str,
    strengths: Sequence[float] | None,
    after: Sequence[AccuracySummary],
    before: Sequence[AccuracySummary],
    basis: str,
) -> tuple[Cell, ...]:
    cells = [_mean([getattr(one, group) for one in after], percent) for group in GROUPS]
    changes = [one.all - base.all for one, base in zip(after, before, strict=True)]
    return (
        text_cell(label),
        Cell(str(len(after)), len(after)),
        Cell(label_of(method), method),
        text_cell("-")
        if strengths is None
        else Cell(strengths_over_seeds(strengths), float(np.mean(strengths))),
        *cells,
        text_cell("-") if after is before else _mean(changes, points, percent),
        text_cell(basis, "dim" if basis == ORACLE else ""),
    )


def strengths_over_seeds(strengths: Sequence[float]) -> str:
    """`1.30 ± 0.10`, more decimals below 0.1; the strength alone where all seeds have the same, as typed."""
    found = seed_statistics(np.array(strengths, dtype=np.float64))
    if not found.std > ROUNDING * abs(found.mean):
        return f"{found.mean:.3g}"
    mean = f"{found.mean:.2f}" if abs(found.mean) >= 0.1 else figure(found.mean, 2)
    return plus_minus(mean, figure(found.std))


def _mean(
    values: Sequence[float],
    write: Callable[[float], str],
    write_spread: Callable[[float], str] | None = None,
) -> Cell:
    statistics = seed_statistics(np.array(values, dtype=np.float64))
    spread = (write_spread or write)(statistics.std) if statistics.n > 1 else "-"
    return Cell(plus_minus(write(statistics.mean), spread), statistics.mean)


def sweep_table(one: Adjusted, strengths: Floats, name: str) -> Table:
    """Accuracy at each strength of a sweep; the rows nearest to the chosen and the oracle's are marked."""
    splits = ("validation", "test") if one.validation_curve is not None else ("test",)
    columns = [Column("strength", one.method.symbol)]
    for split in splits:
        columns += [
            Column(
                f"{split}.{key}",
                f"{'val ' if split == 'validation' else ''}{title}",
                drop=0 if key == "all" else 1,
            )
            for key, title in GROUP_TITLES.items()
        ]
    columns.append(Column("mark", "", right=False))
    marks = {int(np.argmin(np.abs(strengths - one.strength))): _BASES[one.basis]}
    if one.oracle is not None and one.basis != "oracle":
        nearest = int(np.argmin(np.abs(strengths - one.oracle[0])))
        marks[nearest] = "; ".join(word for word in (marks.get(nearest, ""), ORACLE) if word)
    rows = []
    for index, (strength, found) in enumerate(sweep_rows(one, strengths)):
        cells = [figure_cell(strength)]
        for split in splits:
            cells += _accuracy(found[split])
        rows.append((*cells, text_cell(f"nearest to {marks[index]}" if index in marks else "", "dim")))
    how = "exact at every strength" if one.test_curve.exact else "a grid"
    return Table(tuple(columns), tuple(rows), plain(f"{name}: {one.method.title}, accuracy in %, {how}"))


def curve_plot(one: Adjusted, look: Look, name: str) -> Canvas:
    """All on validation, and test by group, over the strength; a cursor at the chosen one."""
    end = float(one.test_curve.edges[-1])
    at = np.linspace(0.0, end, _CURVE_POINTS) if end else np.zeros(1)
    curves = []
    if one.validation_curve is not None:
        curves.append(("val All", one.validation_curve, "all"))
    curves += [
        ("test All" if group == "all" else GROUP_TITLES[group], one.test_curve, group) for group in GROUPS
    ]
    series = [
        Series.styled(label, at, 100 * accuracy_at(curve, at, group), series_style(index))
        for index, (label, curve, group) in enumerate(curves)
    ]
    options = LineOptions(
        look.width,
        look.height,
        title=plain(f"{name} {_label(one)} [%]"),
        x_label=one.method.symbol,
        glyphs=look.glyphs,
        cursor_x=one.strength,
    )
    return line_plot(series, options).canvas


def adjusted_json(one: Adjusted, sweep: Floats | None) -> dict[str, Any]:
    """One result for machines; accuracies are fractions."""
    choice = one.choice
    interval = one.after.interval
    return {
        "run": one.material.run.id,
        "method": one.method.name,
        "parameters": one.method.parameters,
        "strength": one.strength,
        "basis": one.basis,
        "criterion": one.criterion,
        "prior": one.prior_source,
        "choice": None if choice is None else vars(choice),
        "test": {
            "before": _summary(one.before.score.accuracy),
            "after": _summary(one.after.score.accuracy),
            "interval_all": [interval.low, interval.high],
            "interval_level": interval.level,
            "ece": one.after.calibration_error,
        },
        "validation": None if one.validation is None else _summary(one.validation),
        "oracle": None
        if one.oracle is None
        else {"strength": one.oracle[0], "test": _summary(one.oracle[1]), "note": ORACLE},
        "warning": None if one.warning is None else vars(one.warning),
        "sweep": None
        if sweep is None
        else [
            {"strength": strength, **{split: _summary(found, False) for split, found in splits.items()}}
            for strength, splits in sweep_rows(one, sweep)
        ],
    }


def _summary(accuracy: AccuracySummary, by_class: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {group: float(getattr(accuracy, group)) for group in GROUPS}
    return found | ({"by_class": [float(value) for value in accuracy.by_class]} if by_class else {})

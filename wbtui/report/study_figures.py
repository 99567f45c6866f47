"""Which pictures does a study make, and of which numbers? They are drawn elsewhere (`drawing`).

The papers' four, for each data preset: FDR over epochs, norms over classes, cosine similarity between classes, and
accuracy over the strength of an adjustment. Seeds of a setting fold into a mean and a sample standard deviation.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wbtui.metrics import head_first
from wbtui.report.adjusting import Adjusted, Request, accuracy_at, adjust_run, load_material
from wbtui.report.entries import Entry
from wbtui.report.figures import GROUP_TITLES, figures_of
from wbtui.report.study import by_preset
from wbtui.store.errors import StoreReadError
from wbtui.store.reader import Run
from wbtui.store.text import plain

Floats = npt.NDArray[np.float64]

_STRENGTHS = 400
"""Points of a curve over the strength; the figure is a few hundred points wide."""
_SPREAD = "line and band: mean and ± sample standard deviation over n seeds"
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, eq=False)
class Line:
    """One setting."""

    label: str
    x: Floats
    """(K,)"""

    mean: Floats
    """(K,) over seeds, NaN where nothing was measured."""

    std: Floats
    """(K,) sample standard deviation over seeds; NaN for one seed."""

    marks: tuple[tuple[float, float], ...] = ()
    """Points to be told apart, one a seed."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Lines over one pair of axes."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, eq=False)
class MatrixPanel:
    """A matrix with a row and a column a class."""

    title: str
    values: Floats
    """(C, C)"""


@dataclass(frozen=True, eq=False)
class StudyFigure:
    """A file."""

    name: str
    """Harmless as a file name, without its ending."""

    panels: tuple[Panel, ...] | tuple[MatrixPanel, ...]
    note: str
    """What must be said below it."""


def study_figures(entries: Sequence[Entry], adjustments: Sequence[Request]) -> list[StudyFigure]:
    """The figures of a study; what no run measured is left out.

    Args:
        entries: of a study; adjusted ones are passed over, geometry does not know them.
        adjustments: for accuracy over their strength.

    Raises:
        UsageError: a run cannot be read, or adjusted by a method.
    """
    found: list[StudyFigure] = []
    for preset, own in by_preset(entry for entry in entries if entry.members[0].derived is None).items():
        figures = [
            _fdr(own),
            _norms(own),
            _cosine(own),
            *(_strength(own, request) for request in adjustments),
        ]
        stem = _NOT_A_NAME.sub("_", preset)
        found += [
            StudyFigure(f"{stem}-{one.name}", one.panels, f"{plain(preset)}: {one.note}")
            for one in figures
            if one.panels
        ]
    return found


def _runs(entry: Entry) -> list[Run]:
    return [one.run for one in entry.members]


def _label(entry: Entry) -> str:
    return f"{entry.label}, n = {entry.n}"


def _folded(
    label: str, x: Floats, seeds: Sequence[Floats], marks: Iterable[tuple[float, float]] = ()
) -> Line:
    """Mean and sample standard deviation of (K,) values of each seed."""
    values = np.stack(seeds)
    std = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(x.shape, np.nan)
    return Line(label, x, values.mean(axis=0), std, tuple(marks))


def _fdr(entries: Sequence[Entry]) -> StudyFigure:
    panels = []
    for split in ("train", "test"):
        lines = [line for entry in entries if (line := _over_epochs(entry, f"{split}.fdr")) is not None]
        if lines:
            panels.append(Panel(f"FDR, {split}", "epoch", "Fisher's discriminant ratio", tuple(lines)))
    return StudyFigure("fdr", tuple(panels), _SPREAD)


def _over_epochs(entry: Entry, metric: str) -> Line | None:
    """A scalar at the epochs in which every seed measured it; None: there are none."""
    seeds = [dict(zip(*run.scalars(metric), strict=True)) for run in _runs(entry)]
    epochs = sorted(set.intersection(*(set(one) for one in seeds)))
    if not epochs:
        return None
    values = [np.array([one[epoch] for epoch in epochs], dtype=np.float64) for one in seeds]
    return _folded(_label(entry), np.array(epochs, dtype=np.float64), values)


def _norms(entries: Sequence[Entry]) -> StudyFigure:
    """‖μ_k‖ of the training features and ‖w_k‖, both of the weights that made the predictions."""
    wanted: tuple[tuple[str, Callable[[Run], npt.NDArray[np.float32]]], ...] = (
        ("class-mean feature norm ‖μ_k‖, train", lambda run: run.classifier().class_mean_feature_norms),
        ("classifier norm ‖w_k‖", lambda run: run.classifier().norms),
    )
    panels = []
    for title, read in wanted:
        lines = [line for entry in entries if (line := _over_classes(entry, read)) is not None]
        if lines:
            panels.append(Panel(title, "class, head to tail", "norm", tuple(lines)))
    return StudyFigure("norms", tuple(panels), _SPREAD)


def _over_classes(entry: Entry, read: Callable[[Run], npt.NDArray[np.float32]]) -> Line | None:
    seeds = []
    for run in _runs(entry):
        try:
            seeds.append(read(run)[head_first(run.classifier().train_counts)].astype(np.float64))
        except StoreReadError:
            return None
    if np.isnan(seeds[0]).all() or len({one.shape for one in seeds}) > 1:
        return None
    return _folded(_label(entry), np.arange(len(seeds[0]), dtype=np.float64), seeds)


def _cosine(entries: Sequence[Entry]) -> StudyFigure:
    """Matrices are kept of the last epoch, which need not be that of the weights that made the predictions."""
    panels = []
    selected = False
    for entry in entries:
        try:
            orders = [head_first(run.classifier().train_counts) for run in _runs(entry)]
            seeds = [
                run.matrix("test.cosine")[np.ix_(order, order)].astype(np.float64)
                for run, order in zip(_runs(entry), orders, strict=True)
            ]
        except StoreReadError:
            continue
        if len({one.shape for one in seeds}) == 1:
            panels.append(MatrixPanel(_label(entry), np.mean(seeds, axis=0)))
            selected |= any(
                figures_of(run).epoch != run.matrix_epochs("test.cosine")[-1] for run in _runs(entry)
            )
    note = "mean cosine similarity of test features by class, head first; mean over n seeds"
    if selected:
        note += "; of the weights after the last epoch, where the table is of those that validation prefers"
    return StudyFigure("cosine", tuple(panels), note)


def _strength(entries: Sequence[Entry], request: Request) -> StudyFigure:
    """Test accuracy at every strength; the strength itself was chosen without test."""
    method = request.method
    results = {
        id(entry): [adjust_run(load_material(run), request) for run in _runs(entry)] for entry in entries
    }
    panels = []
    for group, title in GROUP_TITLES.items():
        lines = tuple(_over_strength(entry, results[id(entry)], group) for entry in entries)
        panels.append(Panel(f"{title}, test", method.symbol, "accuracy, %", lines))
    bases = sorted({one.basis for found in results.values() for one in found})
    note = (
        f"{method.title}; {_SPREAD}; dots: the strength of each seed ({' / '.join(bases)}); "
        "the best of such a curve is an oracle, not a result"
    )
    return StudyFigure(f"{_NOT_A_NAME.sub('_', method.name)}", tuple(panels), note)


def _over_strength(entry: Entry, results: Sequence[Adjusted], group: str) -> Line:
    at = np.linspace(0.0, min(float(one.test_curve.edges[-1]) for one in results), _STRENGTHS)
    seeds = [100 * accuracy_at(one.test_curve, at, group) for one in results]
    marks = [(one.strength, 100 * float(getattr(one.after.score.accuracy, group))) for one in results]
    return _folded(_label(entry), at, seeds, marks)

"""Which picture does `--plot accuracy,fdr` or `--plot feature_norm@class` mean, without a screen?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wbtui.catalog import nearest
from wbtui.errors import UsageError
from wbtui.plotting.bars import BarOptions, bar_plot
from wbtui.plotting.canvas import Canvas
from wbtui.plotting.columns import Overlay
from wbtui.plotting.glyphs import GlyphSet
from wbtui.plotting.heatmap import HeatmapOptions, heatmap
from wbtui.plotting.line import LineOptions, line_plot
from wbtui.plotting.palette import series_style
from wbtui.plotting.series import Series
from wbtui.report.class_axis import class_axis
from wbtui.report.figures import GROUPS, SPLITS_SHOWN
from wbtui.store.errors import StoreReadError
from wbtui.store.format import Metric
from wbtui.store.reader import Run
from wbtui.store.text import plain

_LOG = frozenset({"fdr", "loss"})
"""Families that are drawn logarithmically."""


@dataclass(frozen=True)
class Look:
    """Size and abilities of where pictures go."""

    width: int = 100
    height: int = 14
    glyphs: GlyphSet = GlyphSet.BRAILLE
    colour: bool = True


def plots(run: Run, wanted: str, look: Look) -> list[Canvas]:
    """A picture for each name, apart by commas.

    Args:
        run: the run.
        wanted: names of metrics (`test.fdr`, `test.feature_norm@class`, `test.cosine`) or of families (`fdr`,
            `accuracy`, `feature_norm@class`: the split that has it, test before train).
        look: size and abilities.

    Raises:
        UsageError: a name that the run did not measure, with those that it did.
    """
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        raise UsageError(f"--plot: expected names of metrics; {_known(run)}")
    return [_plot(run, name, look) for name in names]


def _plot(run: Run, name: str, look: Look) -> Canvas:
    metrics = _metrics(run, name)
    axis = metrics[0].axis
    if axis == "scalar":
        return _lines(run, name, metrics, look)
    if axis == "matrix":
        return _matrix(run, metrics[0], look)
    return _bars(run, metrics[0], look)


def _metrics(run: Run, name: str) -> list[Metric]:
    """The declared metrics that a name means: one vector or matrix, or one or more scalars of a picture."""
    declared = run.metrics
    if name in declared:
        return [declared[name]]
    if "@" in name:
        matching = [declared[f"{split}.{name}"] for split in SPLITS_SHOWN if f"{split}.{name}" in declared]
        measured = [metric for metric in matching if _last_row(run, metric.name) is not None]
        if matching:
            return measured[:1] or matching[:1]
    of_family = [one for one in declared.values() if one.family == name and one.axis == "scalar"]
    grouped = [f"{split}.{name}.{group}" for split in SPLITS_SHOWN for group in GROUPS]
    for start in range(0, len(grouped), len(GROUPS)):
        found = [declared[one] for one in grouped[start : start + len(GROUPS)] if one in declared]
        if any(len(run.scalars(one.name)[0]) for one in found):
            return found
    if of_family:
        return of_family
    raise UsageError(
        f"--plot {plain(name)}: {plain(run.id)} has no such metric{_near(run, name)}; {_known(run)}"
    )


def _near(run: Run, name: str) -> str:
    return nearest(name, [*run.metrics, *(metric.family for metric in run.metrics.values())])


def _known(run: Run) -> str:
    families = sorted({metric.family for metric in run.metrics.values() if metric.axis == "scalar"})
    vectors = sorted({_without_split(name) for name in run.metrics if "@" in name})
    matrices = sorted(metric.name for metric in run.metrics.values() if metric.axis == "matrix")
    return "expected one of " + ", ".join([*families, *vectors, *matrices]) + ", or a metric's whole name"


def _without_split(name: str) -> str:
    split, _, rest = name.partition(".")
    return rest if split in SPLITS_SHOWN else name


def _lines(run: Run, name: str, metrics: Sequence[Metric], look: Look) -> Canvas:
    series, values = [], []
    for index, metric in enumerate(metrics):
        epochs, measured = run.scalars(metric.name)
        scale = 100.0 if metric.unit == "fraction" else 1.0
        label = metric.group or metric.name.removesuffix(f".{name}").removesuffix(f".{metric.family}")
        style = series_style(index)
        series.append(Series.styled(label, epochs.astype(np.float64), scale * measured, style))
        values.append(measured)
    positive = np.concatenate(values) if values else np.empty(0)
    finite = positive[np.isfinite(positive)]
    unit = "%" if metrics[0].unit == "fraction" else metrics[0].unit
    split = metrics[0].name.split(".", 1)[0] if metrics[0].group else ""
    title = " ".join(word for word in (split, name, f"[{unit}]" if unit else "") if word)
    options = LineOptions(
        look.width,
        look.height,
        title=plain(title),
        x_label="epoch",
        glyphs=look.glyphs,
        log_y=metrics[0].family in _LOG and bool(finite.size) and bool((finite > 0).all()),
    )
    return line_plot(series, options).canvas


def _last_row(run: Run, name: str) -> tuple[int, npt.NDArray[np.float32]] | None:
    """The last epoch in which a vector was measured, and its row."""
    measured = [epoch.number for epoch in run.epochs if name in epoch.vectors]
    if not measured:
        return None
    return measured[-1], run.series(name).values[measured[-1] - 1]


def _bars(run: Run, metric: Metric, look: Look) -> Canvas:
    last = _last_row(run, metric.name)
    if last is None:
        raise UsageError(f"--plot {metric.name}: not measured yet in {plain(run.id)}")
    epoch, row = last
    percent = metric.unit == "fraction"
    options = BarOptions(
        look.width,
        look.height,
        title=plain(f"{metric.name}, epoch {epoch}{' [%]' if percent else ''}"),
        glyphs=look.glyphs,
        first="first",
        last="last",
    )
    values = row.astype(np.float64) * (100.0 if percent else 1.0)
    if metric.axis != "class":
        return bar_plot(values, options).canvas
    counts = _train_counts(run, metric.width)
    axis = class_axis(metric.width, counts, metric.names)
    options = replace(options, first=axis.ends[0], last=axis.ends[1], names=axis.names)
    overlay = None if counts is None else Overlay("n_k", counts[axis.order])
    return bar_plot(values[axis.order], options, overlay).canvas


def _train_counts(run: Run, classes: int) -> npt.NDArray[np.float64] | None:
    try:
        counts = run.classifier().train_counts
    except StoreReadError:
        known = run.provenance.get("data")
        listed = known.get("train_counts") if isinstance(known, dict) else None
        if not isinstance(listed, list) or not all(type(count) is int for count in listed):
            return None
        counts = np.array(listed, dtype=np.int64)
    return counts.astype(np.float64) if counts.shape == (classes,) else None


def _matrix(run: Run, metric: Metric, look: Look) -> Canvas:
    values = run.matrix(metric.name).astype(np.float64)
    epoch = run.matrix_epochs(metric.name)[-1]
    axis = class_axis(metric.width, _train_counts(run, metric.width), metric.names)
    options = HeatmapOptions(
        look.width,
        look.height,
        title=plain(f"{metric.name}, epoch {epoch}"),
        glyphs=look.glyphs,
        colour=look.colour,
        row_names=axis.names,
        column_names=axis.names,
        x_label="predicted" if metric.family == "confusion" else "",
    )
    return heatmap(values[np.ix_(axis.order, axis.order)], options).canvas

"""How does one panel look? Pure: what is shown, how it is to be shown and a size in; a picture out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from wbtui.plotting import (
    DEFAULT,
    Band,
    BarOptions,
    Canvas,
    Colormap,
    GlyphSet,
    HeatmapOptions,
    LineOptions,
    Overlay,
    Series,
    SeriesStyle,
    bar_plot,
    heatmap,
    line_plot,
    series_style,
)
from wbtui.plotting.strokes import Plane
from wbtui.report.class_axis import ClassAxis, class_axis
from wbtui.tui.detail import last_measured
from wbtui.tui.panels import PanelSpec, PanelView, YSpan
from wbtui.tui.seeds import XAxis, seed_curve, seed_row, x_of
from wbtui.tui.snapshots import Curve, Floats, RunDetail

X_AXES: tuple[XAxis, ...] = ("epoch", "time", "images")
ClassView = Literal["bars", "curves", "heatmap"]
CLASS_VIEWS: tuple[ClassView, ...] = ("bars", "curves", "heatmap")
_AXIS_NAMES = {"epoch": "", "time": "by minutes", "images": "by images"}
_WIDE_FOR_WORDS = 48  # cells from which a title has room for whole words
_NO_MATRIX = "measured at the end of the run; sooner with diagnostics.matrices_every"


@dataclass(frozen=True, eq=False)
class Shown:
    """A run, or a group of seeds, that panels show."""

    id: str
    label: str
    style: SeriesStyle
    details: tuple[RunDetail, ...]
    """One run, or the seeds of a group."""

    @property
    def version(self) -> tuple[tuple[str, int], ...]:
        """Another one when its curves differ."""
        return tuple((detail.id, detail.version) for detail in self.details)


@dataclass(frozen=True)
class PlotState:
    """How panels show it."""

    smoothing: float = 0.0
    x_axis: XAxis = "epoch"
    x_bounds: tuple[float, float] | None = None
    """None: everything."""
    cursor: float | None = None
    """In the unit of the x axis."""
    log_y: frozenset[str] = frozenset()
    """Keys of panels."""
    splits: Mapping[str, int] = field(default_factory=dict)
    """Panel key → number of its view."""
    class_views: Mapping[str, str] = field(default_factory=dict)
    glyphs: GlyphSet = GlyphSet.BRAILLE
    colour: bool = True

    def class_view(self, spec: PanelSpec) -> ClassView:
        """How a panel by class or layer is drawn."""
        return cast(ClassView, self.class_views.get(spec.key, "bars"))


@dataclass(frozen=True, eq=False)
class Picture:
    """A panel, drawn."""

    canvas: Canvas
    plane: Plane | None = None
    """Where x lies, for the mouse; None where there is no x axis of epochs."""


def draw(spec: PanelSpec, shown: Sequence[Shown], state: PlotState, width: int, height: int) -> Picture:
    """Draw a panel; the first of `shown` is the one that bars and heatmaps are of."""
    view = spec.view(state.splits.get(spec.key, 0))
    if spec.axis == "scalar":
        return _lines(spec, view, shown, state, width, height)
    if shown and any(_is_to_be_read(view, detail) for detail in shown[0].details):
        options = HeatmapOptions(width, height, title=_title(spec, view), glyphs=state.glyphs)
        return Picture(heatmap(np.zeros((0, 0)), replace(options, nothing="reading ...")).canvas)
    if spec.axis == "matrix":
        return _matrix(spec, view, shown, state, width, height)
    kind = state.class_view(spec)
    if kind == "heatmap":
        return _over_epochs(spec, view, shown, state, width, height)
    if kind == "curves":
        return _by_class_curves(spec, view, shown, state, width, height)
    return _bars(spec, view, shown, state, width, height)


def _is_to_be_read(view: PanelView, detail: RunDetail) -> bool:
    """Whether a metric of a view was not looked for yet where it is declared."""
    return not detail.problem and any(
        metric in detail.metrics and metric not in detail.asked for metric in view.metrics
    )


def epoch_at(detail: RunDetail, x: float | None, axis: XAxis) -> float | None:
    """The last epoch of a run up to a place on the x axis, its first where that comes later; None without a place."""
    if x is None or axis == "epoch" or not len(detail.epochs):
        return x
    places = detail.seconds / 60 if axis == "time" else detail.images
    return float(detail.epochs[max(int(np.searchsorted(places, x, side="right")) - 1, 0)])


def x_extent(shown: Sequence[Shown], axis: XAxis) -> tuple[float, float] | None:
    """First and last x of all shown runs; None where there is none."""
    ends: list[float] = []
    for detail in (detail for one in shown for detail in one.details if len(detail.epochs)):
        x = x_of(detail, Curve(detail.epochs, np.zeros(len(detail.epochs))), axis)
        ends += [float(x[0]), float(x[-1])]
    return (min(ends), max(ends)) if ends else None


def _title(spec: PanelSpec, view: PanelView, *more: str) -> str:
    percent = " %" if spec.unit == "fraction" else ""
    return " ".join(part for part in (spec.title + percent, view.name, *more) if part)


# ---------------------------------------------------------------------- curves over epochs


def _lines(
    spec: PanelSpec, view: PanelView, shown: Sequence[Shown], state: PlotState, width: int, height: int
) -> Picture:
    alone = len(shown) == 1
    metrics = list(zip(view.metrics, view.labels, strict=True))
    grouped = len(metrics) > 1 and not alone
    series: list[Series] = []
    bands: list[Band] = []
    for one in shown:
        measured = [pair for pair in metrics if any(len(d.curve(pair[0]).epochs) for d in one.details)]
        for number, (metric, label) in enumerate(measured[: 1 if grouped else None]):
            several = alone and len(measured) > 1
            style = series_style(number) if several else one.style
            own, around = _curve(
                one, metric, label if several else one.label, style, spec.factor, state.x_axis
            )
            series.append(own)
            bands += around
    roomy = width >= _WIDE_FOR_WORDS
    unit = _AXIS_NAMES[state.x_axis]  # in the title: between the ticks there is not always room
    unit = unit if roomy else unit.replace("minutes", "min")
    seeds = [f"n={len(shown[0].details)}"] if alone and bands and len(metrics) > 1 else []
    log = spec.key in state.log_y
    options = LineOptions(
        width,
        height,
        title=_title(
            spec, view, metrics[0][1] if grouped else "", unit, *seeds, *_spread(bands, state), _zoomed(state)
        ),
        x_label="" if roomy else unit.removeprefix("by "),  # a narrow title may be cut
        glyphs=state.glyphs,
        log_y=log,
        x_bounds=state.x_bounds,
        y_bounds=None if log or spec.span is None else _y_bounds(spec.span, series, state.x_bounds),
        smoothing=state.smoothing,
        cursor_x=state.cursor,
        legend=any(one.name for one in series),
    )
    plot = line_plot(series, options, bands)
    return Picture(plot.canvas, plot.plane if plot.dots.any() else None)


def _y_bounds(
    span: YSpan, series: Sequence[Series], within: tuple[float, float] | None
) -> tuple[float, float] | None:
    """The y axis of what is seen between the x bounds; None where nothing is."""
    left, right = within or (-np.inf, np.inf)
    seen = [one.y[(one.x >= left) & (one.x <= right) & np.isfinite(one.y)] for one in series]
    values = np.concatenate(seen) if seen else np.zeros(0)
    return span.bounds((float(values.min()), float(values.max()))) if len(values) else None


def _zoomed(state: PlotState) -> str:
    """What the title says where not everything is shown."""
    return "zoomed" if state.x_bounds is not None else ""


def _spread(bands: Sequence[Band], state: PlotState) -> list[str]:
    """What the title says of bands."""
    return [f"mean {'+-' if state.glyphs is GlyphSet.ASCII else '±'} std"] if bands else []


def _curve(
    one: Shown, metric: str, name: str, style: SeriesStyle, factor: float, axis: XAxis
) -> tuple[Series, list[Band]]:
    """The curve of a run; of seeds their mean, with a band of ± one sample standard deviation where two have values."""
    if len(one.details) == 1:
        curve = one.details[0].curve(metric)
        return Series.styled(name, x_of(one.details[0], curve, axis), curve.values * factor, style), []
    seeds = seed_curve(one.details, metric, axis)
    fewest, most = (int(seeds.counts.min()), int(seeds.counts.max())) if len(seeds.counts) else (0, 0)
    if most and fewest < len(one.details):
        known = f"{most}" if fewest == most else f"{fewest}-{most}"
        name = f"{name.removesuffix(f' n={len(one.details)}')} n={known}"
    mean, std = seeds.mean * factor, seeds.std * factor
    bands = [Band(name, seeds.x, mean - std, mean + std, style.colour)] if np.isfinite(std).any() else []
    return Series.styled(name, seeds.x, mean, style), bands


# ---------------------------------------------------------------------- by class, by layer


def short_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without the words that all of them begin with; words end at a dot."""
    if len(names) < 2:
        return names
    words = [name.split(".") for name in names]
    shared = 0
    while all(len(one) > shared + 1 and one[shared] == words[0][shared] for one in words):
        shared += 1
    return tuple(".".join(one[shared:]) for one in words)


@dataclass(frozen=True, eq=False)
class _Row:
    """A vector metric of one run at one epoch."""

    detail: RunDetail
    metric: str
    epoch: int
    values: Floats


def _rows(view: PanelView, one: Shown, state: PlotState) -> list[_Row]:
    """The row of each run of `one` that has one, of the first metric of the view that it has."""
    found = []
    for detail in one.details:
        metric = next((name for name in view.metrics if name in detail.vectors), "")
        at = epoch_at(detail, state.cursor, state.x_axis)
        row = last_measured(detail.vectors[metric], at) if metric else None
        if row is not None:
            found.append(_Row(detail, metric, row[0], row[1].astype(np.float64)))
    return found


def _when(epochs: Sequence[int]) -> str:
    """At which epoch, or between which, something was measured."""
    first, last = min(epochs), max(epochs)
    return f"@{first}" if first == last else f"@{first}-{last}"


def _class_axis(spec: PanelSpec, detail: RunDetail, metric: str, width: int) -> ClassAxis | None:
    """How the classes of a metric stand; None where it is not by class."""
    if spec.axis != "class":
        return None
    return class_axis(width, detail.train_counts, short_names(detail.metrics[metric].names))


def _bars(
    spec: PanelSpec, view: PanelView, shown: Sequence[Shown], state: PlotState, width: int, height: int
) -> Picture:
    options = BarOptions(
        width, height, title=_title(spec, view), glyphs=state.glyphs, first="first", last="last"
    )
    found = _rows(view, shown[0], state) if shown else []
    if not found:
        return Picture(bar_plot(np.zeros(0), options).canvas)
    row, _, seeds = seed_row([one.values for one in found])
    overlay = None
    axis = _class_axis(spec, found[0].detail, found[0].metric, len(row))
    if axis is not None:
        options = replace(options, first=axis.ends[0], last=axis.ends[1], names=axis.names)
        row, counts = row[axis.order], found[0].detail.train_counts
        if counts is not None and len(counts) == len(row):
            overlay = Overlay("n_k", counts[axis.order], colour=DEFAULT, log=True)
    said = [f"mean of {seeds}"] if seeds > 1 else []
    if len(shown) > 1 or state.cursor is not None:
        said = [shown[0].label, *said, _when([one.epoch for one in found])]
    options = replace(options, title=_title(spec, view, *said), colour=shown[0].style.colour)
    return Picture(bar_plot(row * spec.factor, options, overlay).canvas)


def _by_class_curves(
    spec: PanelSpec, view: PanelView, shown: Sequence[Shown], state: PlotState, width: int, height: int
) -> Picture:
    series: list[Series] = []
    bands: list[Band] = []
    axes: list[ClassAxis | None] = []
    for one in shown:
        found = _rows(view, one, state)
        if found:
            mean, std, seeds = seed_row([row.values * spec.factor for row in found])
            axis = _class_axis(spec, found[0].detail, found[0].metric, len(mean))
            if axis is not None:
                mean, std = mean[axis.order], std[axis.order]
            axes.append(axis)
            x = np.arange(len(mean), dtype=np.float64)
            series.append(Series.styled(one.label, x, mean, one.style))
            bands += [Band(one.label, x, mean - std, mean + std, one.style.colour)] if seeds > 1 else []
    ends = {axis.ends if axis is not None else ("first", "last") for axis in axes}
    named = {axis.names if axis is not None else () for axis in axes}
    options = LineOptions(
        width,
        height,
        title=_title(spec, view, *_spread(bands, state)),
        x_label=str(spec.axis),
        ends=ends.pop() if len(ends) == 1 else ("", ""),
        x_names=named.pop() if len(named) == 1 else (),  # runs of other classes share places, not names
        glyphs=state.glyphs,
        log_y=spec.key in state.log_y,
    )
    return Picture(line_plot(series, options, bands).canvas)


def _over_epochs(
    spec: PanelSpec, view: PanelView, shown: Sequence[Shown], state: PlotState, width: int, height: int
) -> Picture:
    options = HeatmapOptions(
        width,
        height,
        title=_title(spec, view),
        glyphs=state.glyphs,
        colour=state.colour,
        log=spec.key in state.log_y,
        x_label="epoch",
    )
    found = _rows(view, shown[0], replace(state, cursor=None)) if shown else []
    if not found:
        return Picture(heatmap(np.zeros((0, 0)), options).canvas)
    detail, metric = found[0].detail, found[0].metric
    rows, seeds = _mean_rows([one.detail.vectors[one.metric] for one in found])
    measured = np.flatnonzero(~np.isnan(rows).all(axis=1))
    rows = rows[measured]  # epochs without a measurement would leave stripes
    names = short_names(detail.metrics[metric].names)
    axis = _class_axis(spec, detail, metric, rows.shape[1])
    if axis is not None:
        rows, names = rows[:, axis.order], axis.names
    options = replace(
        options,
        title=_title(spec, view, *_whose(shown, seeds)),
        x_range=(float(measured[0] + 1), float(measured[-1] + 1)),
        row_names=names if len(names) == rows.shape[1] else (),
        cursor_x=epoch_at(detail, state.cursor, state.x_axis),
    )
    return Picture(heatmap(rows.T * spec.factor, options).canvas)


def _whose(shown: Sequence[Shown], seeds: int) -> list[str]:
    """What the title of a heatmap says of the run, or of the seeds, that it is of."""
    return [shown[0].label] * (len(shown) > 1) + [f"mean of {seeds}"] * (seeds > 1)


def _mean_rows(tables: Sequence[npt.NDArray[np.float32]]) -> tuple[Floats, int]:
    """The mean of tables (E, width) of one width over the seeds that reach an epoch; and how many tables."""
    alike = [table for table in tables if table.shape[1] == tables[0].shape[1]]
    if len(alike) == 1:
        return alike[0].astype(np.float64), 1
    longest = max(len(table) for table in alike)
    whole = np.full((len(alike), longest * alike[0].shape[1]), np.nan)
    for row, table in zip(whole, alike, strict=True):
        row[: table.size] = table.ravel()
    mean, _, seeds = seed_row(list(whole))
    return mean.reshape(longest, -1), seeds


def _matrix(
    spec: PanelSpec, view: PanelView, shown: Sequence[Shown], state: PlotState, width: int, height: int
) -> Picture:
    options = HeatmapOptions(
        width, height, title=_title(spec, view), glyphs=state.glyphs, colour=state.colour
    )
    details = shown[0].details if shown else ()
    metric = next((name for name in view.metrics for detail in details if name in detail.matrices), "")
    there = [detail for detail in details if metric in detail.matrices]
    if not there:
        if any(name in one.metrics and not one.problem for name in view.metrics for one in details):
            options = replace(options, nothing=_NO_MATRIX)
        return Picture(heatmap(np.zeros((0, 0)), options).canvas)
    size = len(there[0].matrices[metric][1])
    there = [detail for detail in there if len(detail.matrices[metric][1]) == size]
    mean, _, seeds = seed_row([detail.matrices[metric][1].astype(np.float64).ravel() for detail in there])
    axis = class_axis(size, there[0].train_counts, short_names(there[0].metrics[metric].names))
    when = _when([detail.matrices[metric][0] for detail in there])
    options = replace(
        options,
        title=_title(spec, view, *_whose(shown, seeds), when),
        row_names=axis.names,
        column_names=axis.names,
        x_label="predicted" if spec.key.startswith("confusion") else "",
        colormap=Colormap.DIVERGING if spec.key.startswith("cosine") else Colormap.SEQUENTIAL,
        log=spec.key in state.log_y,
    )
    return Picture(heatmap(mean.reshape(size, size)[np.ix_(axis.order, axis.order)], options).canvas)

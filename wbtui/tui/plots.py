"""How does one panel look? Pure: what is shown, how it is to be shown and a size in; a picture out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

import numpy as np

from wbtui.plotting import (
    DEFAULT,
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
from wbtui.tui.detail import last_measured
from wbtui.tui.panels import PanelSpec, PanelView
from wbtui.tui.snapshots import Curve, Floats, RunDetail

XAxis = Literal["epoch", "time", "images"]
X_AXES: tuple[XAxis, ...] = ("epoch", "time", "images")
ClassView = Literal["bars", "curves", "heatmap"]
CLASS_VIEWS: tuple[ClassView, ...] = ("bars", "curves", "heatmap")
_AXIS_NAMES = {"epoch": "epoch", "time": "minutes", "images": "images"}


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
    if spec.axis == "matrix":
        return _matrix(spec, view, shown, state, width, height)
    kind = state.class_view(spec)
    if kind == "heatmap":
        return _over_epochs(spec, view, shown, state, width, height)
    if kind == "curves":
        return _by_class_curves(spec, view, shown, state, width, height)
    return _bars(spec, view, shown, state, width, height)


def x_of(detail: RunDetail, curve: Curve, axis: XAxis) -> Floats:
    """Where the values of a curve lie on the x axis."""
    if axis == "epoch" or not len(detail.epochs):
        return curve.epochs.astype(np.float64)
    at = np.searchsorted(detail.epochs, curve.epochs).clip(0, len(detail.epochs) - 1)
    places: Floats = (detail.seconds / 60 if axis == "time" else detail.images)[at]
    return places


def epoch_at(detail: RunDetail, x: float | None, axis: XAxis) -> float | None:
    """The epoch of a run at a place on the x axis; None without a place."""
    if x is None or axis == "epoch" or not len(detail.epochs):
        return x
    places = detail.seconds / 60 if axis == "time" else detail.images
    return float(detail.epochs[int(np.argmin(np.abs(places - x)))])


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
    for one in shown:
        measured = [pair for pair in metrics if any(len(d.curve(pair[0]).epochs) for d in one.details)]
        for number, (metric, label) in enumerate(measured[: 1 if grouped else None]):
            style = series_style(number) if alone and len(measured) > 1 else one.style
            name = label if alone and len(measured) > 1 else one.label
            series += _series(one, metric, name, style, spec.factor, state.x_axis)
    label = metrics[0][1] if grouped else ""
    options = LineOptions(
        width,
        height,
        title=_title(spec, view, label),
        x_label="" if state.x_axis == "epoch" else _AXIS_NAMES[state.x_axis],
        glyphs=state.glyphs,
        log_y=spec.key in state.log_y,
        x_bounds=state.x_bounds,
        smoothing=state.smoothing,
        cursor_x=state.cursor,
    )
    plot = line_plot(series, options)
    return Picture(plot.canvas, plot.plane if plot.dots.any() else None)


def _series(
    one: Shown, metric: str, name: str, style: SeriesStyle, factor: float, axis: XAxis
) -> list[Series]:
    """The curve of a run; of a group of seeds their mean, the seeds faint behind it."""
    own = [
        (x_of(detail, curve, axis), curve.values * factor, curve.epochs)
        for detail in one.details
        if len((curve := detail.curve(metric)).epochs)
    ]
    if len(own) == 1:
        return [Series.styled(name, own[0][0], own[0][1], style)]
    if not own:
        return [Series.styled(name, np.zeros(0), np.zeros(0), style)]
    common = sorted(set.intersection(*(set(epochs.tolist()) for _, _, epochs in own)))
    at = [np.searchsorted(epochs, common) for _, _, epochs in own]
    x = np.mean([x[index] for (x, _, _), index in zip(own, at, strict=True)], axis=0)
    mean = np.mean([y[index] for (_, y, _), index in zip(own, at, strict=True)], axis=0)
    faint = [Series.styled(name, x, y, style).raw() for x, y, _ in own]
    return [*faint, Series.styled(name, x, mean, style)]


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


def _first_row(view: PanelView, one: Shown, state: PlotState) -> tuple[RunDetail, str, int, Floats] | None:
    """The first run of `one` with rows of the view: it, the metric, the epoch and the row."""
    for detail in one.details:
        for metric in view.metrics:
            rows = detail.vectors.get(metric)
            if rows is not None:
                found = last_measured(rows, epoch_at(detail, state.cursor, state.x_axis))
                if found is not None:
                    return detail, metric, found[0], found[1].astype(np.float64)
    return None


def _ends(spec: PanelSpec) -> tuple[str, str]:
    return ("head", "tail") if spec.axis == "class" else ("first", "last")


def _bars(
    spec: PanelSpec, view: PanelView, shown: Sequence[Shown], state: PlotState, width: int, height: int
) -> Picture:
    first, last = _ends(spec)
    options = BarOptions(width, height, title=_title(spec, view), glyphs=state.glyphs, first=first, last=last)
    found = _first_row(view, shown[0], state) if shown else None
    if found is None:
        return Picture(bar_plot(np.zeros(0), options).canvas)
    detail, _, epoch, row = found
    colour = shown[0].style.colour
    overlay = None
    if spec.axis == "class" and detail.train_counts is not None and len(detail.train_counts) == len(row):
        overlay = Overlay("n_k", detail.train_counts, colour=DEFAULT, log=True)
    which = f"{shown[0].label} @{epoch}" if len(shown) > 1 or state.cursor is not None else ""
    title = _title(spec, view, which)
    return Picture(bar_plot(row * spec.factor, replace(options, title=title, colour=colour), overlay).canvas)


def _by_class_curves(
    spec: PanelSpec, view: PanelView, shown: Sequence[Shown], state: PlotState, width: int, height: int
) -> Picture:
    series = []
    for one in shown:
        found = _first_row(view, one, state)
        if found is not None:
            row = found[3]
            series.append(
                Series.styled(one.label, np.arange(len(row), dtype=np.float64), row * spec.factor, one.style)
            )
    options = LineOptions(
        width,
        height,
        title=_title(spec, view),
        x_label=str(spec.axis),
        glyphs=state.glyphs,
        log_y=spec.key in state.log_y,
    )
    return Picture(line_plot(series, options).canvas)


def _over_epochs(
    spec: PanelSpec, view: PanelView, shown: Sequence[Shown], state: PlotState, width: int, height: int
) -> Picture:
    options = HeatmapOptions(
        width,
        height,
        title=_title(spec, view, shown[0].label if len(shown) > 1 else ""),
        glyphs=state.glyphs,
        colour=state.colour,
        log=spec.key in state.log_y,
        x_label="epoch",
    )
    found = _first_row(view, shown[0], replace(state, cursor=None)) if shown else None
    if found is None:
        return Picture(heatmap(np.zeros((0, 0)), options).canvas)
    detail, metric, _, _ = found
    rows = detail.vectors[metric]
    measured = np.flatnonzero(~np.isnan(rows).all(axis=1))
    rows = rows[measured]  # epochs without a measurement would leave stripes
    names = short_names(detail.metrics[metric].names)
    options = replace(
        options,
        x_range=(float(measured[0] + 1), float(measured[-1] + 1)),
        row_names=names if len(names) == rows.shape[1] else (),
        cursor_x=epoch_at(detail, state.cursor, state.x_axis),
    )
    return Picture(heatmap(rows.T.astype(np.float64) * spec.factor, options).canvas)


def _matrix(
    spec: PanelSpec, view: PanelView, shown: Sequence[Shown], state: PlotState, width: int, height: int
) -> Picture:
    options = HeatmapOptions(
        width, height, title=_title(spec, view), glyphs=state.glyphs, colour=state.colour
    )
    for detail in shown[0].details if shown else ():
        for metric in view.metrics:
            if metric in detail.matrices:
                epoch, values = detail.matrices[metric]
                names = short_names(detail.metrics[metric].names)
                options = replace(
                    options,
                    title=_title(spec, view, shown[0].label if len(shown) > 1 else "", f"@{epoch}"),
                    row_names=names if len(names) == len(values) else (),
                    colormap=Colormap.DIVERGING if spec.key.startswith("cosine") else Colormap.SEQUENTIAL,
                    log=spec.key in state.log_y,
                )
                return Picture(heatmap(values.astype(np.float64), options).canvas)
    return Picture(heatmap(np.zeros((0, 0)), options).canvas)

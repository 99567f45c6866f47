"""How do the curve over the strength and the bars by class look? Pure: numbers and a size in, a picture out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from wbtui.plotting import (
    BOLD,
    DIM,
    BarOptions,
    Canvas,
    GlyphSet,
    LineOptions,
    LinePlot,
    Series,
    bar_plot,
    line_plot,
    series_style,
)
from wbtui.plotting.columns import Ruler, bar_columns
from wbtui.report.class_axis import ClassAxis
from wbtui.tui.adjust_bench import Survey
from wbtui.tui.snapshots import Floats

_GAIN, _LOSS = 0x4FD08A, 0xFF7B4A
_ROOMY = 50
_POINTS = 400  # of a curve: more than any panel has columns of dots
_REACHES = (5.0, 10.0, 20.0, 30.0, 50.0, 75.0, 100.0)
_MARKS = {GlyphSet.ASCII: "_-'"}
_MARK_THIRDS = "▁─▔"  # where in its cell a value lies


@dataclass(frozen=True)
class Look:
    """What the terminal can show, and the strength's symbol in it."""

    glyphs: GlyphSet = GlyphSet.BRAILLE
    symbol: str = "τ"


def curve_plot(survey: Survey, look: Look, width: int, height: int) -> LinePlot:
    """Accuracy over every strength: All on validation, and test by group, which is marked as an oracle."""
    end = float(survey.test.edges[-1])
    at = np.linspace(0.0, end, _POINTS) if end else np.zeros(1)
    curves = [] if survey.validation is None else [("val All", survey.validation, "all")]
    curves += [
        (name, survey.test, group)
        for group, name in (("all", "test All"), ("many", "Head"), ("medium", "Med"), ("few", "Tail"))
    ]
    # A curve has its colour, whether validation is there or not.
    first = 0 if survey.validation is not None else 1
    series = []
    for index, (name, curve, group) in enumerate(curves):
        values = 100 * getattr(curve.values, group)[curve.plateau_at(at)]
        if np.isfinite(values).any():
            series.append(Series.styled(name, at, values, series_style(index + first)))
    said = "V validation, O oracle on test" if survey.validation is not None else "ORACLE, test only"
    how = "a sample" if survey.sampled else "exact" if survey.test.exact else "a grid"
    options = LineOptions(
        width,
        height,
        title=f"% by {look.symbol}: {said}" + (f"; {how}" if width >= _ROOMY else ""),
        glyphs=look.glyphs,
        x_bounds=(0.0, end) if end else None,
    )
    return line_plot(series, options)


def with_marks(plot: LinePlot, look: Look, marks: Mapping[str, float], strength: float) -> Canvas:
    """The same picture with lettered strengths and the one that is set.

    Args:
        plot: The curves.
        look: As the curves were drawn.
        marks: Letter → strength.
        strength: Where the slider stands.
    """
    area = plot.plane.area
    if area.height < 1 or area.width < 1:
        return plot.canvas
    canvas = replace(
        plot.canvas,
        glyphs=plot.canvas.glyphs.copy(),
        foreground=plot.canvas.foreground.copy(),
        attributes=plot.canvas.attributes.copy(),
    )
    rows = np.s_[area.top : area.bottom]
    for letter, place in {**marks, "|": strength}.items():
        column = plot.plane.column_at(float(plot.plane.x.fraction(np.array([place]))[0]))
        if not area.left <= column < area.right:
            continue
        empty = canvas.glyphs[rows, column] == " "
        here = letter == "|"
        dotted = empty if here else empty & (np.arange(area.height) % 2 == 0)
        canvas.glyphs[rows, column][dotted] = "|" if here or look.glyphs is GlyphSet.ASCII else "┊"
        canvas.attributes[rows, column][dotted] = BOLD if here else DIM
        if not here:
            canvas.glyphs[area.top, column] = letter
            canvas.attributes[area.top, column] = BOLD
    return canvas


def class_bars(after: Floats, before: Floats, axis: ClassAxis, look: Look, width: int, height: int) -> Canvas:
    """Bars after, a mark before, head to tail; both in percent on one scale.

    Args:
        after: (C,) fractions by class id; NaN for a class without images.
        before: (C,)
        axis: In which order and under which names the classes stand.
        look: Glyphs.
        width: In cells.
        height: In cells.
    """
    after, before = after[axis.order], before[axis.order]
    options = BarOptions(
        width,
        height,
        title="Accuracy % by class, - before",
        glyphs=look.glyphs,
        y_bounds=(0.0, 100.0),
        names=axis.names,
    )
    plot = bar_plot(100 * after, options)
    canvas, area, bins = plot.canvas, plot.area, plot.bins
    means = bins.means(100 * before)
    if not np.isfinite(means).any() or area.height < 1:
        return canvas
    characters = _MARKS.get(look.glyphs, _MARK_THIRDS)
    columns = bar_columns(area, bins)
    marked = np.flatnonzero((columns >= 0) & np.isfinite(means[columns]))
    up = np.clip(means[columns[marked]] / 100, 0.0, 1.0) * area.height
    cell = np.minimum(up.astype(np.int64), area.height - 1)
    third = np.minimum((3 * (up - cell)).astype(np.int64), 2)
    places = (area.bottom - 1 - cell, area.left + marked)
    under = canvas.glyphs[places] == "█"
    canvas.background[places] = np.where(under, canvas.foreground[places], canvas.background[places])
    canvas.glyphs[places] = np.array(list(characters))[third]
    canvas.foreground[places] = 0xFFFFFF
    canvas.attributes[places] = BOLD
    return canvas


def change_bars(
    after: Floats, before: Floats, axis: ClassAxis, look: Look, width: int, height: int
) -> Canvas:
    """Gains up and losses down, head to tail, in percentage points.

    Args:
        after: (C,) fractions by class id; NaN for a class without images.
        before: (C,)
        axis: In which order and under which names the classes stand.
        look: Glyphs.
        width: In cells.
        height: In cells.
    """
    change = 100 * (after - before)[axis.order]
    largest = float(np.nanmax(np.abs(change))) if np.isfinite(change).any() else 0.0
    reach = next((one for one in _REACHES if one >= largest - 1e-9), 100.0)
    options = BarOptions(
        width,
        height,
        title="Change by class, points",
        glyphs=look.glyphs,
        y_bounds=(-reach, reach),
        names=axis.names,
        colour=_GAIN,
    )
    plot = bar_plot(change, options)
    ruler = Ruler.over(-reach, reach, plot.area.height)
    lower = np.s_[plot.area.top + ruler.above : plot.area.bottom, plot.area.left : plot.area.right]
    plot.canvas.foreground[lower] = _LOSS
    return plot.canvas

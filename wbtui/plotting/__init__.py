"""A pure raster: numbers in, arrays of glyphs and styles out.

Every plot is a function of arrays and a frozen options object. It returns a `Canvas`, alone or beside what a
cursor reads; `Canvas.rows` cuts it into styled runs for a screen, `to_text` and `to_ansi` into strings.
"""

from wbtui.plotting.bands import Band
from wbtui.plotting.bars import BarOptions, BarPlot, BarReading, bar_plot
from wbtui.plotting.canvas import BOLD, DIM, Canvas, Run
from wbtui.plotting.columns import Overlay
from wbtui.plotting.cursor import Reading
from wbtui.plotting.glyphs import GlyphSet
from wbtui.plotting.heatmap import Heatmap, HeatmapOptions, heatmap
from wbtui.plotting.line import LineOptions, LinePlot, line_plot
from wbtui.plotting.palette import DEFAULT, OKABE_ITO, Colormap, SeriesStyle, series_style
from wbtui.plotting.series import Series
from wbtui.plotting.smoothing import ema
from wbtui.plotting.sparkline import sparkline
from wbtui.plotting.text import ColourDepth, to_ansi, to_text

__all__ = [
    "BOLD",
    "DEFAULT",
    "DIM",
    "OKABE_ITO",
    "Band",
    "BarOptions",
    "BarPlot",
    "BarReading",
    "Canvas",
    "Colormap",
    "ColourDepth",
    "GlyphSet",
    "Heatmap",
    "HeatmapOptions",
    "LineOptions",
    "LinePlot",
    "Overlay",
    "Reading",
    "Run",
    "Series",
    "SeriesStyle",
    "bar_plot",
    "ema",
    "heatmap",
    "line_plot",
    "series_style",
    "sparkline",
    "to_ansi",
    "to_text",
]

"""How does a figure of a study become an SVG? By matplotlib, an extra: the terminal's own plots do without it."""

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wbtui.errors import MissingPackageError
from wbtui.plotting.palette import DEFAULT, OKABE_ITO
from wbtui.report.study_figures import Line, MatrixPanel, Panel, StudyFigure
from wbtui.store import atomic
from wbtui.store.errors import StoreWriteError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SETTINGS: Any = {  # matplotlib types its settings by a list of all their names
    "svg.fonttype": "none",  # text stays text: searched, copied and set in the page's font
    "svg.hashsalt": "wbtui",  # the same numbers make the same bytes
    "text.parse_math": False,  # a $ in somebody's name is a dollar
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_SIDE = 3.2
"""Inches of a panel; a two-column page takes two."""
_MOST_ACROSS = 4
_DASHES = ("-", "--", "-.", ":")


def save_figures(figures: Sequence[StudyFigure], folder: Path) -> list[Path]:
    """Write each figure as NAME.svg; one of that name is replaced.

    Args:
        figures: what to draw.
        folder: where to; made if missing.

    Returns:
        The files.

    Raises:
        MissingPackageError: matplotlib is not installed.
        StoreWriteError: the folder cannot be written.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise MissingPackageError("--figures", error, "plots") from None

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreWriteError(folder, error) from error
    written = []
    with matplotlib.rc_context(_SETTINGS):
        for one in figures:
            path = folder / f"{one.name}.svg"
            atomic.write_bytes(path, _svg(one))
            written.append(path)
    return written


def _svg(one: StudyFigure) -> bytes:
    from matplotlib.figure import Figure  # pyplot would keep a state and look for a screen

    across = min(len(one.panels), _MOST_ACROSS)
    down = math.ceil(len(one.panels) / across)
    figure = Figure(figsize=(_SIDE * across + 0.6, (_SIDE * 0.85) * down + 0.9), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False).ravel().tolist()
    for empty in axes[len(one.panels) :]:
        empty.set_axis_off()
    matrices = [panel for panel in one.panels if isinstance(panel, MatrixPanel)]
    lines = [panel for panel in one.panels if isinstance(panel, Panel)]
    if matrices:
        _draw_matrices(figure, axes, matrices)
    for panel, place in zip(lines, axes, strict=False):
        _draw_lines(place, panel)
    if lines:
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    figure.supxlabel(one.note, fontsize=7, color="0.35", wrap=True)
    out = BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _draw_lines(axes: "Axes", panel: Panel) -> None:
    axes.set_title(panel.title)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    for index, line in enumerate(panel.lines):
        _draw_line(axes, line, index)
    if all((line.x == line.x.round()).all() for line in panel.lines):
        axes.locator_params("x", integer=True)  # there is no epoch 2.5


def _draw_line(axes: "Axes", line: Line, index: int) -> None:
    colour = OKABE_ITO[index % len(OKABE_ITO)]
    shade = "black" if colour == DEFAULT else f"#{colour:06x}"
    dash = _DASHES[(index + index // len(OKABE_ITO)) % len(_DASHES)]
    # An underscore in front would keep a label out of the legend.
    axes.plot(line.x, line.mean, dash, color=shade, linewidth=1.2, label=f"\u200b{line.label}")
    if not np.isnan(line.std).all():
        axes.fill_between(
            line.x, line.mean - line.std, line.mean + line.std, color=shade, alpha=0.18, linewidth=0
        )
    if line.marks:
        x, y = zip(*line.marks, strict=True)
        axes.plot(x, y, "o", color=shade, markersize=4)


def _draw_matrices(figure: "Figure", axes: "Sequence[Axes]", panels: Sequence[MatrixPanel]) -> None:
    """One scale of colours for all, up to 1; what was not measured stays white."""
    lowest = min(0.0, *(float(np.nanmin(panel.values, initial=0.0)) for panel in panels))
    for place, panel in zip(axes, panels, strict=False):
        image = place.imshow(panel.values, vmin=lowest, vmax=1.0, cmap="viridis", interpolation="nearest")
        place.set_title(panel.title)
        place.set_xlabel("class, head to tail")
        place.locator_params(integer=True)
    figure.colorbar(image, ax=list(axes[: len(panels)]), shrink=0.8)

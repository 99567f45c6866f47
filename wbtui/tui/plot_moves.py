"""What becomes of the view when a key is pressed: zoom, cursor, smoothing? Pure."""

from dataclasses import replace

import numpy as np

from wbtui.tui.plots import CLASS_VIEWS, X_AXES, PlotState
from wbtui.tui.snapshots import Floats

SMOOTHING = (0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)
_FEWEST_STEPS = 2  # from one epoch to the next, below which nothing is zoomed


def smoothed(state: PlotState, steps: int) -> PlotState:
    """More or less smoothing."""
    nearest = int(np.argmin([abs(state.smoothing - factor) for factor in SMOOTHING]))
    return replace(state, smoothing=SMOOTHING[min(max(nearest + steps, 0), len(SMOOTHING) - 1)])


def next_axis(state: PlotState) -> PlotState:
    """The next x axis; zoom and cursor belong to the old one."""
    following = X_AXES[(X_AXES.index(state.x_axis) + 1) % len(X_AXES)]
    return replace(state, x_axis=following, x_bounds=None, cursor=None)


def zoomed(
    state: PlotState,
    extent: tuple[float, float] | None,
    places: Floats,
    factor: float,
    at: float | None = None,
) -> PlotState:
    """Show `factor` as much of the x axis, down to two epochs of it, however long one takes.

    Args:
        state: The view.
        extent: First and last x of what is shown; None where there is nothing.
        places: (E,) x of the epochs of the first shown run, sorted.
        factor: 0.5 zooms in, 2 zooms out.
        at: What stays where it is; None: the cursor, without one the end.
    """
    if extent is None or extent[1] <= extent[0]:
        return state
    low, high = state.x_bounds or extent
    if at is None:
        at = high if state.cursor is None else state.cursor
    fraction = min(max((at - low) / (high - low), 0.0), 1.0)
    whole = extent[1] - extent[0]
    steps = len(places) - 1
    narrowest = _FEWEST_STEPS * float(places[-1] - places[0]) / steps if steps > 0 else whole
    width = max((high - low) * factor, narrowest if 0 < narrowest < whole else whole)
    if width >= whole:
        return replace(state, x_bounds=None)
    start = min(max(at - fraction * width, extent[0]), extent[1] - width)
    return replace(state, x_bounds=(start, start + width))


def cursor_moved(state: PlotState, places: Floats, steps: int) -> PlotState:
    """Move the cursor over these places (sorted); without one it begins at the last. The zoom follows it."""
    if not len(places):
        return state
    if state.cursor is None:
        return cursor_set(state, float(places[-1]))
    index = int(np.argmin(np.abs(places - state.cursor)))
    return cursor_set(state, float(places[min(max(index + steps, 0), len(places) - 1)]))


def cursor_set(state: PlotState, x: float) -> PlotState:
    """Put the cursor at a place; the zoom follows it."""
    bounds = state.x_bounds
    if bounds is not None and not bounds[0] <= x <= bounds[1]:
        shift = x - (bounds[1] if x > bounds[1] else bounds[0])
        bounds = (bounds[0] + shift, bounds[1] + shift)
    return replace(state, cursor=x, x_bounds=bounds)


def next_split(state: PlotState, key: str, count: int) -> PlotState:
    """The next split of a panel."""
    return replace(state, splits={**state.splits, key: (state.splits.get(key, 0) + 1) % count})


def next_class_view(state: PlotState, key: str) -> PlotState:
    """Bars, curves, heatmap."""
    now = CLASS_VIEWS.index(state.class_views.get(key, "bars"))
    return replace(state, class_views={**state.class_views, key: CLASS_VIEWS[(now + 1) % len(CLASS_VIEWS)]})


def log_toggled(state: PlotState, key: str) -> PlotState:
    """Logarithmic y axis of a panel, on and off."""
    return replace(state, log_y=state.log_y ^ {key})

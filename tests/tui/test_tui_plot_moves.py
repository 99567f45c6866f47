"""Where do zoom and cursor go?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbtui.tui import plot_moves
from wbtui.tui.marks import style_of
from wbtui.tui.plots import X_AXES, PlotState, Shown, x_extent
from wbtui.tui.seeds import XAxis, x_of
from wbtui.tui.snapshots import Curve, Floats, RunDetail


def detail_of(epochs: int) -> RunDetail:
    numbers = np.arange(1, epochs + 1)
    return RunDetail("r", 1, epochs=numbers, seconds=numbers * 0.1, images=numbers * 100.0)


def places_of(detail: RunDetail, axis: XAxis) -> Floats:
    return x_of(detail, Curve(detail.epochs, np.zeros(len(detail.epochs))), axis)


@given(
    st.integers(1, 300), st.lists(st.tuples(st.sampled_from([0.5, 2.0, 0.8]), st.floats(0, 400)), max_size=12)
)
def test_zoom_stays_within_what_there_is(epochs: int, steps: list[tuple[float, float]]) -> None:
    detail = detail_of(epochs)
    extent = x_extent([Shown("r", "r", style_of(0), (detail,))], "epoch")
    assert extent == (1, epochs)
    state = PlotState()
    for factor, at in steps:
        state = plot_moves.zoomed(state, extent, places_of(detail, "epoch"), factor, at)
        if state.x_bounds is not None:
            assert extent[0] - 1e-9 <= state.x_bounds[0] < state.x_bounds[1] <= extent[1] + 1e-9


@pytest.mark.parametrize("axis", X_AXES)
def test_zoom_ends_at_two_epochs_whatever_the_axis_and_however_short_they_are(axis: XAxis) -> None:
    detail = detail_of(epochs=41)  # of a tenth of a second each
    places = places_of(detail, axis)
    extent = x_extent([Shown("r", "r", style_of(0), (detail,))], axis)
    state = PlotState(x_axis=axis)
    for _ in range(20):
        state = plot_moves.zoomed(state, extent, places, 0.5)
    assert state.x_bounds == pytest.approx((places[-3], places[-1]))
    assert plot_moves.zoomed(PlotState(), extent, np.zeros(9), 0.5).x_bounds is None  # no place is known


def test_the_cursor_goes_from_epoch_to_epoch_and_the_zoom_follows() -> None:
    places = np.arange(1.0, 101.0)
    state = plot_moves.cursor_moved(PlotState(x_bounds=(80.0, 100.0)), places, -1)
    assert state.cursor == 100
    for _ in range(30):
        state = plot_moves.cursor_moved(state, places, -1)
    assert state.cursor == 70
    assert state.x_bounds == (70, 90)
    assert plot_moves.cursor_moved(PlotState(), places[:0], 1) == PlotState()
    assert plot_moves.next_axis(state).cursor is None

"""The mean and spread of seeds, against numpy over every seed by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.plotting import GlyphSet, series_style
from wbtui.store.format import Metric
from wbtui.tui.panels import panels_of
from wbtui.tui.plots import PlotState, Shown, draw
from wbtui.tui.seeds import seed_curve, seed_row, seeds_label
from wbtui.tui.snapshots import Curve, RunDetail

METRIC = Metric("test.fdr", "fdr", better="higher")
ROWS = Metric("test.norm@class", "norm", axis="class", width=3)


def seed(values: list[float], **more: object) -> RunDetail:
    """A run that measured the FDR in epochs 1, 2, 3 ..."""
    epochs = np.arange(1, len(values) + 1)
    return RunDetail(
        f"run{len(values)}",
        1,
        {METRIC.name: METRIC},
        epochs,
        seconds=60.0 * epochs * (1 + len(values)),
        images=100.0 * epochs,
        scalars={METRIC.name: Curve(epochs, np.array(values))} if values else {},
        **more,  # type: ignore[arg-type]
    )


def shown(*details: RunDetail, label: str = "wd n=3") -> Shown:
    return Shown("wd", label, series_style(0), details)


def text_of(width: int, height: int, *groups: Shown, glyphs: GlyphSet = GlyphSet.BRAILLE) -> str:
    (spec,) = panels_of([METRIC])
    return "\n".join(draw(spec, groups, PlotState(glyphs=glyphs), width, height).canvas.lines())


@given(st.lists(st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), max_size=12), min_size=2, max_size=5))
@settings(deadline=None)
def test_mean_and_sample_standard_deviation_are_of_the_seeds_that_have_a_value(
    rows: list[list[float]],
) -> None:
    found = seed_curve([seed(row) for row in rows], METRIC.name, "epoch")
    longest = max(map(len, rows))
    assert found.x.tolist() == list(range(1, longest + 1))
    for place in range(longest):
        there = [row[place] for row in rows if len(row) > place and np.isfinite(row[place])]
        assert found.counts[place] == len(there)
        assert found.mean[place] == pytest.approx(
            np.mean(there) if there else np.nan, nan_ok=True, rel=1e-9, abs=1e-6
        )
        expected = np.std(there, ddof=1) if len(there) > 1 else np.nan
        assert found.std[place] == pytest.approx(expected, nan_ok=True, rel=1e-6, abs=1e-6)


def test_seeds_that_took_different_time_stand_at_the_mean_of_their_places() -> None:
    fast, slow = seed([1.0, 2.0]), seed([1.0, 2.0, 3.0])
    found = seed_curve([fast, slow], METRIC.name, "time")
    assert found.x.tolist() == [(3 + 4) / 2, (6 + 8) / 2, 12.0]


def test_the_band_covers_only_epochs_that_two_seeds_have() -> None:
    rising = [float(epoch) for epoch in range(1, 61)]
    group = shown(seed(rising), seed([one + 20 for one in rising[:30]]), label="wd n=2")
    lines = text_of(90, 24, group).splitlines()
    assert "mean ± std" in lines[0]
    assert "wd n=1-2" in lines[0]
    area = [line[4:] for line in lines[1:-2]]
    width = max(map(len, area))
    dotted = [column for column in range(width) if any(line.ljust(width)[column] == "·" for line in area)]
    assert dotted
    assert max(dotted) < width * 32 / 60


def test_a_single_run_and_a_group_without_overlap_have_no_band() -> None:
    assert "std" not in text_of(60, 12, shown(seed([1.0, 2.0]), label="7f3a"))
    alone = text_of(60, 12, shown(seed([1.0, 2.0]), seed([]), label="wd n=2"))
    assert "std" not in alone
    assert "·" not in alone


def test_ascii_says_it_in_ascii() -> None:
    text = text_of(60, 14, shown(seed([1.0, 5.0]), seed([9.0, 15.0]), label="wd n=2"), glyphs=GlyphSet.ASCII)
    assert "mean +- std" in text
    assert text.isascii()


@pytest.mark.parametrize("view", ["bars", "curves", "heatmap"])
def test_by_class_the_mean_of_the_seeds_is_drawn_and_said(view: str) -> None:
    def with_rows(values: list[list[float]]) -> RunDetail:
        rows = np.array(values, dtype=np.float32)
        asked, epochs = frozenset({ROWS.name}), np.arange(1, len(rows) + 1)
        return RunDetail(str(values), 1, {ROWS.name: ROWS}, epochs, vectors={ROWS.name: rows}, asked=asked)

    (spec,) = panels_of([ROWS])
    group = shown(with_rows([[1, 2, 3], [3, 2, 1]]), with_rows([[3, 4, 5]]), label="wd n=2")
    state = PlotState(class_views={spec.key: view})
    lines = draw(spec, [group], state, 70, 12).canvas.lines()
    assert ("mean ± std" if view == "curves" else "mean of 2") in lines[0]
    same = draw(spec, [shown(with_rows([[1, 2, 3], [3, 3, 3]]))], PlotState(), 70, 12).canvas.lines()
    if view == "bars":  # the last rows are (3, 2, 1) and (3, 4, 5): their mean is 3 everywhere
        assert lines[1:] == same[1:]


def test_rows_of_another_length_are_left_out() -> None:
    mean, std, count = seed_row([np.array([1.0, 3.0]), np.array([3.0, 7.0]), np.zeros(5)])
    assert (mean.tolist(), std.tolist(), count) == ([2.0, 5.0], [np.sqrt(2), np.sqrt(8)], 2)
    alone, spread, one = seed_row([np.array([np.inf, 1.0])])
    assert (alone.tolist(), one) == ([np.inf, 1.0], 1)
    assert np.isnan(spread).all()


def test_a_long_name_leaves_room_for_n() -> None:
    assert seeds_label("wd", 3) == "wd n=3"
    assert seeds_label("x" * 40, 3) == "x" * 19 + "… n=3"
    assert seeds_label("x" * 40, 1) == "x" * 40

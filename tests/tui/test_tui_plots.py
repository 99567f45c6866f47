"""Which panels are there, and is every metric drawn and named at any size?"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from dashboard_helpers import METRICS
from hypothesis import given
from hypothesis import strategies as st

from wbtui.plotting import to_text
from wbtui.store.format import Axis, Metric
from wbtui.tui.figures_line import figures_line
from wbtui.tui.marks import style_of
from wbtui.tui.panels import panels_of
from wbtui.tui.plots import PlotState, Shown, draw, short_names
from wbtui.tui.seeds import XAxis
from wbtui.tui.snapshots import Curve, RunDetail


def test_metrics_of_one_family_share_a_panel_and_the_asked_for_come_first() -> None:
    specs = panels_of(METRICS)
    assert [spec.key for spec in specs][:5] == ["accuracy", "fdr", "bn_scale", "feature_norm@class", "loss"]
    accuracy = specs[0]
    assert [view.name for view in accuracy.views] == ["test", "validation"]
    assert accuracy.views[0].labels == ("All", "Head", "Med", "Tail")
    loss = next(spec for spec in specs if spec.key == "loss")
    assert [view.name for view in loss.views] == ["test", "running", "every split"]
    named = {metric for spec in specs for view in spec.views for metric in view.metrics}
    assert named == {metric.name for metric in METRICS}


@given(
    st.lists(
        st.builds(
            lambda words, family, axis, unit: Metric(
                ".".join(words) + (f"@{axis}" if axis in ("class", "layer") else ""),
                family,
                unit,
                axis=axis,  # type: ignore[arg-type]
                width=1 if axis == "scalar" else 3,
            ),
            st.lists(st.sampled_from(["test", "train", "a", "b"]), min_size=1, max_size=3),
            st.text(max_size=8),
            st.sampled_from(["scalar", "class", "layer", "matrix"]),
            st.sampled_from(["", "fraction"]),
        ),
        max_size=8,
    ),
    st.integers(1, 90),
    st.integers(1, 30),
)
def test_any_declared_metric_is_drawn_at_any_size(metrics: list[Metric], width: int, height: int) -> None:
    unique = {metric.name: metric for metric in metrics}
    shown = [Shown("r", "r", style_of(0), (RunDetail("r", 1, metrics=unique),))]
    specs = panels_of(metrics)
    assert {name for spec in specs for view in spec.views for name in view.metrics} == set(unique)
    for spec in specs:
        for number in range(len(spec.views)):
            canvas = draw(spec, shown, PlotState(splits={spec.key: number}), width, height).canvas
            assert (canvas.width, canvas.height) == (width, height)


def test_legends_say_what_a_metric_is_without_what_the_title_says() -> None:
    metrics = [
        Metric("bn.scale.mean", "bn_scale"),
        Metric("bn.scale.layer_mean", "bn_scale"),
        Metric("test.fdr.rank", "fdr_parts"),
        Metric("test.fdr.within", "fdr_parts"),
        Metric("test.own.odd_thing", "mine"),
    ]
    labels = {spec.key: spec.views[0].labels for spec in panels_of(metrics)}
    assert labels["bn_scale"] == ("mean of all", "mean of layers")
    assert labels["fdr_parts"] == ("rank", "within")
    assert labels["mine"] == ("own odd thing",)


def drawn(axis: str, state: PlotState, width: int, order: Sequence[int] = range(10)) -> str:
    """A panel of one run, as text; its classes stand in that order."""
    axis_of = cast(Axis, axis)
    name = f"test.accuracy@{axis}" if axis == "class" else "test.accuracy.all"
    names = tuple("abcdefghij"[place] for place in order) if axis == "class" else ()
    metric = Metric(
        name, "accuracy", "fraction", axis=axis_of, width=10 if axis == "class" else 1, names=names
    )
    numbers = np.arange(1, 6)
    detail = RunDetail(
        "r",
        1,
        metrics={name: metric},
        epochs=numbers,
        seconds=numbers * 6.0,
        images=numbers * 100.0,
        scalars={name: Curve(numbers, numbers / 5)},
        vectors={name: np.tile(np.linspace(1, 0, 10, dtype=np.float32)[list(order)], (5, 1))},
        asked=frozenset({name}),
        train_counts=np.geomspace(100, 2, 10)[list(order)],
    )
    (spec,) = panels_of([metric])
    return to_text(draw(spec, [Shown("r", "r", style_of(0), (detail,))], state, width, 12).canvas)


@pytest.mark.parametrize("view", ["bars", "curves"])
def test_head_and_tail_are_named_below_classes(view: str) -> None:
    last = drawn("class", PlotState(class_views={"accuracy@class": view}), 60).splitlines()[-1]
    assert last.split()[0] == "head"
    assert last.split()[-1] == "tail"


def test_a_matrix_that_is_not_there_yet_says_when_it_comes_but_not_before_it_was_looked_for() -> None:
    metric = Metric("test.confusion", "confusion", "images", axis="matrix", width=10)
    (spec,) = panels_of([metric])
    when = "measured at the end of the run; sooner with diagnostics.matrices_every"
    for asked, words in ((frozenset[str](), "reading ..."), (frozenset({metric.name}), when)):
        detail = RunDetail("r", 1, {metric.name: metric}, asked=asked)
        picture = draw(spec, [Shown("r", "r", style_of(0), (detail,))], PlotState(), 38, 12)
        assert words in " ".join(to_text(picture.canvas).split())


@pytest.mark.parametrize("view", ["bars", "curves"])
def test_ticks_name_classes(view: str) -> None:
    last = drawn("class", PlotState(class_views={"accuracy@class": view}), 60).splitlines()[-1]
    assert set(last.split()) - {"head", "tail"} <= set("abcdefghij")
    assert "e" in last.split()  # the fifth


@pytest.mark.parametrize("view", ["bars", "curves", "heatmap"])
def test_classes_stand_from_head_to_tail_in_whatever_order_they_are_numbered(view: str) -> None:
    state = PlotState(class_views={"accuracy@class": view})
    assert drawn("class", state, 60, (3, 9, 0, 7, 1, 5, 2, 8, 6, 4)) == drawn("class", state, 60)


@pytest.mark.parametrize("axis", ["epoch", "time", "images"])
def test_between_two_measurements_curves_and_status_tell_the_earlier_one(axis: XAxis) -> None:
    metric, numbers = Metric("test.accuracy.all", "accuracy", "fraction", group="all"), np.arange(1, 11)
    curve = Curve(np.array([2, 6, 10]), np.array([0.21, 0.63, 0.87]))
    scalars = {metric.name: curve}
    detail = RunDetail(
        "r", 1, {metric.name: metric}, numbers, numbers * 60.0, numbers * 100.0, scalars=scalars
    )
    shown = [Shown("r", "run", style_of(0), (detail,))]
    cursor = {"epoch": 9.0, "time": 9.4, "images": 960.0}[axis]
    state = PlotState(x_axis=axis, cursor=cursor)
    (spec,) = panels_of([metric])
    legend = to_text(draw(spec, shown, state, 60, 12).canvas).splitlines()[0]
    status = "".join(text for text, _ in figures_line(shown, state, None, 80))
    assert "epoch 9" in status
    for text in (legend, status):
        assert "63" in text
        assert "87" not in text


@pytest.mark.parametrize("width", [30, 38, 60, 120])
@pytest.mark.parametrize(("axis", "word"), [("time", "by min"), ("images", "by images")])
def test_the_unit_of_the_x_axis_is_said_at_any_width(width: int, axis: XAxis, word: str) -> None:
    assert word in drawn("scalar", PlotState(x_axis=axis), width).splitlines()[0]
    assert " by " not in drawn("scalar", PlotState(), width)


def test_names_lose_the_words_that_all_begin_with() -> None:
    assert short_names(("net.a.x", "net.a.y", "net.b")) == ("a.x", "a.y", "b")
    assert short_names(("one",)) == ("one",)
    assert short_names(("same", "same")) == ("same", "same")

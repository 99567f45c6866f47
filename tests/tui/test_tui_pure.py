"""What the screens are made of, without a screen."""

import math
import shlex
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from dashboard_helpers import METRICS, make_run, measure
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from wbtui.notices import notices
from wbtui.plotting import to_text
from wbtui.report.filters import parse_filter
from wbtui.store.format import STATES, Axis, Metric
from wbtui.store.reader import Run
from wbtui.store.summary import RunSummary, summarise
from wbtui.store.writer import RunWriter
from wbtui.tui import plot_moves
from wbtui.tui.actions import ACTIONS, actions_of, bindings
from wbtui.tui.columns import COLUMNS, Context, alike, eta_seconds, fitting
from wbtui.tui.detail import Column, Follower, last_measured
from wbtui.tui.form import FormValues, answer, setting_keys, value_used
from wbtui.tui.ink import ascii_text, fitted
from wbtui.tui.keymap import resolve_keys
from wbtui.tui.lines import TableLine, replaced, table_lines
from wbtui.tui.marks import colours_for, shown_ids, style_of
from wbtui.tui.panels import panels_of
from wbtui.tui.plots import PlotState, Shown, draw, short_names, x_extent
from wbtui.tui.seeds import XAxis
from wbtui.tui.snapshots import Curve, RunDetail
from wbtui.tui.status import without_curves
from wbtui.tui.views import Views, load_views, save_views
from wbtui.tui.widgets.text_pane import wrapped

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Mn", "Me", "Zl", "Zp")), max_size=60
)


# ---------------------------------------------------------------------- actions and keys


def test_actions_have_names_of_their_own_and_no_two_of_a_screen_share_a_key() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for screen in {action.screen for action in ACTIONS}:
        keys = [key for action in (*actions_of(screen), *actions_of("app")) for key in action.keys.split(",")]
        assert screen == "app" or sorted(set(keys)) == sorted(keys)


@pytest.mark.parametrize("name", ["runs", "run"])
def test_every_action_has_a_method(name: str) -> None:
    from wbtui.tui.screens.run import RunScreen
    from wbtui.tui.screens.runs import RunsScreen

    screen = {"runs": RunsScreen, "run": RunScreen}[name]
    for action in actions_of(name):
        assert hasattr(screen, "action_" + action.method.partition("(")[0]), action.id
    assert len(bindings(name)) == len(actions_of(name))


def test_keys_may_be_swapped_but_not_taken() -> None:
    swapped = resolve_keys({"runs.pin": "b", "runs.baseline": "p"}, "file")
    assert swapped.problems == ()
    assert dict(swapped.keys) == {"runs.pin": "b", "runs.baseline": "p"}
    taken = resolve_keys({"runs.pin": "b"}, "file")
    assert not taken.keys
    assert "runs.baseline has that key" in taken.problems[0]
    everywhere = resolve_keys({"app.leave": "b"}, "file")
    assert not everywhere.keys
    wrong = resolve_keys({"runs.pni": "b", "runs.pin": 3, "runs.star": " "}, "file")
    assert len(wrong.problems) == 3
    assert "did you mean 'runs.pin'" in wrong.problems[0]


# ---------------------------------------------------------------------- lines, marks, columns


def summary(number: int, state: str = "finished", **more: object) -> RunSummary:
    return RunSummary(id=f"2026-{number:04}", path="", state=state, **more)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(STATES), max_size=12), st.data())
def test_lines_brought_up_to_date_are_the_lines_made_anew(states: list[str], data: st.DataObject) -> None:
    before = tuple(summary(number, state) for number, state in enumerate(states))
    everything = parse_filter("")
    lines = table_lines(before, everything, "", group=False)
    after = tuple(
        summary(row_number, row.state, epoch=data.draw(st.integers(0, 3)))
        if data.draw(st.booleans())
        else row
        for row_number, row in enumerate(before)
    )
    assert replaced(lines, before, after) == table_lines(after, everything, "", group=False)
    if after:
        other = "running" if after[0].state != "running" else "finished"
        assert replaced(lines, before, (summary(0, other), *after[1:])) is None
        assert replaced(lines, before, after[1:]) is None


def test_living_runs_stand_first_then_queued_ones_then_the_newest() -> None:
    rows = [summary(0), summary(1, "running"), summary(2, "queued"), summary(3), summary(4, "stalled")]
    lines = table_lines(rows, parse_filter(""), "", group=False)
    assert [line.key[-1] for line in lines] == ["4", "1", "2", "3", "0"]


def test_mean_and_deviation_over_seeds_leave_out_what_was_not_measured() -> None:
    values = [0.4, 0.6, math.nan]
    members = tuple(summary(n, last={"test.accuracy.all": value}) for n, value in enumerate(values))
    mean, std = TableLine((*members, summary(3))).mean_std("test.accuracy.all")
    assert mean == pytest.approx(np.mean([0.4, 0.6]))
    assert std == pytest.approx(np.std([0.4, 0.6], ddof=1))
    assert TableLine(members[2:]).mean_std("test.accuracy.all") == (None, None)


@given(
    st.lists(st.integers(0, 20), unique=True, max_size=8),
    st.lists(st.integers(0, 20), unique=True, max_size=8),
)
def test_no_two_shown_runs_look_alike_and_who_stays_keeps_its_colour(
    first: list[int], second: list[int]
) -> None:
    before = colours_for(map(str, first), {})
    after = colours_for(map(str, second), before)
    assert len({style_of(index) for index in after.values()}) == len(second)
    for name in map(str, second):
        if name in before:
            assert after[name] == before[name]


def test_the_run_under_the_cursor_is_shown_first_and_no_more_than_eight() -> None:
    names = [f"r{number}" for number in range(12)]
    shown = shown_ids("r5", names[:4], names[4:10], names)
    assert shown[0] == "r5"
    assert len(shown) == len(set(shown)) == 8
    assert shown_ids("gone", ("gone too",), ("r1",), names) == ["r1"]


@given(st.integers(0, 400), st.booleans())
def test_columns_fit_or_are_those_that_always_stay(width: int, grouped: bool) -> None:
    chosen = fitting(width, grouped=grouped)
    keys = [column.key for column, _ in chosen]
    always = [column.key for column in COLUMNS if column.drop == 0]
    assert {"state", "id", "epoch", "all"} <= set(always)
    assert set(always) <= set(keys)
    assert sum(cells + 1 for _, cells in chosen) <= width or keys == always


@pytest.mark.parametrize(
    ("width", "differ"), [(80, True), (100, True), (120, True), (80, False), (100, False)]
)
def test_the_preset_stays_where_it_tells_runs_apart_and_goes_where_it_does_not(
    width: int, differ: bool
) -> None:
    presets = ("digits_lt", "cifar100_lt" if differ else "digits_lt")
    rows = [replace(summary(n, "finished"), preset=preset) for n, preset in enumerate(presets)]
    lines = table_lines(rows, parse_filter(""), "", group=False)
    keys = [column.key for column, _ in fitting(width - 4, grouped=False, same=alike(lines))]
    assert ("preset" in keys) is differ
    assert {"state", "id", "variant", "epoch", "all"} <= set(keys)
    assert ("preset" in keys) or {"few", "medium", "many"} <= set(keys)


def test_a_table_without_lines_has_no_preset_to_tell() -> None:
    assert alike([]) == {"preset"}


def test_time_to_go_is_of_all_epochs_since_the_start_or_the_median_of_the_last() -> None:
    row = replace(summary(0, "running"), attempt=1, epoch=4, total_epochs=10, started=100.0, updated=140.0)
    assert eta_seconds(row, None, 140.0) == pytest.approx(6 * 10.0)  # 4 epochs in 40 s, not 3
    assert eta_seconds(row, None, 143.0) == pytest.approx(6 * 10.0 - 3.0)
    known = RunDetail("r", 1, seconds=np.array([10.0, 18.0, 26.0, 500.0, 508.0]))  # stood still for a while
    assert eta_seconds(replace(row, epoch=5), known, 140.0) == pytest.approx(5 * 8.0)
    resumed = replace(row, attempt=2, last={"time.epoch_seconds": 7.0})
    assert eta_seconds(resumed, None, 140.0) == pytest.approx(6 * 7.0)
    assert eta_seconds(replace(row, epoch=10), None, 140.0) is None


def test_time_to_go_after_a_resume_is_of_epochs_within_one_attempt() -> None:
    row = summary(0, "running", epoch=4, total_epochs=10, started=0.0, updated=5000.0, attempt=2)
    row = replace(row, last={"time.epoch_seconds": 7.0})
    first = RunDetail("r", 1, seconds=np.array([8.0, 16.0, 24.0, 300.0]), attempts=np.array([1, 1, 1, 2]))
    assert eta_seconds(row, first, 5000.0) == pytest.approx(6 * 8.0)
    alone = RunDetail("r", 1, seconds=np.array([8.0, 300.0]), attempts=np.array([1, 2]))
    assert eta_seconds(row, alone, 5000.0) == pytest.approx(6 * 7.0)  # as the last epoch says itself


def test_a_row_of_nothing_has_a_cell_for_every_column() -> None:
    context = Context({}, {}, 0.0)
    for column in COLUMNS:
        assert isinstance(column.text(TableLine((RunSummary(id="x", path=""),)), context), str)


@given(TEXTS, st.integers(0, 40), st.booleans())
def test_fitted_text_takes_exactly_its_cells(text: str, width: int, right: bool) -> None:
    assert cell_len(fitted(text, width, right=right)) == width


@given(st.text())
def test_ascii_text_is_ascii(text: str) -> None:
    assert ascii_text(text).isascii()


@given(st.lists(st.tuples(TEXTS, st.just("")), max_size=4), st.integers(2, 30))
def test_wrapped_lines_lose_nothing_and_fit(line: list[tuple[str, str]], width: int) -> None:
    rows = wrapped(tuple(line), width)
    whole = [*rows[0], *(part for row in rows[1:] for part in row[1:])]  # without what indents the others
    assert "".join(text for text, _ in whole) == "".join(text for text, _ in line)
    assert all(sum(cell_len(text) for text, _ in row) <= width for row in rows)


def test_a_wrapped_value_goes_on_below_itself() -> None:
    rows = wrapped(((" command   ", "dim"), (" " + "word " * 12, "")), 40)
    assert len(rows) == 3
    assert all(
        text.startswith(" " * 12 + "word") for text in ("".join(t for t, _ in row) for row in rows[1:])
    )
    assert wrapped((("漢漢", ""),), 1)[0] == (("漢", ""),)


# ---------------------------------------------------------------------- views


@given(
    st.builds(
        Views,
        panels=st.lists(TEXTS, unique=True, max_size=4).map(tuple),
        pinned=st.lists(TEXTS, unique=True, max_size=4).map(tuple),
        colours=st.dictionaries(TEXTS, st.integers(0, 63), max_size=3),
        class_views=st.dictionaries(TEXTS, st.sampled_from(["bars", "curves", "heatmap"]), max_size=3),
        filter=TEXTS,
        theme=TEXTS,
        group=st.booleans(),
        smoothing=st.floats(0, 0.99),
        x_axis=st.sampled_from(["epoch", "time", "images"]),
    )
)
def test_views_come_back_as_they_were_kept(tmp_path_factory: pytest.TempPathFactory, views: Views) -> None:
    path = tmp_path_factory.mktemp("views") / "views.json"
    assert save_views(path, views) == ""
    assert load_views(path) == (views, "")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 9}', "\x00", '{"version": 1,'])
def test_views_that_make_no_sense_are_set_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "views.json"
    path.write_text(text)
    views, problem = load_views(path)
    assert views == Views()
    assert "set aside" in problem
    assert not path.exists()
    assert next(tmp_path.glob("views.json.broken-*")).read_text() == text


def test_fields_of_a_wrong_type_are_forgotten_alone(tmp_path: Path) -> None:
    path = tmp_path / "views.json"
    path.write_text(
        '{"version": 1, "smoothing": 7, "x_axis": "moon", "pinned": "a", "group": true, "filter": "x"}'
    )
    assert load_views(path) == (Views(group=True, filter="x"), "")


def test_views_that_cannot_be_kept_say_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not kept" in save_views(tmp_path / "file" / "views.json", Views())


# ---------------------------------------------------------------------- panels and pictures


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


def drawn(axis: str, state: PlotState, width: int) -> str:
    """A panel of one run, as text."""
    axis_of = cast(Axis, axis)
    name = f"test.accuracy@{axis}" if axis == "class" else "test.accuracy.all"
    metric = Metric(name, "accuracy", "fraction", axis=axis_of, width=10 if axis == "class" else 1)
    numbers = np.arange(1, 6)
    detail = RunDetail(
        "r",
        1,
        metrics={name: metric},
        epochs=numbers,
        seconds=numbers * 6.0,
        images=numbers * 100.0,
        scalars={name: Curve(numbers, numbers / 5)},
        vectors={name: np.tile(np.linspace(1, 0, 10, dtype=np.float32), (5, 1))},
    )
    (spec,) = panels_of([metric])
    return to_text(draw(spec, [Shown("r", "r", style_of(0), (detail,))], state, width, 12).canvas)


@pytest.mark.parametrize("view", ["bars", "curves"])
def test_head_and_tail_are_named_below_classes(view: str) -> None:
    last = drawn("class", PlotState(class_views={"accuracy@class": view}), 60).splitlines()[-1]
    assert last.split()[0] == "head"
    assert last.split()[-1] == "tail"


@pytest.mark.parametrize("width", [30, 38, 60, 120])
@pytest.mark.parametrize(("axis", "word"), [("time", "by min"), ("images", "by images")])
def test_the_unit_of_the_x_axis_is_said_at_any_width(width: int, axis: XAxis, word: str) -> None:
    assert word in drawn("scalar", PlotState(x_axis=axis), width).splitlines()[0]
    assert " by " not in drawn("scalar", PlotState(), width)


def test_names_lose_the_words_that_all_begin_with() -> None:
    assert short_names(("net.a.x", "net.a.y", "net.b")) == ("a.x", "a.y", "b")
    assert short_names(("one",)) == ("one",)
    assert short_names(("same", "same")) == ("same", "same")


# ---------------------------------------------------------------------- following


def test_a_view_of_a_column_stays_as_it_was() -> None:
    column = Column(np.float64)
    views = []
    for number in range(200):
        column.append(number)
        views.append(column.view())
    for number, view in enumerate(views):
        assert view.tolist() == list(range(number + 1))
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 1


def test_following_gives_what_reading_at_once_gives(tmp_path: Path) -> None:
    folder = make_run(tmp_path, epochs=3, total=9, outcome=None)
    follower = Follower(Run(folder))
    wanted = frozenset({"test.feature_norm@class", "bn.scale@layer", "test.confusion"})

    def look() -> RunDetail:
        return follower.read(summarise(Run(folder)), wanted)

    first = look()
    assert first.curve("test.fdr").values.tolist() == [10, 20, 30]
    assert look().version == first.version
    with RunWriter.open(folder) as writer:
        measure(writer, 4, total=9)
    second = look()
    assert second.version > first.version
    assert first.curve("test.fdr").values.tolist() == [10, 20, 30]
    with RunWriter.open(folder, 2) as writer:
        writer.resume(from_epoch=2)
        measure(writer, 3, total=9)
    for detail in (look(), Follower(Run(folder)).read(summarise(Run(folder)), wanted)):
        assert detail.epochs.tolist() == [1, 2, 3]
        assert detail.vectors["test.feature_norm@class"].shape == (3, 4)
        assert detail.curve("test.loss").values.tolist() == [2.0, 1.0, pytest.approx(2 / 3)]
        assert detail.images.tolist() == [200, 400, 600]


def test_a_vector_that_cannot_be_read_is_told_and_the_rest_shown(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    (folder / "series" / "test.feature_norm@class.f32").unlink()
    detail = Follower(Run(folder)).read(summarise(Run(folder)), frozenset({"test.feature_norm@class"}))
    assert "feature_norm" in detail.problem
    assert len(detail.epochs) == 5


def test_the_row_measured_last_up_to_an_epoch() -> None:
    rows = np.array([[np.nan, np.nan], [1, np.nan], [np.nan, np.nan]], dtype=np.float32)
    found = last_measured(rows, None)
    assert found is not None
    assert found[0] == 2
    assert last_measured(rows, 1) is None
    assert last_measured(rows[:0], None) is None


# ---------------------------------------------------------------------- moves


def detail_of(epochs: int) -> RunDetail:
    numbers = np.arange(1, epochs + 1)
    return RunDetail("r", 1, epochs=numbers, seconds=numbers * 60.0, images=numbers * 100.0)


@given(
    st.integers(1, 300), st.lists(st.tuples(st.sampled_from([0.5, 2.0, 0.8]), st.floats(0, 400)), max_size=12)
)
def test_zoom_stays_within_what_there_is(epochs: int, steps: list[tuple[float, float]]) -> None:
    shown = [Shown("r", "r", style_of(0), (detail_of(epochs),))]
    extent = x_extent(shown, "epoch")
    assert extent == (1, epochs)
    state = PlotState()
    for factor, at in steps:
        state = plot_moves.zoomed(state, extent, factor, at)
        if state.x_bounds is not None:
            assert extent[0] - 1e-9 <= state.x_bounds[0] < state.x_bounds[1] <= extent[1] + 1e-9


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


# ---------------------------------------------------------------------- form


def test_the_form_multiplies_lists_and_gives_the_command_that_does_the_same() -> None:
    found = answer(
        FormValues("digits_lt", "ce,wd", "0,1,2", settings="stages.0.epochs=3 stages.0.learning_rate=0.2")
    )
    assert not found.wrong
    assert len(found.resolved) == 6
    assert ("stages.0.epochs", "150", "3", "") in found.difference
    assert ("stages.0.weight_decay", "0.005", "0.0", "ce") in found.difference
    words = shlex.split(found.command)
    assert words[:3] == ["wbtui", "queue", "add"]
    assert "stages.0.learning_rate=0.2" in words


def test_what_is_allowed_but_hardly_meant_is_told_once() -> None:
    words = "stages.0.epochs=1 stages.0.schedule=cosine_papers stages.0.weight_decay=0"
    found = answer(FormValues(preset="digits_lt", variant="ce", seed="0,1", settings=words))
    assert len(found.resolved) == 2
    assert list(found.notices) == notices(found.resolved[0].config)
    assert "trains at learning rate 0" in found.notices[0]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (FormValues(""), "preset"),
        (FormValues("nothing"), "preset"),
        (FormValues("digits_lt", "ce,nothing"), "variant"),
        (FormValues("digits_lt", seed="-1"), "seed"),
        (FormValues("digits_lt", seed="1,1"), "seed"),
        (FormValues("digits_lt", device="gpu"), "device"),
        (FormValues("digits_lt", settings="epochs=3"), "settings"),
        (FormValues("digits_lt", settings="'stages.0.epochs=3"), "settings"),
        (FormValues("digits_lt", settings="model.head=etf model.name=mlp"), ""),
        (FormValues("digits_lt", settings="model.head=etf model.width=2"), "settings"),
        (FormValues("digits_lt", name="x" * 300), "name"),
    ],
)
def test_what_is_wrong_is_told_to_its_field(values: FormValues, field: str) -> None:
    found = answer(values)
    assert list(found.wrong) == ([field] if field else [])
    assert bool(found.resolved) == (not field)


@pytest.mark.parametrize(
    ("values", "field", "wanted"),
    [
        (
            FormValues("digits_lt", settings="epochs=40"),
            "settings",
            "epochs: no such key; did you mean stages.0.epochs?",
        ),
        (
            FormValues("digits_lt", settings="stages.0.epochs=x threads=-1"),
            "settings",
            "stages.0.epochs = 'x': input should be a valid integer\n"
            "threads = -1: input should be greater than or equal to 0",
        ),
        (
            FormValues("digits_lt", settings="seven"),
            "settings",
            "seven: expected KEY=VALUE, for example stages.0.epochs=40",
        ),
        (
            FormValues("digits_lt", device="7"),
            "device",
            "device = '7': expected auto, cpu, mps, cuda or cuda:N",
        ),
    ],
)
def test_what_is_wrong_names_no_option_of_the_command_line(
    values: FormValues, field: str, wanted: str
) -> None:
    assert sorted(answer(values).wrong[field].splitlines()) == sorted(wanted.splitlines())


def test_help_of_a_setting_names_the_value_that_holds_and_where_it_comes_from() -> None:
    planned = answer(FormValues("digits_lt", "wd_fr", settings="stages.0.epochs=7")).planned
    assert value_used("stages.0.epochs", planned) == "150 from preset digits_lt; default 200"
    regularization = value_used("stages.0.feature_regularization", planned)
    assert regularization == "0.001 from preset digits_lt for wd_fr; default 0.0"
    assert value_used("stages.0.weight_decay", answer(FormValues("cifar10_lt", "wd")).planned) == (
        "0.005 from variant wd; default 0.0"
    )
    assert value_used("stages.0.nesterov", None) == "default False"


def test_every_setting_has_a_line_of_help() -> None:
    keys = setting_keys()
    assert "Passes over the training split." in keys["stages.0.epochs"]
    assert all("None Default" not in text for text in keys.values())
    assert "checkpoint.every_seconds" in keys


def test_a_run_that_is_kept_without_its_curves_says_why_panels_are_empty(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    whole = Follower(Run(folder)).read(summarise(Run(folder)), frozenset())
    assert without_curves(summarise(Run(folder)), whole) == ""
    lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "events.jsonl").write_bytes(b"".join(one for one in lines if b'"epoch"' not in one))
    row = summarise(Run(folder))
    assert without_curves(row, None) == ""
    assert "holds no epochs" in without_curves(row, Follower(Run(folder)).read(row, frozenset()))
    assert without_curves(replace(row, settled=False), Follower(Run(folder)).read(row, frozenset())) == ""

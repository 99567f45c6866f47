"""The line below the panels: what has the first claim on its room, and what goes?"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from dashboard_helpers import drive, make_run, measure, opened, screen_lines, settled
from hypothesis import given
from hypothesis import strategies as st

from wbtui.plotting.palette import series_style
from wbtui.store.history import Alert
from wbtui.store.writer import RunWriter
from wbtui.tui.alerts import Alert as Seen
from wbtui.tui.figures_line import cut_by_words, figures_line
from wbtui.tui.ink import parts_width
from wbtui.tui.plots import PlotState, Shown
from wbtui.tui.snapshots import Curve, RunDetail

NAMES = [f"test.accuracy.{group}" for group in ("all", "many", "medium", "few")] + ["test.fdr"]


def run(label: str, *messages: str, epochs: int = 3) -> Shown:
    at = np.arange(1, epochs + 1)
    scalars = {name: Curve(at, np.full(epochs, 0.5)) for name in NAMES} if epochs else {}
    noticed = tuple(Alert(1.0, 2, "identity", message) for message in messages)
    detail = RunDetail(label, 1, epochs=at, scalars=scalars, alerts=noticed)
    return Shown(label, label, series_style(0), (detail,))


def line(width: int, *shown: Shown, alerts: dict[str, list[Seen]] | None = None) -> str:
    parts = figures_line(shown, PlotState(), None, width, alerts)
    assert parts_width(parts) <= width
    return "".join(text for text, _ in parts)


def test_where_there_is_room_every_figure_of_every_run_is_said() -> None:
    text = line(140, run("7f3a"), run("91bc"))
    assert text.count("All 50.0 Head 50.0 Med 50.0 Tail 50.0 FDR 0.500") == 2


def test_figures_go_by_whole_words_and_the_same_of_all_runs() -> None:
    assert line(110, run("7f3a"), run("91bc")).endswith(
        "7f3a All 50.0 Head 50.0 Med 50.0 Tail 50.0 │ 91bc All 50.0 Head 50.0 Med 50.0 Tail 50.0"
    )
    assert line(70, run("7f3a"), run("91bc")).endswith("7f3a All 50.0 Tail 50.0 │ 91bc All 50.0 Tail 50.0")
    assert line(50, run("7f3a"), run("91bc")).endswith("7f3a All 50.0 │ 91bc All 50.0")
    assert line(40, *(run(f"{n}f3a") for n in range(4))).endswith("0f3a All 50.0 Tail 50.0 │ +3")


def test_alerts_stay_whole_where_figures_make_room_for_them() -> None:
    text = line(100, run("7f3a", "the loss is not finite"), run("91bc", "two classes are the same"))
    assert "⚠ the loss is not finite │" in text
    assert text.endswith("⚠ two classes are the same")
    assert text.count("All 50.0") == 2
    assert "FDR" not in text


def test_an_alert_longer_than_the_line_is_cut_between_words_and_a_run_with_one_is_not_left_out() -> None:
    quiet, loud = run("7f3a"), run("91bc", "a long story " * 20)
    text = line(80, quiet, run("1111"), run("2222"), loud)
    assert "91bc All 50.0 ⚠ a long story" in text
    assert "…" in text
    assert "+2" in text


def test_what_is_wrong_with_a_run_without_epochs_is_said_beside_the_figures_of_others() -> None:
    text = line(80, run("7f3a", epochs=0), run("91bc"), alerts={"7f3a": [Seen("failed", "no such file")]})
    assert "7f3a ⚠ failed: no such file │ 91bc All 50.0" in text


def test_what_a_trainer_noticed_and_failed_by_is_said_once() -> None:
    seen = [Seen("non-finite loss", "in epoch 3"), Seen("failed", "result.json: the loss is not finite")]
    noticed = Alert(1.0, 3, "non_finite_loss", "the loss is not finite")
    failed = replace(run("7f3a"), details=(replace(run("7f3a").details[0], alerts=(noticed,)),))
    assert line(140, failed, alerts={"7f3a": seen}).endswith("⚠ failed: result.json: the loss is not finite")
    assert line(140, failed, alerts={"7f3a": seen[:1]}).endswith("FDR 0.500 ⚠ the loss is not finite")


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "M", "Z"))), st.integers(1, 40))
def test_cut_text_fits(text: str, width: int) -> None:
    assert parts_width([(cut_by_words(text, width), "")]) <= width


def test_at_80_columns_the_alert_of_the_run_under_the_cursor_is_seen_beside_a_pinned_one(runs: Path) -> None:
    make_run(runs, 0)
    folder = make_run(runs, 1, epochs=4, outcome=None)
    with RunWriter.open(folder) as writer:
        measure(writer, 5, nan=True)

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await pilot.press("end", "p", "home")
            await settled(app, pilot)
            status = screen_lines(app)[-2]
            assert "⚠ non-finite loss in epoch 5 │" in status
            assert status.count("All") == 2
            await pilot.resize_terminal(160, 24)
            await pilot.pause()
            assert screen_lines(app)[-2].count("Tail") == 2

    drive(look)

"""Adjusting finished runs: what does a key do to the strength, the figures and the pictures?"""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from bench_helpers import adjusted_accuracy, adjusting, rested
from dashboard_helpers import SIZES, drive, opened, said, screen_lines, screen_text, until
from finished_runs import CLASSES, COUNTS, accuracies, make_run, predictions_of
from rich.cells import cell_len

from wbtui.adjustment import AllAccuracy, method_named
from wbtui.plotting import BarOptions, bars
from wbtui.plotting.bars import BarPlot
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.store.predictions import SplitPredictions
from wbtui.store.reader import open_run
from wbtui.tui import adjust_trials as moves
from wbtui.tui.adjust_trials import Trial
from wbtui.tui.screens.adjust import AdjustScreen
from wbtui.tui.widgets.canvas_pane import CanvasPane
from wbtui.tui.widgets.one_line import OneLine
from wbtui.tui.widgets.strength_slider import StrengthSlider
from wbtui.tui.widgets.tiles import Tiles


@pytest.mark.parametrize("size", SIZES)
def test_the_screen_opens_at_the_strength_that_validation_chooses(runs: Path, size: tuple[int, int]) -> None:
    folder = make_run(runs)
    expected = adjust_run(load_material(open_run(folder)), Request(method_named("additive"), AllAccuracy()))

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            screen = await adjusting(app, pilot)
            trial = screen.trial
            assert trial is not None
            assert (trial.strength, trial.basis) == (expected.strength, "validation")
            outcome = screen.outcomes[trial]
            assert outcome is not None
            assert outcome.rest is not None
            by_hand = adjusted_accuracy(expected.strength)
            assert outcome.accuracy.all == pytest.approx(by_hand["all"])
            assert outcome.accuracy.few == pytest.approx(by_hand["few"])
            assert outcome.rest.interval == expected.after.interval
            lines = screen_lines(app)
            assert len(lines) == size[1]
            assert {cell_len(line) for line in lines} == {size[0]}
            for word in ("chosen on validation", f"{100 * by_hand['all']:.1f}", "gained", "lost"):
                assert word in screen_text(app)

    drive(look)


def test_bars_stand_from_head_to_tail_in_whatever_order_classes_are_numbered(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def bar_plot(values: np.ndarray, options: BarOptions) -> BarPlot:
        drawn[options.title.split()[0]] = (values, np.array(options.names))
        return bars.bar_plot(values, options)

    monkeypatch.setattr("wbtui.tui.adjust_pictures.bar_plot", bar_plot)
    folder = make_run(runs)
    np.save(folder / "predictions" / "train_counts.npy", np.array(COUNTS[::-1]))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            outcome = screen.outcomes[screen.trial] if screen.trial is not None else None
            assert outcome is not None
            after, change = outcome.accuracy.by_class, outcome.accuracy.by_class - outcome.before.by_class
            for title, expected in (("Accuracy", after), ("Change", change)):
                np.testing.assert_array_equal(drawn[title][0], 100 * expected[::-1])
                assert drawn[title][1].tolist() == list("9876543210")

    drive(look)


def test_each_step_recomputes_every_group_exactly_before_the_interval_is_there(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("home")
            for number in range(1, 8):
                await pilot.press("right")
                await until(pilot, lambda: screen.trial in screen.outcomes)
                assert screen.trial is not None
                assert screen.trial.strength == pytest.approx(0.05 * number)
                assert screen.trial.basis == "given"
                outcome = screen.outcomes[screen.trial]
                assert outcome is not None
                assert outcome.exact
                expected = adjusted_accuracy(screen.trial.strength)
                for group, value in expected.items():
                    assert getattr(outcome.accuracy, group) == pytest.approx(value, abs=1e-9)
            assert "by hand, test in sight" in screen.query_one("#strength", StrengthSlider).text
            await pilot.press("shift+left")
            assert screen.trial.strength == pytest.approx(0.34)
            await pilot.press("end")
            assert screen.trial.strength == 3.0

    drive(look)


def test_classes_that_gain_and_lose_are_named_with_their_change(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            trial = screen.trial
            assert trial is not None
            found = predictions_of("test", 0)
            shifted = found.logits - trial.strength * np.log(np.array(COUNTS) / sum(COUNTS))
            change = [
                (shifted.argmax(1) == k)[found.labels == k].mean()
                - (found.logits.argmax(1) == k)[found.labels == k].mean()
                for k in range(CLASSES)
            ]
            gained = screen.query_one("#gained", OneLine).text
            best = int(np.argmax(change))
            assert f"gained {sum(one > 1e-9 for one in change):>3}" in gained
            assert f"{best} {100 * change[best]:+.1f} n_k {COUNTS[best]}" in gained
            lost = screen.query_one("#lost", OneLine).text
            assert f"lost {sum(one < -1e-9 for one in change):>3}" in lost

    drive(look)


def test_the_knob_is_dragged_and_turned_and_the_curve_clicked(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            first, length = screen.query_one("#strength", StrengthSlider)._track()
            await pilot.mouse_down("#strength", offset=(first, 0))
            await pilot.hover("#strength", offset=(first + length - 1, 0))
            await pilot.mouse_up("#strength", offset=(first + length - 1, 0))
            await until(pilot, lambda: screen.trial is not None and screen.trial.strength == 3.0)
            await pilot.mouse_down("#strength", offset=(first, 0))
            await until(pilot, lambda: screen.trial is not None and screen.trial.strength == 0.0)
            await pilot.press("question_mark", "escape")
            await pilot.hover("#strength", offset=(first + length - 1, 0))
            assert screen.trial.strength == 0.0, "the knob was let go of when another screen came"
            await pilot.click("#methods", offset=(4, 0))
            await until(pilot, lambda: screen.trial is not None and screen.trial.method == "none")
            assert "nothing to set" in screen.query_one("#strength", StrengthSlider).text
            await pilot.press("2")
            await rested(screen, pilot)
            pane = screen.query_one("#curve", CanvasPane)
            await pilot.click(pane, offset=(pane.size.width - 2, 6))
            await until(pilot, lambda: screen.trial is not None and screen.trial.strength > 2.5)

    drive(look)


def test_a_grid_method_guesses_while_it_moves_and_is_exact_at_rest(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("5")
            await rested(screen, pilot)
            screen.set(moves.moved_to(cast(Trial, screen.trial), 0.777))
            screen._draw()
            assert screen.trial is not None
            guess = screen.outcomes[screen.trial]
            assert guess is not None
            assert not guess.exact
            assert "≈" in screen.query_one("#figures", OneLine).text
            await rested(screen, pilot)
            exact = screen.outcomes[screen.trial]
            assert exact is not None
            assert exact.exact
            assert np.isnan(exact.rest.calibration_error) if exact.rest else False
            scored = load_material(open_run(next(runs.glob("2026*")))).test
            right = method_named("one_vs_one").predict(scored, None, 0.777) == scored.labels
            by_class = [right[scored.labels == k].mean() for k in range(CLASSES)]
            assert exact.accuracy.by_class == pytest.approx(by_class)

    drive(look)


def test_the_pair_has_a_second_strength(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("3")
            await rested(screen, pilot)
            assert screen.query_one("#gamma").display
            assert screen.trial is not None
            assert screen.trial.basis == "validation"
            before = screen.trial.gamma
            await pilot.press("G")
            await rested(screen, pilot)
            assert screen.trial.gamma == pytest.approx(before + 0.05)
            assert screen.trial.basis == "given"
            found, tau = predictions_of("test", 0), screen.trial.strength
            prior = np.log(np.array(COUNTS) / sum(COUNTS))
            adjusted = found.logits * np.exp(-screen.trial.gamma * prior) - tau * prior
            outcome = screen.outcomes[screen.trial]
            assert outcome is not None
            assert outcome.accuracy.all == pytest.approx(
                accuracies(SplitPredictions(adjusted, found.labels))["all"]
            )
            await pilot.press("v")
            await rested(screen, pilot)
            assert (screen.trial.gamma, screen.trial.basis) == (before, "validation")
            for _ in range(round(before / 0.05) + 1):
                await pilot.press("g")
            assert screen.trial.gamma == 0.0
            assert "γ is 0 already, the lowest there is" in said(app)
            await pilot.press("2", "g")
            assert "only the pair (method 3) has a second strength γ" in said(app)

    drive(look)


def test_pictures_are_gone_through_and_one_takes_the_room_of_all(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            screen = await adjusting(app, pilot)
            tiles = screen.query_one(Tiles)
            assert [tile.id for tile in tiles.in_sight] == ["curve", "classes"]
            await pilot.press("tab", "tab")
            assert [tile.id for tile in tiles.in_sight] == ["changes"]
            await pilot.pause()
            assert "Change by class" in screen_text(app)
            await pilot.press("f")
            await pilot.pause()
            assert "gained" not in screen_text(app)
            await pilot.press("escape")
            assert isinstance(app.screen, AdjustScreen)
            await pilot.press("escape")
            assert not isinstance(app.screen, AdjustScreen)

    drive(look)


def test_the_track_stays_as_long_as_it_is_whatever_is_said_beside_it(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            screen = await adjusting(app, pilot)
            slider = screen.query_one("#strength", StrengthSlider)
            tracks, told = set(), set()
            for key in ("p", "v", "o", "l"):
                await pilot.press(key)
                await rested(screen, pilot)
                tracks.add(slider._track())
                told.add(slider._told)
                assert sum(map(len, (text for text, _ in slider._parts()))) <= 80
            assert len(told) >= 3
            assert len(tracks) == 1

    drive(look)

"""Adjusting finished runs: what a key does to the strength, what is exact, what is chosen on what, what is saved."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from bench_helpers import adjusting, rested
from dashboard_helpers import SIZES, drive, opened, said, screen_lines, screen_text, until
from finished_runs import CLASSES, COUNTS, accuracies, classifier, make_run, predictions_of
from rich.cells import cell_len
from textual.widgets._toast import Toast

from wbtui.adjustment import AllAccuracy, method_named
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.report.derived import load_derived
from wbtui.store.predictions import PredictionsMeta, SplitPredictions, write_predictions
from wbtui.store.reader import open_run
from wbtui.tui import adjust_trials as moves
from wbtui.tui.adjust_bench import Bench, MethodKey
from wbtui.tui.adjust_trials import Trial
from wbtui.tui.screens.adjust import AdjustScreen
from wbtui.tui.widgets.canvas_pane import CanvasPane
from wbtui.tui.widgets.one_line import OneLine
from wbtui.tui.widgets.pick_list import PickList
from wbtui.tui.widgets.strength_slider import StrengthSlider
from wbtui.tui.widgets.tiles import Tiles


def adjusted_accuracy(strength: float, seed: int = 0) -> dict[str, float]:
    """Additive adjustment of the test logits, computed here on its own."""
    found = predictions_of("test", seed)
    shifted = found.logits.astype(np.float64) - strength * np.log(np.array(COUNTS) / sum(COUNTS))
    return accuracies(SplitPredictions(shifted, found.labels))


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


def test_without_validation_nothing_is_chosen_and_the_curve_is_an_oracle(runs: Path) -> None:
    make_run(runs, "wd", 0, "data.split_rule=full", validation=False)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("4")
            await rested(screen, pilot)
            assert screen.trial is not None
            assert (screen.trial.method, screen.trial.strength) == ("multiplicative", 1.6)
            assert screen.trial.basis == "published"
            text = screen_text(app)
            assert "NO validation" in text
            assert "ORACLE, test only" in screen.query_one("#curve", CanvasPane).text
            assert "val All" not in screen.query_one("#curve", CanvasPane).text
            await pilot.press("right", "v")
            await rested(screen, pilot)
            assert screen.trial.basis == "published"
            assert "nothing is chosen" in said(app)

    drive(look)


def test_the_best_on_test_is_called_an_oracle_also_where_it_is_saved(runs: Path) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("o")
            await rested(screen, pilot)
            assert screen.trial is not None
            assert screen.trial.basis == "oracle"
            assert "oracle: best on test" in screen_text(app)
            await pilot.press("s")
            await until(pilot, lambda: "saved as" in said(app))
            await rested(screen, pilot)
            assert screen.work.is_saved(screen.trial)

    drive(look)
    (found,) = load_derived(open_run(folder))
    assert found.basis == "oracle"
    assert found.name.endswith("-oracle")


def test_what_is_saved_is_what_the_command_would_save(runs: Path) -> None:
    folder = make_run(runs)
    expected = adjust_run(
        load_material(open_run(folder)), Request(method_named("additive_multiplicative"), AllAccuracy())
    ).derived()

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("3")
            await rested(screen, pilot)
            await pilot.press("s")
            await until(pilot, lambda: "saved as" in said(app))
            assert "★" in screen.query_one(PickList).text

    drive(look)
    (found,) = load_derived(open_run(folder))
    assert found.name == expected.name
    assert found.figures == pytest.approx(dict(expected.figures))
    assert (found.basis, found.criterion, found.fingerprint) == ("validation", "all", expected.fingerprint)
    assert not found.stale


def test_readonly_saves_nothing(runs: Path) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs, readonly=True) as (app, pilot):
            await adjusting(app, pilot)
            await pilot.press("s")
            await pilot.pause()
            assert "--readonly" in said(app)

    drive(look)
    assert not (folder / "derived").exists()


@pytest.mark.parametrize("size", SIZES)
def test_a_message_covers_no_figures(runs: Path, size: tuple[int, int]) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("3")
            await rested(screen, pilot)
            await pilot.press("s")
            await until(pilot, lambda: screen.query(Toast) and "saved as" in screen_text(app))
            assert ":pair-" in said(app)
            covered = screen.query_one(Toast).region
            assert covered.height
            below = ("#gained", "#lost", "#settings", "#status", "#keys")
            for name in ("#top", "#methods", "#strength", "#gamma", "#figures", *below):
                assert not covered.overlaps(screen.query_one(name).region), name

    drive(look)


def test_settings_of_several_runs_stand_side_by_side(runs: Path) -> None:
    for seed in range(3):
        make_run(runs, "wd", seed)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("space", "j", "space", "j", "space")
            screen = await adjusting(app, pilot)
            assert len({trial.run_id for trial in screen.trials}) == 3
            first = screen.trials[0]
            await pilot.press("a", "4")
            await rested(screen, pilot)
            assert [trial.method for trial in screen.trials] == ["additive", "multiplicative"] + 2 * [
                "additive"
            ]
            assert screen.trials[0] == first
            assert screen.trials[1].run_id == first.run_id
            table = screen.query_one(PickList).text.splitlines()
            assert len(table) == 5
            for line, trial in zip(table[1:], screen.trials, strict=True):
                outcome = screen.outcomes[trial]
                assert outcome is not None
                assert f"{100 * outcome.accuracy.all:.1f}" in line
                assert trial.method in line
            await pilot.press("down")
            assert screen.current == 2
            await pilot.press("X")
            assert len(screen.trials) == 3
            await pilot.press("X", "X", "X")
            assert len(screen.trials) == 1

    drive(look)


def test_seeds_of_one_setting_fold_into_mean_and_sample_standard_deviation(runs: Path) -> None:
    for seed in range(3):
        make_run(runs, "wd", seed)
    make_run(runs, "ce", 0)
    strengths = (0.5, 0.5, 0.5)
    by_hand = [adjusted_accuracy(strength, seed) for seed, strength in enumerate(strengths)]

    async def look() -> None:
        async with opened(runs, (160, 40)) as (app, pilot):
            await pilot.press("space", "j", "space", "j", "space", "j", "space")
            screen = await adjusting(app, pilot)
            (chosen,) = screen.folds()
            assert (chosen.setting, chosen.n) == ("wd", 3)
            assert {trial.basis for trial in chosen.trials} == {"validation"}
            while screen.trial is not None and "wd" not in screen.called(screen.trial.run_id):
                await pilot.press("down")
                await pilot.pause()
            await pilot.press("home", *["pageup"])
            await rested(screen, pilot)
            assert screen.folds()[0].n == 2, "one seed is set by hand now"
            await pilot.press("S")
            await rested(screen, pilot)
            (fold,) = screen.folds()
            assert {(trial.strength, trial.basis) for trial in fold.trials} == {(0.5, "given")}
            for group in ("all", "many", "medium", "few"):
                values = [one[group] for one in by_hand]
                found = fold.accuracy(group)
                assert (found.mean, found.n) == (pytest.approx(np.mean(values)), 3)
                assert found.std == pytest.approx(np.std(values, ddof=1))
            values = [one["all"] for one in by_hand]
            text = screen.query_one("#seeds", PickList).text
            assert "wd n=3" in text
            assert f"{100 * np.mean(values):.1f}±{100 * np.std(values, ddof=1):.1f}" in text
            table = screen._table()
            assert [row[0].text for row in table.rows][-1] == "wd, n = 3"
            assert len(table.rows) == 5
            await pilot.press("S")
            assert "the other seeds are adjusted alike already" in said(app)
            await pilot.press("m", "S")  # another method, its strength chosen: by each seed on its own
            await rested(screen, pilot)
            (fold,) = screen.folds()
            assert {trial.method for trial in fold.trials} == {fold.trials[0].method}
            expected = {
                screen.work.choice_of(trial)[1].strength
                for trial in fold.trials  # type: ignore[index]
            }
            assert {trial.strength for trial in fold.trials} == expected
            await pilot.press("f")
            await pilot.pause()
            assert not screen.query_one("#seeds").display

    drive(look)


def test_a_single_seed_does_not_fold_and_has_no_others(runs: Path) -> None:
    make_run(runs, "wd", 0)
    make_run(runs, "ce", 0)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("space", "j", "space")
            screen = await adjusting(app, pilot)
            assert screen.folds() == []
            assert not screen.query_one("#seeds").display
            before = list(screen.trials)
            await pilot.press("S")
            await pilot.pause()
            assert screen.trials == before
            assert "no other seed" in said(app)

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


def test_another_criterion_chooses_anew(runs: Path) -> None:
    folder = make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("t", "t")
            await rested(screen, pilot)
            assert screen.trial is not None
            assert (screen.trial.criterion, screen.trial.basis) == ("few", "validation")
            bench = Bench.of(open_run(folder))
            choice = bench.survey(MethodKey("additive"), "few").choice
            assert choice is not None
            assert screen.trial.strength == choice.strength

    drive(look)


def test_a_run_without_predictions_is_refused_in_one_message(runs: Path) -> None:
    folder = make_run(runs)
    for file in (folder / "predictions").iterdir():
        file.unlink()

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("L")
            await until(pilot, lambda: "no predictions" in said(app))
            await until(pilot, lambda: not isinstance(app.screen, AdjustScreen))
            assert said(app).count("no predictions") == 1

    drive(look)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_logits_that_are_no_numbers_are_refused_and_the_other_runs_adjusted(runs: Path, value: float) -> None:
    broken, good = make_run(runs, "wd", 0), make_run(runs, "wd", 1)
    split = predictions_of("test", 0)
    split.logits[7, 3] = value
    write_predictions(broken, {"test": split}, classifier(), PredictionsMeta("last", 20, "none"))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("space", "j", "space")
            screen = await adjusting(app, pilot)
            assert [trial.run_id for trial in screen.trials] == [good.name]
            assert "expected finite numbers" in said(app)

    drive(look)


def test_a_method_without_its_facts_says_why_and_the_others_go_on(runs: Path) -> None:
    folder = make_run(runs)
    np.save(folder / "predictions" / "class_mean_feature_norms.npy", np.full(CLASSES, np.nan, np.float32))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("5")
            await rested(screen, pilot)
            assert "class-mean training features" in screen.query_one("#status", OneLine).text
            assert screen.trial is not None
            assert screen.outcomes[screen.trial] is None
            await pilot.press("s")
            await until(pilot, lambda: "class-mean" in said(app))
            await pilot.press("2")
            await rested(screen, pilot)
            assert screen.outcomes[screen.trial] is not None

    drive(look)
    assert not (folder / "derived").exists()


def test_a_run_at_work_is_not_adjusted(runs: Path) -> None:
    make_run(runs, finished=False)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("L")
            await pilot.pause()
            assert not isinstance(app.screen, AdjustScreen)
            assert "finished run" in said(app)

    drive(look)


def test_names_from_files_are_shown_literally(runs: Path) -> None:
    folder = make_run(runs, "wd", 0, "name=[red]x[/red]")
    meta = folder / "predictions" / "meta.json"
    meta.write_text(meta.read_text().replace('"8"', '"[b]\\u001b[31m8"'))

    async def look() -> None:
        async with opened(runs, (200, 60)) as (app, pilot):
            await adjusting(app, pilot)
            text = screen_text(app)
            assert "[red]x[/red]" in text
            assert "[b]<U+001B>[31m8" in text
            assert "\x1b" not in text

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


def test_the_settings_are_copied_as_a_table(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await adjusting(app, pilot)
            await pilot.press("c")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: "sent to the terminal's clipboard; w writes a file" in said(app))
            outcome = screen.outcomes[cast(Trial, screen.trial)]
            assert outcome is not None
            assert "| run" in app.clipboard
            assert f"{100 * outcome.accuracy.all:.1f}" in app.clipboard
            await pilot.press("3")
            await rested(screen, pilot)
            await pilot.press("c")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: "| pair" in app.clipboard)

    drive(look)


# ---------------------------------------------------------------------- parts


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

"""Comparing runs, seeds and saved adjustments: deltas to a baseline with their rule, columns that move."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bench_helpers import comparing, rested
from dashboard_helpers import SIZES, drive, opened, said, screen_lines, screen_text, until
from finished_runs import CLASSES, COUNTS, accuracies, make_run, predictions_of
from rich.cells import cell_len
from scipy import stats

from wbtui.adjustment import AllAccuracy, method_named
from wbtui.plotting import GlyphSet, to_text
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.report.derived import load_derived, save_derived
from wbtui.report.entries import entries
from wbtui.store.reader import open_run
from wbtui.tui import compare_lines as lines
from wbtui.tui.actions import actions_of
from wbtui.tui.compare_work import make_board
from wbtui.tui.screens.compare import PAGES, CompareScreen
from wbtui.tui.widgets.comparison_table import ComparisonTable
from wbtui.tui.widgets.text_pane import TextPane


def adjusted(folder: Path, choose: str = "val") -> str:
    """Save an adjustment; its name."""
    request = Request(method_named("additive"), AllAccuracy(), choose=choose)  # type: ignore[arg-type]
    derived = adjust_run(load_material(open_run(folder)), request).derived()
    save_derived(open_run(folder), derived)
    return derived.name


def row(screen: CompareScreen, title: str) -> str:
    return next(
        line for line in screen.query_one(ComparisonTable).text.splitlines() if line.startswith(title)
    )


@pytest.mark.parametrize("size", SIZES)
def test_seeds_fold_and_differences_carry_arrow_and_verdict(runs: Path, size: tuple[int, int]) -> None:
    for seed in range(3):
        make_run(runs, "ce", seed, tail_bias=2.0)
        make_run(runs, "wd", seed + 4, tail_bias=0.5)

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            screen = await comparing(app, pilot, 6)
            assert sorted((entry.label, entry.n) for entry in screen.entries) == [("ce", 3), ("wd", 3)]
            base = screen.entries[screen.baseline].values("test.accuracy.few")
            other = screen.entries[1 - screen.baseline].values("test.accuracy.few")
            change = 100 * (other.mean() - base.mean())
            arrow = "↑" if change > 0 else "↓"
            found = stats.ttest_ind(other, base, equal_var=False).confidence_interval(0.95)
            verdict = "n.s." if found.low <= 0 <= found.high else "*"
            cell = row(screen, "Tail %")
            assert f"{arrow}{change:+.1f} {verdict}" in cell
            assert f"{100 * base.mean():.1f}±{100 * base.std(ddof=1):.1f}" in cell
            told = screen_text(app)
            assert "n=3 ◆ baseline" in told
            assert "Welch" in told
            assert {cell_len(line) for line in screen_lines(app)} == {size[0]}
            assert len(screen_lines(app)) == size[1]

    drive(look)


def test_the_baseline_is_switched_and_the_differences_turn_round(runs: Path) -> None:
    for variant, bias in (("ce", 2.0), ("wd", 0.5)):
        make_run(runs, variant, 0, tail_bias=bias)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            board = screen.board
            assert board is not None
            before = board.comparison.differences["test.accuracy.all", 1].value
            await pilot.press("right", "b")
            await rested(screen, pilot)
            board = screen.board
            assert board is not None
            assert board.baseline == 1
            assert board.comparison.differences["test.accuracy.all", 0].value == pytest.approx(-before)
            assert "bootstrap" in screen_text(app)

    drive(look)


def test_columns_are_put_in_another_order_and_taken_away_with_the_baseline_following(runs: Path) -> None:
    for decay in ("0.001", "0.002", "0.005", "0.01"):
        make_run(runs, "wd", 0, f"stages.0.weight_decay={decay}")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 4)
            labels = [entry.label for entry in screen.entries]
            base = screen.entries[0]
            await pilot.press("shift+right", "shift+right")
            await rested(screen, pilot)
            assert [entry.label for entry in screen.entries] == [labels[1], labels[2], labels[0], labels[3]]
            assert screen.entries[screen.baseline] is base
            assert screen.current == 2
            await pilot.press("left", "X")
            await rested(screen, pilot)
            assert [entry.label for entry in screen.entries] == [labels[1], labels[0], labels[3]]
            assert screen.entries[screen.baseline] is base
            await pilot.press("X", "X")
            await rested(screen, pilot)
            assert len(screen.entries) == 2
            assert "least" in said(app)

    drive(look)


def test_one_run_is_held_against_what_is_saved_under_it(runs: Path) -> None:
    folder = make_run(runs)
    adjusted(folder)
    adjusted(folder, "test")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 1)
            assert len(screen.entries) == 3
            assert [entry.members[0].derived is None for entry in screen.entries] == [True, False, False]
            assert "not a result" in screen.query_one("#problems", TextPane).text

    drive(look)


def test_a_saved_adjustment_and_a_run_are_added(runs: Path) -> None:
    folders = [
        make_run(runs, variant, 0, digits=f"{place:08x}") for place, variant in enumerate(("ce", "wd", "wb"))
    ]
    adjusted(folders[2])

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            count = len(screen.entries)
            await pilot.press("a")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: len(screen.entries) == count + 1)
            await rested(screen, pilot)
            await pilot.press("a")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: len(screen.entries) == count + 2)
            await rested(screen, pilot)
            assert sum(entry.members[0].derived is not None for entry in screen.entries) == 1
            await pilot.press("a")
            await pilot.pause()
            assert "nothing is left to add" in said(app)

    drive(look)


def test_a_single_run_without_anything_saved_is_no_comparison(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("C")
            await until(pilot, lambda: "needs two settings" in said(app))
            await until(pilot, lambda: not isinstance(app.screen, CompareScreen))

    drive(look)


def test_what_may_not_be_compared_is_said_at_the_top(runs: Path) -> None:
    make_run(runs, "wd", 0)
    make_run(runs, "wd", 0, "data.imbalance_factor=10")
    other = next(
        folder for folder in runs.iterdir() if "imbalance_factor = 10" in (folder / "config.toml").read_text()
    )
    provenance = other / "provenance.json"
    provenance.write_text(provenance.read_text().replace("100,", "99,", 1).replace("100\n", "99\n", 1))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            assert "NOT COMPARABLE" in screen.query_one("#problems", TextPane).text
            above = "\n".join(screen_lines(app)[:4])
            assert "NOT COMPARABLE" in above

    drive(look)


def test_more_than_six_columns_are_left_out_and_that_is_said(runs: Path) -> None:
    for place in range(8):
        make_run(runs, "wd", 0, f"stages.0.weight_decay={0.001 * (place + 1):.3f}")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 8)
            assert len(screen.entries) == 6
            assert "2 more settings" in screen.query_one("#problems", TextPane).text
            table = screen.query_one(ComparisonTable)
            assert len(table.columns()) < 6
            for _ in range(5):
                await pilot.press("right")
                await pilot.pause()
                assert {screen.current, screen.baseline} <= set(table.columns())

    drive(look)


def test_only_differing_settings_and_the_rules_stand_on_their_page(runs: Path) -> None:
    make_run(runs, "ce")
    make_run(runs, "wd_fr_etf")

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            screen = await comparing(app, pilot, 2)
            assert screen.pages_in_sight == ("curves",)
            await pilot.press("right_square_bracket", "right_square_bracket")
            await rested(screen, pilot)
            assert screen.pages_in_sight == ("settings",)
            text = screen.query_one("#settings", TextPane).text
            assert "model.head" in text
            assert "stages.0.epochs" not in text
            assert "n.s. between single runs:" in text
            await pilot.press("right_square_bracket")
            assert screen.page == PAGES[0]

    drive(look)


def test_curves_of_all_columns_are_drawn_and_one_page_takes_the_room_of_all(runs: Path) -> None:
    for seed in range(2):
        make_run(runs, "ce", seed)
        make_run(runs, "wd", seed)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 4)
            await until(pilot, lambda: "wd n=2" in screen_text(app) and "ce n=2" in screen_text(app))
            assert {one.label for one in screen.shown()} == {"ce n=2", "wd n=2"}
            await pilot.press("f")
            await pilot.pause()
            assert screen.pages_in_sight == ("curves",)
            assert not screen.query_one(ComparisonTable).display
            await pilot.press("escape")
            assert isinstance(app.screen, CompareScreen)
            await pilot.press("i", "left")
            assert screen.plot_state.cursor is not None
            assert screen.current == 0
            await pilot.press("escape", "escape")
            assert not isinstance(app.screen, CompareScreen)

    drive(look)


def test_diverged_logits_cost_that_run_and_not_the_comparison(runs: Path) -> None:
    make_run(runs, "ce", 0)
    make_run(runs, "wd", 0)
    broken = make_run(runs, "wd", 1)
    logits = np.load(broken / "predictions" / "test_logits.npy")
    logits[3, 3] = np.nan
    np.save(broken / "predictions" / "test_logits.npy", logits)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            screen = await comparing(app, pilot, 3)
            assert {entry.label for entry in screen.entries} == {"ce", "wd"}
            assert "wd: nothing by test images: test predictions: logits hold nan" in screen_text(app)

    drive(look)


def test_settings_too_wide_for_the_page_stand_below_each_other(runs: Path) -> None:
    names = [make_run(runs, variant).name for variant in ("ce", "wd", "wd_fr_etf")]
    comparison = make_board(entries(runs, names), 0).comparison

    def text(width: int) -> list[str]:
        return ["".join(part for part, _ in line) for line in lines.setting_lines(comparison, width)]

    wide, narrow = text(200), text(40)
    assert any(line.split() == ["stages.0.weight_decay", "0", "0.005", "0.005"] for line in wide)
    place = narrow.index(" stages.0.weight_decay")
    assert narrow[place + 1 : place + 3] == ["   ce: 0", "   wd, wd_fr_etf: 0.005"]
    assert all(cell_len(line) <= 70 for line in narrow)


def test_the_table_is_copied_as_markdown(runs: Path) -> None:
    make_run(runs, "ce")
    make_run(runs, "wd")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await comparing(app, pilot, 2)
            await pilot.press("c")
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: "sent to the terminal's clipboard; w writes a file" in said(app))
            assert "(baseline), n = 1" in app.clipboard

    drive(look)


def test_every_action_has_a_method_help_and_a_key_of_its_own() -> None:
    keys: dict[str, str] = {}
    for action in actions_of("compare"):
        assert hasattr(CompareScreen, f"action_{action.method.partition('(')[0]}"), action.id
        assert action.help.endswith(".")
        for key in action.keys.split(","):
            assert keys.setdefault(key, action.id) == action.id


# ---------------------------------------------------------------------- parts


def by_class(seeds: Sequence[int], bias: float) -> np.ndarray:
    splits = [predictions_of("test", seed, bias) for seed in seeds]
    return np.array(
        [
            [(split.logits.argmax(1) == k)[split.labels == k].mean() for k in range(CLASSES)]
            for split in splits
        ]
    )


def test_differences_by_class_are_of_means_over_seeds_with_welchs_interval(runs: Path) -> None:
    names = [make_run(runs, "ce", seed, tail_bias=2.0).name for seed in range(3)]
    names += [make_run(runs, "wd", seed, tail_bias=0.5).name for seed in range(4, 7)]
    board = make_board(entries(runs, names), 0)
    found = board.by_class[1]
    assert found is not None
    a, b = by_class(range(3), 2.0), by_class(range(4, 7), 0.5)
    assert found.mean == pytest.approx(b.mean(0) - a.mean(0))
    for k in np.flatnonzero((a.std(0) > 0) | (b.std(0) > 0)):
        interval = stats.ttest_ind(b[:, k], a[:, k], equal_var=False).confidence_interval(0.95)
        assert found.sure[k] == (not interval.low <= 0 <= interval.high)
    text = "\n".join("".join(part for part, _ in line) for line in lines.class_lines(board, ["ce", "wd"], 60))
    assert f"gained {np.sum(found.mean > 1e-9)}:" in text
    assert f"lost {np.sum(found.mean < -1e-9)}:" in text
    assert all(len(line) <= 64 for line in text.splitlines())


def test_differences_by_class_of_the_same_runs_are_paired(runs: Path) -> None:
    folders = [make_run(runs, "wd", seed, tail_bias=2.0) for seed in range(3)]
    names = [f"{folder.name}:{adjusted(folder)}" for folder in folders]
    board = make_board(entries(runs, [*(folder.name for folder in folders), *reversed(names)]), 0)
    found = board.by_class[1]
    assert found is not None
    assert found.paired
    before = by_class(range(3), 2.0)
    after = []
    for folder in folders:
        (strength,) = (one.strength for one in load_derived(open_run(folder)))
        split = predictions_of("test", int(folder.name.split("-s")[1][0]), 2.0)
        chosen = (split.logits - strength * np.log(np.array(COUNTS) / sum(COUNTS))).argmax(axis=1)
        after.append([(chosen == k)[split.labels == k].mean() for k in range(CLASSES)])
    apart = np.array(after) - before
    assert found.mean == pytest.approx(apart.mean(axis=0))
    checked = np.flatnonzero(apart.std(axis=0) > 1e-9)
    assert len(checked) > 3
    for k in checked:
        interval = stats.ttest_rel(np.array(after)[:, k], before[:, k]).confidence_interval(0.95)
        assert found.sure[k] == (not interval.low <= 0 <= interval.high)
    text = "\n".join("".join(part for part, _ in line) for line in lines.class_lines(board, ["wd", "x"], 90))
    assert "paired t" in text


def test_a_difference_that_cannot_be_told_from_seed_noise_is_neither_coloured_nor_bold(runs: Path) -> None:
    names = [make_run(runs, variant, seed).name for variant, seed in (("ce", 0), ("wd", 5))]
    board = make_board(entries(runs, names), 0)
    row_of_fdr = dict(lines.metric_rows(board.comparison))["FDR test ↑"]
    assert row_of_fdr == [(("80.0", ""),), (("85.0", ""), (" ↑+5.00 ?", "dim"))]
    rules = "\n".join("".join(part for part, _ in line) for line in lines.rule_lines(board.comparison, 200))
    assert "?: cannot be told from seed noise" in rules


def test_single_runs_have_no_verdict_by_class(runs: Path) -> None:
    names = [make_run(runs, variant).name for variant in ("ce", "wd")]
    board = make_board(entries(runs, names), 1)
    assert board.by_class[1] is None
    found = board.by_class[0]
    assert found is not None
    assert np.isnan(found.sure).all()


def test_without_predictions_there_is_nothing_by_class_and_no_crash(runs: Path) -> None:
    folders = [make_run(runs, variant) for variant in ("ce", "wd")]
    for file in (folders[1] / "predictions").iterdir():
        file.unlink()
    board = make_board(entries(runs, [folder.name for folder in folders]), 0)
    assert board.by_class == (None, None)
    text = str(lines.class_lines(board, ["ce", "wd"], 60))
    assert "nothing by class" in text
    canvas = lines.class_heatmap(board, ["ce", "wd"], GlyphSet.BRAILLE, True, 60, 10)
    assert "no values" in "\n".join(canvas.lines())


def test_the_heatmap_stands_from_head_to_tail_in_whatever_order_classes_are_numbered(runs: Path) -> None:
    names = [make_run(runs, variant, 0, tail_bias=bias).name for variant, bias in (("ce", 3.0), ("wd", 0.0))]
    board = make_board(entries(runs, names), 0)
    found = board.by_class[1]
    assert found is not None
    turned = replace(found, mean=found.mean[::-1], sure=found.sure[::-1])
    other = replace(board, by_class=(None, turned), counts=board.counts[::-1], names=board.names[::-1])
    pictures = [
        lines.class_heatmap(one, ["ce", "wd"], GlyphSet.BRAILLE, True, 60, 10) for one in (board, other)
    ]
    assert np.array_equal(pictures[0].background, pictures[1].background)
    assert np.array_equal(pictures[0].foreground, pictures[1].foreground)
    assert len(np.unique(pictures[0].background)) > 2


def test_an_arrow_shows_the_way_and_a_colour_whether_it_is_better(runs: Path) -> None:
    names = [make_run(runs, variant, 0, tail_bias=bias).name for variant, bias in (("ce", 3.0), ("wd", 0.0))]
    board = make_board(entries(runs, names), 0)
    rows = dict(lines.metric_rows(board.comparison))
    (_, delta) = rows["Tail % ↑"][1]
    few = [accuracies(predictions_of("test", 0, bias))["few"] for bias in (3.0, 0.0)]
    assert delta == (f" ↑{100 * (few[1] - few[0]):+.1f} *", lines.BETTER)
    base = dict(lines.metric_rows(make_board(entries(runs, names), 1).comparison))
    assert base["Tail % ↑"][0][1][1] == lines.WORSE
    assert rows["FDR test ↑"][1][1] == (" = ?", "dim")


def test_that_a_column_is_an_oracle_is_the_last_to_be_cut(runs: Path) -> None:
    folder = make_run(runs, "wd", 1)
    names = [folder.name, f"{folder.name}:{adjusted(folder)}", f"{folder.name}:{adjusted(folder, 'test')}"]
    board = make_board(entries(runs, names), 0)
    label = board.entries[2].label
    assert label.endswith("(oracle)")
    title, _ = lines.column_title(board.entries[2], is_baseline=False)
    assert title == f"oracle: {label.removesuffix(' (oracle)')}"
    assert lines.short_name(label).startswith("oracle: ")
    assert len(lines.short_name(label)) <= 28
    assert lines.called(board.entries[1].label) == board.entries[1].label
    picture = to_text(lines.class_heatmap(board, [title, "wd", title], GlyphSet.BRAILLE, True, 60, 12))
    assert "against oracle:" in picture


def test_problems_that_do_not_fit_stand_in_full_on_the_page_of_settings(runs: Path) -> None:
    for number, variant in enumerate(("ce", "wd", "wb", "cb")):
        folder = make_run(runs, variant)
        provenance = folder / "provenance.json"
        found = json.loads(provenance.read_text())
        found["data"]["train_counts"][3] += number
        provenance.write_text(json.dumps(found))

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            screen = await comparing(app, pilot, 4)
            assert screen.board is not None
            assert len(screen.board.comparison.problems) >= 3
            above = screen.query_one("#problems", TextPane).text
            assert "in full on the page of settings" in above
            assert len(above.splitlines()) == 3
            await pilot.press("right_square_bracket", "right_square_bracket")
            await rested(screen, pilot)
            text = " ".join(screen.query_one("#settings", TextPane).text.split())
            for problem in screen.board.comparison.problems:
                assert problem in text

    drive(look)

"""What do the table, the page of classes and that of settings say of a comparison?"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from finished_runs import CLASSES, COUNTS, accuracies, make_run, predictions_of
from rich.cells import cell_len
from saved_adjustments import save_adjusted
from scipy import stats

from wbtui.plotting import GlyphSet, to_text
from wbtui.report.class_axis import class_axis
from wbtui.report.derived import load_derived
from wbtui.report.entries import entries
from wbtui.store.reader import open_run
from wbtui.tui import compare_lines as lines
from wbtui.tui.compare_work import make_board
from wbtui.tui.theme import BAD, GOOD


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


def test_what_tells_settings_apart_is_not_cut_where_they_stand_below_each_other(runs: Path) -> None:
    decays = [f"stages.0.weight_decay={value}" for value in (0.01, 0.02)]
    folders = [make_run(runs, "wd"), *(make_run(runs, "wd_fixed_bn", 0, one) for one in decays)]
    for folder in folders:
        config = folder / "config.toml"
        preset = "images_of_my_own" if folder is folders[0] else "cifar10_lt_with_a_long_name"
        config.write_text(config.read_text().replace('"digits_lt"', f'"{preset}"'))
    comparison = make_board(entries(runs, [one.name for one in folders]), 0).comparison
    said = ["".join(part for part, _ in line) for line in lines.setting_lines(comparison, 70)]
    text = " ".join(" ".join(said).split())
    assert "wd, images_of_my_own: 0.005" in text
    for value in (0.01, 0.02):
        assert f"wd_fixed_bn (weight_decay {value}), cifar10_lt_with_a_long_name: {value}" in text


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
    names = [f"{folder.name}:{save_adjusted(folder)}" for folder in folders]
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
    assert "nothing by class: wd stores no predictions" in text
    canvas = lines.class_heatmap(board, ["ce", "wd"], GlyphSet.BRAILLE, True, 60, 10)
    assert "nothing by class: wd stores no predictions" in "\n".join(canvas.lines())


def test_the_heatmap_stands_from_head_to_tail_in_whatever_order_classes_are_numbered(runs: Path) -> None:
    names = [make_run(runs, variant, 0, tail_bias=bias).name for variant, bias in (("ce", 3.0), ("wd", 0.0))]
    board = make_board(entries(runs, names), 0)
    found = board.by_class[1]
    assert found is not None
    turned = replace(found, mean=found.mean[::-1], sure=found.sure[::-1])
    called = board.axis.called[::-1]
    other = replace(board, by_class=(None, turned), axis=class_axis(len(called), board.counts[::-1], called))
    pictures = [
        lines.class_heatmap(one, ["ce", "wd"], GlyphSet.BRAILLE, True, 60, 10) for one in (board, other)
    ]
    assert pictures[0].lines() == pictures[1].lines()
    assert np.array_equal(pictures[0].background, pictures[1].background)
    assert np.array_equal(pictures[0].foreground, pictures[1].foreground)
    assert len(np.unique(pictures[0].background)) > 2


def test_an_arrow_shows_the_way_and_a_colour_whether_it_is_better(runs: Path) -> None:
    names = [make_run(runs, variant, 0, tail_bias=bias).name for variant, bias in (("ce", 3.0), ("wd", 0.0))]
    board = make_board(entries(runs, names), 0)
    rows = dict(lines.metric_rows(board.comparison))
    (_, delta) = rows["Tail % ↑"][1]
    few = [accuracies(predictions_of("test", 0, bias))["few"] for bias in (3.0, 0.0)]
    assert delta == (f" ↑{100 * (few[1] - few[0]):+.1f} *", GOOD)
    base = dict(lines.metric_rows(make_board(entries(runs, names), 1).comparison))
    assert base["Tail % ↑"][0][1][1] == BAD
    assert rows["FDR test ↑"][1][1] == (" = ?", "dim")


def test_that_a_column_is_an_oracle_is_the_last_to_be_cut(runs: Path) -> None:
    folder = make_run(runs, "wd", 1)
    names = [
        folder.name,
        f"{folder.name}:{save_adjusted(folder)}",
        f"{folder.name}:{save_adjusted(folder, choose='test')}",
    ]
    board = make_board(entries(runs, names), 0)
    label = board.entries[2].label
    assert label.endswith("(oracle)")
    title, _ = lines.column_title(board.entries[2], is_baseline=False)
    assert title == f"oracle: {label.removesuffix(' (oracle)')}"
    (short,) = lines.short_names([label])
    assert short.startswith("oracle: ")
    assert len(short) <= 28
    assert lines.called(board.entries[1].label) == board.entries[1].label
    picture = to_text(lines.class_heatmap(board, [title, "wd", title], GlyphSet.BRAILLE, True, 60, 12))
    assert "against oracle:" in picture


def test_titles_that_would_read_alike_keep_their_ends() -> None:
    names = ["ce", "ce + additive 1, prior: given counts", "ce + additive 1, prior: validation"]
    assert lines.titles_apart(names, 19) == [f"{'ce':19}", "ce + addi…en counts", "ce + addi…alidation"]
    assert lines.titles_apart(names[:2], 19)[1] == "ce + additive 1, p…"
    assert lines.titles_apart(names, 40) == [f"{name:40}" for name in names]

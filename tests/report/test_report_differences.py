"""Is a difference between two settings more than noise, and by which rule?"""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from compared import column, names
from finished_runs import CLASSES, accuracies, make_run, predictions_of
from saved_adjustments import save_adjusted
from scipy import stats

from wbtui.report.compare import compare
from wbtui.report.compare_tables import comparison_json, long_table, metric_table
from wbtui.report.derived import load_derived
from wbtui.report.differences import difference
from wbtui.report.entries import Entry, entries
from wbtui.report.markup import to_csv, to_latex, to_markdown
from wbtui.store.reader import open_run


def test_single_runs_differ_by_the_paired_bootstrap_over_images(tmp_path: Path) -> None:
    a, b = make_run(tmp_path, "ce", 0, tail_bias=2.0), make_run(tmp_path, "wd", 0, tail_bias=0.0)
    base, other = entries(tmp_path, names(a, b))
    found = difference(base, other, "test.accuracy.all")
    assert found is not None
    assert found.rule == "bootstrap"
    one, two = (predictions_of("test", 0, bias) for bias in (2.0, 0.0))
    right = [(s.logits.argmax(1) == s.labels).astype(float) for s in (one, two)]
    gain = (right[1] - right[0]).reshape(CLASSES, -1)
    assert found.value == pytest.approx(gain.mean())
    error = np.sqrt((gain.var(axis=1) / gain.shape[1]).sum()) / CLASSES
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert found.significant
    few = difference(base, other, "test.accuracy.few")
    assert few is not None
    assert few.value == pytest.approx(accuracies(two)["few"] - accuracies(one)["few"])
    fdr = difference(base, other, "test.fdr")
    assert fdr is not None
    assert (fdr.rule, fdr.significant) == ("none", None)


def test_seeds_differ_by_welchs_interval(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce", seed, tail_bias=1.0) for seed in range(3)]
    folders += [make_run(tmp_path, "wd", seed, tail_bias=0.8) for seed in range(4, 8)]
    base, other = entries(tmp_path, names(*folders))
    found = difference(base, other, "test.accuracy.all")
    assert found is not None
    assert found.rule == "welch"
    a, b = base.values("test.accuracy.all"), other.values("test.accuracy.all")
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_one_seed_against_several_has_no_interval_and_says_so(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce", 0), make_run(tmp_path, "wd", 0), make_run(tmp_path, "wd", 1)]
    table = metric_table(compare(entries(tmp_path, names(*folders))))
    assert column(table, 2)["All % ↑"].endswith(" ?")
    assert any(note.startswith("?: cannot be told from seed noise") for note in table.notes)


def adjusted_seeds(tmp_path: Path, seeds: int) -> tuple[list[Path], list[str]]:
    """Runs of some seeds, and the names of an adjustment of each."""
    folders = [make_run(tmp_path, "wd", seed, tail_bias=2.0) for seed in range(seeds)]
    for folder in folders:
        save_adjusted(folder)
    return folders, [f"{folder.name}:additive" for folder in folders]


def test_results_of_the_same_runs_are_paired_run_by_run(tmp_path: Path) -> None:
    folders, both = adjusted_seeds(tmp_path, 3)
    other_training = make_run(tmp_path, "ce", 7, tail_bias=1.0), make_run(tmp_path, "ce", 8, tail_bias=1.0)
    given_out_of_order = [*names(*folders), *reversed(both), *names(*other_training)]
    comparison = compare(entries(tmp_path, given_out_of_order))
    found = comparison.differences["test.accuracy.few", 1]
    before = [accuracies(predictions_of("test", seed, 2.0))["few"] for seed in range(3)]
    after = [load_derived(open_run(folder))[0].figures["test.accuracy.few"] for folder in folders]
    expected = stats.ttest_rel(after, before).confidence_interval(0.95)
    assert found.rule == "paired"
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert comparison.differences["test.accuracy.few", 2].rule == "welch"
    notes = metric_table(comparison).notes
    assert any(note.startswith("n.s. between results of the same runs") for note in notes)
    assert any(note.startswith("n.s. between different trainings: Welch's") for note in notes)


def test_other_trainings_with_the_same_seeds_are_not_paired(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, variant, seed) for variant in ("ce", "wd") for seed in range(3)]
    comparison = compare(entries(tmp_path, names(*folders)))
    assert {apart.rule for apart in comparison.differences.values()} == {"welch"}


def test_what_adjusting_logits_leaves_alone_is_identical_and_no_noise(tmp_path: Path) -> None:
    folders, both = adjusted_seeds(tmp_path, 2)
    for taken in (1, 2):
        comparison = compare(entries(tmp_path, [*names(*folders[:taken]), *both[:taken]]))
        found = comparison.differences["test.fdr", 1]
        assert (found.value, found.verdict, found.significant) == (0.0, "identical", None)
        assert column(metric_table(comparison), 2)["FDR test ↑"].endswith("  0")


def test_a_spread_of_zero_makes_no_difference_significant(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, variant, seed) for variant in ("ce", "wd") for seed in range(2)]
    base, other = entries(tmp_path, names(*folders))

    def all_with(entry: Entry, value: float) -> Entry:
        members = tuple(
            replace(one, figures=replace(one.figures, values={"test.accuracy.all": value}))
            for one in entry.members
        )
        return replace(entry, members=members)

    found = difference(all_with(base, 0.7), all_with(other, 0.704), "test.accuracy.all")
    assert found is not None
    assert (found.value, found.verdict) == (pytest.approx(0.004), "no interval")
    same = difference(all_with(base, 0.7), all_with(other, 0.7), "test.accuracy.all")
    assert same is not None
    assert same.verdict == "not significant"


def test_what_cannot_be_told_from_seed_noise_has_a_mark_and_neither_colour_nor_bold(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, variant, seed) for variant, seed in (("ce", 0), ("wd", 3))]
    comparison = compare(entries(tmp_path, names(*folders)))
    table = metric_table(comparison)
    (row,) = (row for row in table.rows if row[0].text == "FDR test ↑")
    assert (row[2].text, row[2].style) == ("83.0  +3.00 ?", "")
    assert [cell.best for cell in row] == [False] * 3
    legend = "?: cannot be told from seed noise"
    for text in (to_markdown(table), to_latex(table)):
        assert "+3.00 ?" in text
        assert legend in text
        assert "83.0  +3.00 ?**" not in text
        assert r"\textbf{83.0" not in text
    rows = list(csv.DictReader(io.StringIO(to_csv(long_table(comparison)))))
    (told,) = (one for one in rows if (one["metric"], one["setting"]) == ("test.fdr", "wd"))
    assert (float(told["difference"]), told["verdict"], told["significant"]) == (3.0, "no interval", "")
    assert any(rule.startswith(legend) for rule in comparison_json(comparison)["rules"])


def test_of_three_settings_the_one_of_a_single_seed_does_not_compete_for_bold(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, variant, seed) for variant in ("ce", "wd") for seed in range(2)]
    folders.append(make_run(tmp_path, "wd_fr_etf", 9))
    table = metric_table(compare(entries(tmp_path, names(*folders))))
    (row,) = (row for row in table.rows if row[0].text == "FDR test ↑")
    assert [cell.text.split()[0] for cell in row[1:]] == ["80.5", "80.5", "89.0"]
    assert [cell.best for cell in row[1:]] == [True, True, False]

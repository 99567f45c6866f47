"""Is a difference between two settings more than noise, and by which rule?"""

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from compared import column, names
from finished_runs import CLASSES, COUNTS, accuracies, make_run, predictions_of
from saved_adjustments import save_adjusted
from scipy import stats

from wbtui.metrics import assign_groups
from wbtui.report.compare import compare
from wbtui.report.compare_tables import comparison_json, long_table, metric_table
from wbtui.report.derived import load_derived
from wbtui.report.differences import Difference, Rule, difference, interval_over_seeds, rule_in_words
from wbtui.report.entries import Entry, Predicted, entries
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
    assert few.rule == "bootstrap"
    own = gain[[n < 8 for n in COUNTS]]
    error = np.sqrt((own.var(axis=1) / own.shape[1]).sum()) / len(own)
    assert few.high - few.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert few.low < few.value < few.high
    for of_no_test_image in ("test.fdr", "validation.accuracy.all"):
        apart = difference(base, other, of_no_test_image)
        assert apart is not None
        assert (apart.rule, apart.significant) == ("none", None)


def test_there_is_no_bootstrap_without_the_same_images_in_the_same_groups_on_both_sides(
    tmp_path: Path,
) -> None:
    folders = [make_run(tmp_path, variant, 0) for variant in ("ce", "wd")]
    base, other = entries(tmp_path, names(*folders))

    def rules(predicted: Predicted | None) -> list[str]:
        changed = replace(other, members=(replace(other.members[0], predicted=predicted),))
        pairs = [(base, changed), (changed, base)]
        found = [difference(*pair, f"test.accuracy.{group}") for pair in pairs for group in ("all", "few")]
        return [apart.rule for apart in found if apart is not None]

    theirs = other.members[0].predicted
    assert theirs is not None
    assert rules(theirs) == ["bootstrap"] * 4
    assert rules(None) == ["none"] * 4
    assert rules(replace(theirs, labels=theirs.labels[::-1])) == ["none"] * 4
    assert rules(replace(theirs, groups=assign_groups(COUNTS, 60, 8))) == ["bootstrap", "none"] * 2


def test_the_marks_are_explained_where_there_are_any() -> None:
    assert rule_in_words(set(), 500) == rule_in_words({"identical"}, 500) == []
    starts = {
        "paired": "n.s. between results of the same runs",
        "welch": "n.s. between different trainings",
        "bootstrap": "n.s. between single runs",
    }
    for rule in get_args(Rule)[:3]:
        said, star = rule_in_words({rule}, 500)
        assert (said.startswith(starts[rule]), "500 test images" in said) == (True, rule == "bootstrap")
        assert star == "*: that interval leaves 0 out"
    (unknown,) = rule_in_words({"none"}, 500)
    assert unknown.startswith("?: cannot be told from seed noise")
    assert rule_in_words({"none", "welch"}, 500) == [*rule_in_words({"welch"}, 500), unknown]


@pytest.mark.parametrize(
    ("low", "high", "significant"),
    [
        (0.1, 0.3, True),
        (-0.3, -0.1, True),
        (-0.1, 0.3, False),
        (-0.3, 0.1, False),
        (0.0, 0.3, False),
        (-0.3, 0.0, False),
    ],
)
def test_a_difference_is_significant_where_its_interval_leaves_zero_out(
    low: float, high: float, significant: bool
) -> None:
    assert Difference((low + high) / 2, low, high, "welch").significant is significant


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


def all_with(entry: Entry, *values: float) -> Entry:
    """The same setting, with these values of All, one a member; NaN where a member has none."""
    members = tuple(
        replace(one, figures=replace(one.figures, values={"test.accuracy.all": value}))
        for one, value in zip(entry.members, values, strict=True)
    )
    return replace(entry, members=members)


def test_one_seed_against_several_has_no_interval_and_says_so(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce", 0), make_run(tmp_path, "wd", 0), make_run(tmp_path, "wd", 1)]
    table = metric_table(compare(entries(tmp_path, names(*folders))))
    assert column(table, 2)["All % ↑"].endswith(" ?")
    assert any(note.startswith("?: cannot be told from seed noise") for note in table.notes)
    one, two = entries(tmp_path, names(*folders))
    for base, other in ((one, two), (two, one)):
        found = difference(base, other, "test.accuracy.all")
        assert found is not None
        assert (found.rule, found.verdict) == ("none", "no interval")
        assert np.isnan([found.low, found.high]).all()


def test_what_one_side_does_not_have_has_no_difference_and_what_is_not_finite_no_interval(
    tmp_path: Path,
) -> None:
    folders = [make_run(tmp_path, variant, seed) for variant in ("ce", "wd") for seed in range(2)]
    base, other = entries(tmp_path, names(*folders))
    there, missing = all_with(base, 0.7, 0.8), all_with(other, np.nan, np.nan)
    assert difference(there, missing, "test.accuracy.all") is None
    assert difference(missing, there, "test.accuracy.all") is None
    diverged = difference(there, all_with(other, np.inf, 0.5), "test.accuracy.all")
    assert diverged is not None
    assert (diverged.value, diverged.rule, diverged.verdict) == (np.inf, "none", "no interval")


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
    base, adjusted = comparison.entries[:2]
    same = difference(all_with(base, 0.7, 0.8, 0.9), all_with(adjusted, 0.9, 0.8, 0.7), "test.accuracy.all")
    assert (
        same is not None
    )  # run by run, for these came in reverse: adjusting might have moved it, and has not
    assert (same.low, same.high) == (0.0, 0.0)
    assert (same.rule, same.value, same.verdict, same.significant) == (
        "paired",
        0.0,
        "not significant",
        False,
    )
    lacking = difference(
        all_with(base, 0.7, 0.8, 0.9), all_with(adjusted, 0.6, np.nan, 0.7), "test.accuracy.all"
    )
    assert lacking is not None  # no pairs: a run has the figure on one side only
    assert lacking.rule == "welch"
    one_less = replace(adjusted, members=adjusted.members[1:])
    alike = difference(all_with(base, 0.7, 0.8, np.nan), all_with(one_less, 0.75, 0.6), "test.accuracy.all")
    assert alike is not None  # pairs: the run that was not adjusted has no figure either
    assert alike.rule == "paired"
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
        assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
        assert (found.verdict, found.significant) == ("identical", None)
        assert column(metric_table(comparison), 2)["FDR test ↑"].endswith("  0")


def test_a_spread_of_zero_makes_no_difference_significant(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, variant, seed) for variant in ("ce", "wd") for seed in range(2)]
    base, other = entries(tmp_path, names(*folders))
    found = difference(all_with(base, 0.7, 0.7), all_with(other, 0.704, 0.704), "test.accuracy.all")
    assert found is not None
    assert (found.value, found.verdict) == (pytest.approx(0.004), "no interval")
    worse = difference(all_with(base, 0.7, 0.7), all_with(other, 0.696, 0.696), "test.accuracy.all")
    assert worse is not None
    assert (worse.value, worse.verdict) == (pytest.approx(-0.004), "no interval")
    same = difference(all_with(base, 0.7, 0.7), all_with(other, 0.7, 0.7), "test.accuracy.all")
    assert same is not None
    assert (same.verdict, same.significant) == ("not significant", False)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_a_spread_of_rounding_alone_is_none_in_any_unit(unit: float) -> None:
    rounded = unit * np.array([0.1 + 0.2, 0.3])
    assert rounded[0] != rounded[1]
    assert interval_over_seeds(rounded, unit * np.array([0.5, 0.5])) is None
    level = interval_over_seeds(rounded, rounded[::-1])
    assert level is not None
    assert interval_over_seeds(unit * np.array([0.3, 0.31]), unit * np.array([0.5, 0.5])) is not None
    nothing_right = np.zeros(2)
    assert interval_over_seeds(nothing_right, -rounded) is None
    assert interval_over_seeds(-rounded, nothing_right) is None
    assert interval_over_seeds(nothing_right, nothing_right) is not None


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
    base, *others = entries(tmp_path, names(*folders))

    def row(title: str, *compared: Entry) -> list[tuple[str, bool]]:
        (found,) = (row for row in metric_table(compare(compared)).rows if row[0].text == title)
        return [(cell.text.split()[0], cell.best) for cell in found[1:]]

    assert row("FDR test ↑", base, *others) == [("80.5", True), ("80.5", True), ("89.0", False)]
    # Nothing is told of settings from each other where the baseline has no figure, and no BN scale is the better one.
    assert row("FDR test ↑", all_with(base, 0.7, 0.8), *others) == [
        ("-", False),
        ("80.5", False),
        ("89.0", False),
    ]
    assert row("BN scale", base, *others) == [("0.800", False)] * 3

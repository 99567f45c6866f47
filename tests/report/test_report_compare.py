"""Comparing settings: folded seeds, differences with their rule, and what may not be compared."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished_runs import CLASSES, COUNTS, accuracies, classifier, make_run, predictions_of
from scipy import stats

from wbtui.adjustment import AdditiveMultiplicative, AllAccuracy, method_named
from wbtui.errors import UsageError
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.report.compare import (
    compare,
    comparison_json,
    difference_tables,
    long_table,
    metric_table,
    provenance_table,
)
from wbtui.report.derived import load_derived, save_derived
from wbtui.report.differences import difference
from wbtui.report.entries import Entry, entries
from wbtui.report.exporting import write_scalars
from wbtui.report.importing import Labels, Sources, make_imported_run, read_predictions
from wbtui.report.markup import to_csv, to_latex, to_markdown
from wbtui.report.settings import differing_keys, fold_seeds
from wbtui.report.study import finished, study_entries, study_problems, study_tables
from wbtui.report.table import Table
from wbtui.report.values import json_text
from wbtui.store.predictions import SplitPredictions, write_predictions
from wbtui.store.reader import open_run


def names(*folders: Path) -> list[str]:
    return [folder.name for folder in folders]


def column(table: Table, index: int) -> dict[str, str]:
    return {row[0].text: row[index].text for row in table.rows}


def test_seeds_fold_and_settings_stay_apart(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, variant, seed) for variant in ("wd", "ce") for seed in range(2)]
    folders.append(make_run(tmp_path, "wd", 0, "stages.0.weight_decay=0.002"))
    folders.append(make_run(tmp_path, "wd", 2, "threads=2", "checkpoint.every_seconds=5.0"))
    settings = fold_seeds(open_run(folder) for folder in folders)
    assert [setting.n for setting in settings] == [3, 2, 1]
    assert [setting.label for setting in settings] == [
        "wd (weight_decay 0.005)",
        "ce",
        "wd (weight_decay 0.002)",
    ]
    assert differing_keys([settings[0].values, settings[2].values]) == ["stages.0.weight_decay"]


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


def test_the_table_has_baseline_deltas_and_the_rule_behind_ns(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce", 0), make_run(tmp_path, "wd", 1)]
    comparison = compare(entries(tmp_path, names(*folders)))
    table = metric_table(comparison)
    assert table.columns[1].title == "ce (baseline), n = 1"
    base, other = accuracies(predictions_of("test", 0)), accuracies(predictions_of("test", 1))
    assert column(table, 1)["All % ↑"] == f"{100 * base['all']:.1f}"
    text = column(table, 2)["All % ↑"]
    assert text.startswith(f"{100 * other['all']:.1f}  {100 * (other['all'] - base['all']):+.1f}")
    assert any(note.startswith("n.s. between single runs: the 95 % interval") for note in table.notes)
    best = next(row for row in table.rows if row[0].text == "All % ↑")
    assert [cell.best for cell in best[1:]] == [base["all"] >= other["all"], other["all"] >= base["all"]]
    assert comparison.problems == ()


def test_only_differing_configuration_and_provenance_is_shown(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce"), make_run(tmp_path, "wd_fr_etf")]
    provenance = folders[1] / "provenance.json"
    provenance.write_text(provenance.read_text().replace("2.13.0", "2.14.1"))
    configuration, facts = difference_tables(compare(entries(tmp_path, names(*folders))))
    assert column(configuration, 2) == {
        "model.head": "etf",
        "stages.0.weight_decay": "0.005",
        "stages.0.feature_regularization": "0.001",
    }
    assert column(facts, 2) == {"version torch": "2.14.1"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["data.split_rule=full"], "different images"),
        (["data.imbalance_factor=20.0"], "different images"),
        (["data.many_above=50"], "different groups of classes"),
    ],
)
def test_runs_that_may_not_be_compared_are_said_at_the_top(
    tmp_path: Path, settings: list[str], said: str
) -> None:
    folders = [make_run(tmp_path, "ce"), make_run(tmp_path, "wd", 0, *settings)]
    comparison = compare(entries(tmp_path, names(*folders)))
    assert any(said in problem for problem in comparison.problems)
    assert all("NOT COMPARABLE" in problem for problem in comparison.problems)


def test_another_training_split_and_another_test_set_are_said(tmp_path: Path) -> None:
    a, b = make_run(tmp_path, "ce"), make_run(tmp_path, "wd", 0, "data.imbalance_factor=20.0")
    text = (b / "provenance.json").read_text()
    (b / "provenance.json").write_text(text.replace("[100,65,", "[100,66,"))
    labels = np.load(b / "predictions" / "test_labels.npy")
    np.save(b / "predictions" / "test_labels.npy", labels[::-1].copy())
    (first, second) = compare(entries(tmp_path, names(a, b))).problems
    assert "different test sets" in first
    assert "holdout rule, IF 50 / holdout rule, IF 20" in second


def test_of_imported_predictions_no_default_is_claimed(tmp_path: Path) -> None:
    test = predictions_of("test", 0)
    np.savez(tmp_path / "x.npz", logits=test.logits, labels=test.labels, counts=np.array(COUNTS) * 2)
    theirs = make_imported_run(
        tmp_path, read_predictions(Sources(tmp_path / "x.npz")), Labels("theirs", 0, "", (), 30, 8)
    )
    comparison = compare(entries(tmp_path, names(theirs, make_run(tmp_path, "wd", 0))))
    configuration = column(difference_tables(comparison)[0], 1)
    assert configuration["stages.0.weight_decay"] == configuration["model.name"] == "-"
    assert any("counts given with the predictions" in problem for problem in comparison.problems)
    study = study_tables(comparison.entries)[0]
    assert study.notes[-1].endswith("selection -, TTA none")


def test_equal_means_are_both_best_and_differ_by_nothing(tmp_path: Path) -> None:
    a, b = make_run(tmp_path, "ce", 0), make_run(tmp_path, "wd", 0)
    found = entries(tmp_path, names(a, b))
    shifted = found[1].members[0].figures
    more = {**shifted.values, "test.accuracy.all": shifted.values["test.accuracy.all"] - 1e-16}
    member = replace(found[1].members[0], figures=replace(shifted, values=more))
    table = metric_table(compare([found[0], replace(found[1], members=(member,))]))
    (row,) = (row for row in table.rows if row[0].text.startswith("All"))
    assert [cell.best for cell in row[1:]] == [True, True]
    assert row[2].text.split()[1] == "0.0"


def test_runs_without_final_figures_are_said(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce"), make_run(tmp_path, "wd", finished=False)]
    comparison = compare(entries(tmp_path, names(*folders)))
    assert comparison.problems == ("wd: 1 of 1 runs have no final figures, these are of epoch 7",)


def test_saved_adjustments_stand_beside_runs_and_stale_ones_are_refused(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    one = adjust_run(load_material(open_run(folder)), Request(method_named("additive"), AllAccuracy()))
    name = save_derived(one.material.run, one.derived()).stem
    base, other = entries(tmp_path, [folder.name, f"{folder.name}:addi"])
    assert other.label == "wd + additive"
    found = difference(base, other, "test.accuracy.all")
    assert found is not None
    assert found.value == pytest.approx(one.after.score.accuracy.all - one.before.score.accuracy.all)
    assert found.rule == "bootstrap"
    with pytest.raises(UsageError, match=f"expected one of {name}"):
        entries(tmp_path, [f"{folder.name}:nothing"])
    meta = folder / "predictions" / "meta.json"
    meta.write_text(meta.read_text().replace(one.material.fingerprint, "0" * 64))
    with pytest.raises(UsageError, match="stale"):
        entries(tmp_path, [f"{folder.name}:addi"])


def adjusted(folder: Path, **how: Any) -> None:
    """Save an additive adjustment under a run."""
    one = adjust_run(load_material(open_run(folder)), Request(method_named("additive"), AllAccuracy(), **how))
    save_derived(one.material.run, one.derived())


def test_an_oracle_in_a_comparison_is_called_one(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    adjusted(folder, choose="test")
    comparison = compare(entries(tmp_path, [folder.name, f"{folder.name}:additive"]))
    assert "not a result" in comparison.problems[0]
    assert comparison.entries[1].label == "wd + additive (oracle)"
    assert not any(row[2].best for row in metric_table(comparison).rows)
    assert any(row[1].best for row in metric_table(comparison).rows)


def test_a_strength_given_by_hand_is_said(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    adjusted(folder, strength=1.0)
    comparison = compare(entries(tmp_path, [folder.name, f"{folder.name}:additive"]))
    assert "by hand" in comparison.problems[0]


def test_adjustments_of_one_run_are_no_seeds_of_each_other(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    for how in ({}, {"choose": "published"}, {"sweep": np.array([0.0, 0.25])}, {"choose": "test"}):
        adjusted(folder, **how)
    saved = load_derived(open_run(folder))
    found = entries(tmp_path, [f"{folder.name}:{one.name}" for one in saved])
    assert [entry.n for entry in found] == [1] * 4
    chosen = {f"wd + additive {one.strength:.4g}" for one in saved if one.basis == "validation"}
    assert len(chosen) == 2
    assert {entry.label for entry in found} == {
        "wd + additive 1 (published)",
        "wd + additive (oracle)",
        *chosen,
    }


def test_a_methods_name_means_what_was_chosen_on_validation(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    for how in ({"strength": 0.65}, {}, {"choose": "test"}):
        adjusted(folder, **how)
    (entry,) = entries(tmp_path, [f"{folder.name}:additive"])
    assert entry.label == "wd + additive"
    adjusted(folder, sweep=np.array([0.0, 0.25]))
    with pytest.raises(UsageError, match="means several"):
        entries(tmp_path, [f"{folder.name}:additive"])


def test_other_seeds_of_the_same_runs_are_said_and_adjustments_listed(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "wd", seed) for seed in range(2)]
    for folder in folders:
        adjusted(folder)
    both = [f"{folder.name}:additive" for folder in folders]
    fewer = compare(entries(tmp_path, [*names(*folders), both[0]]))
    assert fewer.problems == (
        "wd + additive is over other seeds than wd: differences are also between seeds",
    )
    same = compare(entries(tmp_path, [*names(*folders), *both]))
    assert same.problems == ()
    chosen = [one.strength for folder in folders for one in load_derived(open_run(folder))]
    configuration = difference_tables(same)[0]
    strengths = ", ".join(f"{one:.4g}" for one in chosen)
    assert [[cell.text for cell in row] for row in configuration.rows] == [
        ["adjustment.method", "none", "additive"],
        ["adjustment.strength", "-", strengths],
        ["adjustment.chosen_on", "-", "validation, for all"],
        ["adjustment.prior", "-", "training counts"],
    ]
    told = comparison_json(same)["adjustments"]
    assert list(told) == ["wd + additive"]
    assert told["wd + additive"]["strength"] == strengths
    plain_runs = difference_tables(compare(entries(tmp_path, names(folders[0], make_run(tmp_path, "ce")))))
    assert not any(row[0].text.startswith("adjustment") for row in plain_runs[0].rows)


def adjusted_seeds(tmp_path: Path, seeds: int) -> tuple[list[Path], list[str]]:
    """Runs of some seeds, and the names of an adjustment of each."""
    folders = [make_run(tmp_path, "wd", seed, tail_bias=2.0) for seed in range(seeds)]
    for folder in folders:
        adjusted(folder)
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


def test_results_of_one_run_never_make_n_two_and_that_is_said(tmp_path: Path) -> None:
    folder, other = make_run(tmp_path), make_run(tmp_path, "wd", 1)
    adjusted(folder)
    adjusted(folder, sweep=np.array([0.0, 0.25]))
    adjusted(other)
    saved = load_derived(open_run(folder))
    found = entries(
        tmp_path, [*(f"{folder.name}:{one.name}" for one in saved), f"{other.name}:additive", folder.name]
    )
    assert [entry.n for entry in found] == [1] * 4
    assert len({entry.label for entry in found}) == 4
    (said,) = (problem for problem in compare(found).problems if "no seeds" in problem)
    assert all(one.name in said for one in saved)
    assert "column of its own" in said


def test_adjustments_that_differ_only_beyond_what_is_shown_stay_apart(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    adjusted(folder, strength=0.65)
    adjusted(folder, strength=0.650002)
    saved = load_derived(open_run(folder))
    found = entries(tmp_path, [f"{folder.name}:{one.name}" for one in saved])
    assert [(entry.label, entry.n) for entry in found] == [
        ("wd + additive-0.65", 1),
        ("wd + additive-0.650002", 1),
    ]


def test_pairs_of_strengths_that_differ_in_gamma_alone_stay_apart(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    for gamma in (0.2, 0.4):
        request = Request(AdditiveMultiplicative(gamma=gamma), AllAccuracy(), strength=0.5)
        one = adjust_run(load_material(open_run(folder)), request)
        save_derived(one.material.run, one.derived())
    found = entries(tmp_path, [f"{folder.name}:{one.name}" for one in load_derived(open_run(folder))])
    assert [(entry.label, entry.n) for entry in found] == [
        ("wd + pair 0.5, gamma 0.2", 1),
        ("wd + pair 0.5, gamma 0.4", 1),
    ]
    configuration = difference_tables(compare(found))[0]
    assert column(configuration, 2) == {"adjustment.gamma": "0.4"}


def test_a_run_named_twice_in_two_ways_is_one_run(tmp_path: Path) -> None:
    folder, other = make_run(tmp_path, digits="abcd1234"), make_run(tmp_path, "ce")
    found = entries(tmp_path, [folder.name, "abcd", other.name])
    assert [(entry.label, entry.n) for entry in found] == [("wd", 1), ("ce", 1)]


def test_machines_get_fractions_intervals_and_rules(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce", 0), make_run(tmp_path, "wd", 1)]
    comparison = compare(entries(tmp_path, names(*folders)))
    rows = list(csv.DictReader(io.StringIO(to_csv(long_table(comparison)))))
    row = next(row for row in rows if row["metric"] == "test.accuracy.all" and row["setting"] == "wd")
    assert float(row["mean"]) == accuracies(predictions_of("test", 1))["all"]
    assert row["std"] == ""
    assert float(row["low"]) <= float(row["difference"]) <= float(row["high"])
    assert row["rule"] == "bootstrap"
    told = json.loads(json_text(comparison_json(comparison)))
    assert told["baseline"] == "ce"
    assert told["configuration"]["stages.0.weight_decay"] == {"ce": "0", "wd": "0.005"}


def test_the_study_is_the_papers_table_with_n_and_the_best_in_bold(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, variant, seed) for variant in ("ce", "wd_fr_etf") for seed in range(2)]
    folders.append(make_run(tmp_path, "wd", 5))
    folders.append(make_run(tmp_path, "wd", 6, finished=False))
    kept, left_out = finished([open_run(folder) for folder in folders])
    assert len(kept) == 5
    assert "s6" in left_out[0]
    found = study_entries(kept, [method_named("additive")])
    (table,) = study_tables(found)
    assert [column.title for column in table.columns] == [
        "method", "n", "Many", "Medium", "Few", "All", "FDR train", "FDR test",
    ]  # fmt: skip
    assert [(row[0].text, row[1].text) for row in table.rows] == [
        ("ce", "2"),
        ("ce + additive", "2"),
        ("wd_fr_etf", "2"),
        ("wd_fr_etf + additive", "2"),
        ("wd", "1"),
        ("wd + additive", "1"),
    ]
    alls = [100 * accuracies(predictions_of("test", seed))["all"] for seed in range(2)]
    assert table.rows[0][5].text == f"{np.mean(alls):.1f} ± {np.std(alls, ddof=1):.1f}"
    assert table.rows[4][5].text == f"{100 * accuracies(predictions_of('test', 5))['all']:.1f}"
    assert "n/a" not in to_latex(table) + to_markdown(table)
    best = max(row[5].value for row in table.rows)
    assert [row[5].best for row in table.rows] == [row[5].value == best for row in table.rows]
    assert r"wd\_fr\_etf" in to_latex(table)
    assert "**" in to_markdown(table)
    assert study_problems(found) == []


def test_presets_of_a_study_stand_in_tables_of_their_own(tmp_path: Path) -> None:
    folders = [
        make_run(tmp_path, "ce"),
        make_run(tmp_path, "wd"),
        make_run(tmp_path, "ce", 1, "preset=other"),
    ]
    tables = study_tables(study_entries([open_run(folder) for folder in folders]))
    assert [(table.title, len(table.rows)) for table in tables] == [("digits_lt", 2), ("other", 1)]
    assert tables[0].rows[0][0].text == "ce"


def test_export_is_tidy_with_one_row_a_value(tmp_path: Path) -> None:
    run = open_run(make_run(tmp_path))
    out = io.StringIO()
    count = write_scalars([run], out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert len(rows) == count == sum(len(epoch.scalars) for epoch in run.epochs)
    last = [row for row in rows if row["metric"] == "test.accuracy.all"][-1]
    assert (last["epoch"], last["stage"], last["variant"], last["seed"]) == ("20", "1", "wd", "0")
    assert float(last["value"]) == run.epochs[-1].scalars["test.accuracy.all"]
    out = io.StringIO()
    write_scalars([run], out, final=True)
    final = {row["metric"]: row["value"] for row in csv.DictReader(io.StringIO(out.getvalue()))}
    assert float(final["train.fdr"]) == 300.0


def test_provenance_that_is_the_same_says_so(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce"), make_run(tmp_path, "wd")]
    table = provenance_table(compare(entries(tmp_path, names(*folders))))
    assert table.rows == ()
    assert "are the same" in table.notes[0]


def with_nan_logits(folder: Path) -> None:
    """The predictions of a net that diverged."""
    logits = np.load(folder / "predictions" / "test_logits.npy")
    logits[3] = np.nan
    meta = open_run(folder).predictions_meta()
    found = {"test": SplitPredictions(logits, predictions_of("test", 0).labels)}
    write_predictions(folder, found, classifier(), meta)


def test_a_run_with_nan_logits_is_compared_by_its_figures_and_the_reason_said(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, variant) for variant in ("ce", "wd")]
    with_nan_logits(folders[1])
    found = entries(tmp_path, names(*folders))
    assert [entry.label for entry in found] == ["ce", "wd"]
    assert found[0].members[0].why_not == ""
    assert found[1].members[0].predicted is None
    comparison = compare(found)
    (problem,) = comparison.problems
    assert problem.startswith("wd: nothing by test images: test predictions: logits hold nan (row 3")
    assert comparison.differences["test.accuracy.all", 1].rule == "none"


def test_a_saved_adjustment_that_cannot_be_applied_again_keeps_its_figures_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(tmp_path, "wd")
    run = open_run(folder)
    request = Request(method_named("additive"), AllAccuracy(), strength=1.0)
    save_derived(run, adjust_run(load_material(run), request).derived())

    def refuse(*_: object) -> None:
        raise UsageError("additive: not on these logits")

    monkeypatch.setattr(type(method_named("additive")), "predict", refuse)
    found = entries(tmp_path, [folder.name, f"{folder.name}:additive"])
    assert [entry.label for entry in found] == ["wd", "wd + additive 1"]
    assert found[1].values("test.accuracy.all").size == 1
    assert "wd + additive 1: nothing by test images: additive: not on these logits" in compare(found).problems


def test_splits_that_are_called_alike_are_told_apart_by_a_count(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce"), make_run(tmp_path, "wd")]
    provenance = folders[1] / "provenance.json"
    found = json.loads(provenance.read_text())
    before = found["data"]["train_counts"][3]
    found["data"]["train_counts"][3] += 1
    provenance.write_text(json.dumps(found))
    (problem,) = compare(entries(tmp_path, names(*folders))).problems
    assert problem.endswith(f"class 3 has {before} / {before + 1} images")

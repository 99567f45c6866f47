"""Which settings does a comparison fold, what does it show of them, and what may not be compared?"""

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from compared import column, names, on_terminal
from finished_runs import COUNTS, accuracies, classifier, make_run, predictions_of

from wbtui.adjustment import CRITERIA, method_named
from wbtui.report.adjusting import Request
from wbtui.report.compare import compare
from wbtui.report.compare_tables import (
    comparison_json,
    difference_tables,
    long_table,
    metric_table,
    provenance_table,
)
from wbtui.report.entries import Entry, entries
from wbtui.report.imported import Sources, read_predictions
from wbtui.report.importing import Labels, make_imported_run
from wbtui.report.markup import to_csv
from wbtui.report.settings import differing_keys, fold_seeds
from wbtui.report.study import study_entries, study_tables
from wbtui.report.terminal import fitting_table
from wbtui.report.values import json_text
from wbtui.store.predictions import PredictionsMeta, SplitPredictions, write_predictions
from wbtui.store.reader import open_run
from wbtui.store.records import write_result


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


def test_settings_that_differ_in_many_keys_are_called_by_what_is_unusual_of_each(tmp_path: Path) -> None:
    changed = [
        (),
        ("precision=bf16",),
        ("data.imbalance_factor=20.0",),
        ("model.width=8",),
        ("stages.0.batch_size=32", "evaluation.batch_size=32"),
        ("evaluation.batch_size=32",),
    ]
    folders = [make_run(tmp_path, "wd", 0, *settings) for settings in changed]
    assert [setting.label for setting in fold_seeds(map(open_run, folders))] == [
        "wd",
        "wd (precision bf16)",
        "wd (imbalance_factor 20)",
        "wd (width 8)",
        "wd (stages.0.batch_size 32, evaluation.batch_size 32)",
        "wd (evaluation.batch_size 32)",
    ]


def test_a_ratio_over_fewer_dimensions_than_features_have_is_flagged_where_it_is_compared(
    tmp_path: Path,
) -> None:
    for seed in range(2):
        make_run(tmp_path, "ce", seed)
        run = open_run(make_run(tmp_path, "wd", seed))
        assert run.result is not None
        flagged = {"test.fdr.flagged": 1.0, "test.fdr.rank": 40.0 + seed}
        write_result(run.path, replace(run.result, final={**(run.result.final or {}), **flagged}))
    runs = [open_run(folder) for folder in sorted(tmp_path.iterdir())]
    found = study_entries(runs, [Request(method_named("additive"), CRITERIA["all"])])
    said = (
        "FDR on test is over fewer dimensions than features have (few images, or dead features): wd 40 to 41"
    )
    for table in (metric_table(compare(found)), *study_tables(found)):
        assert [note for note in table.notes if "FDR" in note] == [said]


def test_the_table_has_baseline_deltas_and_the_rule_behind_ns(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce", 0), make_run(tmp_path, "wd", 1)]
    comparison = compare(entries(tmp_path, names(*folders)))
    table = metric_table(comparison)
    assert [one.title for one in table.columns] == ["test", "ce (baseline), n = 1", "wd, n = 1"]
    base, other = accuracies(predictions_of("test", 0)), accuracies(predictions_of("test", 1))
    assert column(table, 1)["All % ↑"] == f"{100 * base['all']:.1f}"
    text = column(table, 2)["All % ↑"]
    assert text.startswith(f"{100 * other['all']:.1f}  {100 * (other['all'] - base['all']):+.1f}")
    rule = table.notes[0]
    assert rule.startswith("n.s. between single runs: the 95 % interval")
    assert "500 test images" in rule
    best = next(row for row in table.rows if row[0].text == "All % ↑")
    assert [cell.best for cell in best[1:]] == [base["all"] >= other["all"], other["all"] >= base["all"]]
    assert comparison.problems == ()


def of_seeds(entry: Entry, **figures: tuple[float, ...]) -> Entry:
    """The same setting with these figures alone, one a seed."""
    names = {"accuracy": "test.accuracy.all", "loss": "test.loss", "scale": "bn.scale.mean"}
    members = tuple(
        replace(one, figures=replace(one.figures, values={names[key]: figures[key][n] for key in figures}))
        for n, one in enumerate(entry.members)
    )
    return replace(entry, members=members)


def test_a_cell_has_mean_spread_and_seeds_and_the_colour_of_a_gain_or_a_loss(tmp_path: Path) -> None:
    runs = [make_run(tmp_path, variant, seed) for variant in ("ce", "wd") for seed in range(3)]
    base, other, alone = entries(tmp_path, names(*runs, make_run(tmp_path, "wd_etf")))
    low, high = (0.5, 0.51, 0.52), (0.6, 0.61, 0.62)
    base = of_seeds(base, accuracy=low, loss=low, scale=low)
    better = of_seeds(other, accuracy=(0.6, 0.61, math.nan), loss=high, scale=high)
    comparison = compare([base, of_seeds(alone, accuracy=(0.53,)), better])
    table = metric_table(comparison)
    assert [[(cell.text, cell.style) for cell in row] for row in table.rows] == [
        [
            ("All % ↑", ""),
            ("51.0 ± 1.0", ""),
            ("53.0  +2.0 ?", ""),
            ("60.5 ± 0.7 (n = 2)  +9.5 *", "green"),
        ],
        [("loss ↓", ""), ("0.510 ± 0.010", ""), ("-", ""), ("0.610 ± 0.010  +0.100 *", "red")],
        [("BN scale", ""), ("0.510 ± 0.010", ""), ("-", ""), ("0.610 ± 0.010  +0.100 *", "")],
    ]
    assert table.notes[0] == "mean ± sample standard deviation over n seeds"
    assert [one.key for one in fitting_table(table, 40).columns] == ["metric", "ce", "wd_etf"]
    assert [[one.drop for one in each.columns] for each in difference_tables(comparison)] == [
        [0, 0, 0, 1]
    ] * 2
    rows = [[cell.value for cell in row] for row in long_table(comparison).rows]
    assert [row[:3] for row in rows] == [
        ["test.accuracy.all", "ce", 3],
        ["test.accuracy.all", "wd_etf", 1],
        ["test.accuracy.all", "wd", 2],
        *([metric, label, 3] for metric in ("test.loss", "bn.scale.mean") for label in ("ce", "wd")),
    ]
    assert rows[0][5:] == [None] * 6
    assert rows[2][3:6] == pytest.approx([0.605, 0.01 / 2**0.5, 0.095])
    turned = metric_table(compare([better, base]))
    assert [row[2].style for row in turned.rows] == ["red", "green", ""]


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
    assert facts.notes == ()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["data.split_rule=full"], "different images"),
        (["data.imbalance_factor=20.0"], "different images"),
        (
            ["data.many_above=50"],
            "different groups of classes: Many above 50, Few below 8 / Many above 30, Few below 8",
        ),
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
    assert "wd and ce: different training splits: holdout rule, IF 20 / holdout rule, IF 50" in second


def test_natural_counts_have_no_configured_imbalance_factor(tmp_path: Path) -> None:
    a, b = make_run(tmp_path, "ce"), make_run(tmp_path, "wd", 0, "data.profile=natural")
    text = (b / "provenance.json").read_text()
    (b / "provenance.json").write_text(text.replace("[100,65,", "[100,66,"))
    (problem,) = compare(entries(tmp_path, names(a, b))).problems
    assert problem.endswith("holdout rule, natural counts / holdout rule, IF 50")


def test_of_imported_predictions_no_default_is_claimed(tmp_path: Path) -> None:
    test = predictions_of("test", 0)
    np.savez(tmp_path / "x.npz", logits=test.logits, labels=test.labels, counts=np.array(COUNTS) * 2)
    theirs = make_imported_run(
        tmp_path, read_predictions(Sources(tmp_path / "x.npz")), Labels("theirs", 0, "", (), 30, 8)
    )
    ours = [make_run(tmp_path, variant, 0) for variant in ("wd", "ce")]
    comparison = compare(entries(tmp_path, names(theirs, *ours)))
    table = difference_tables(comparison)[0]
    assert column(table, 1)["stages.0.weight_decay"] == "-"
    assert column(table, 2)["stages.0.weight_decay"] == "0.005"
    assert "model.name" not in column(table, 1), (
        "what all trained ones share is no difference to what is not known"
    )
    assert table.notes == ("of imported theirs only what was given with the predictions is known",)
    provenance = column(difference_tables(comparison)[1], 1)
    assert "version torch" not in provenance
    assert provenance["imported from"].endswith("x.npz")
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
    folders = [make_run(tmp_path, "ce"), *(make_run(tmp_path, one, finished=False) for one in ("wd", "wb"))]
    (folders[2] / "events.jsonl").unlink()
    comparison = compare(entries(tmp_path, names(*folders)))
    assert comparison.problems == (
        "wd: no final figures, these are of epoch 7",
        "wb: no final figures, nothing has been measured",
    )


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
    runs = [folder.name for folder in folders]
    assert told["settings"] == [
        {"label": label, "n": 1, "runs": [run]} for label, run in zip(("ce", "wd"), runs, strict=True)
    ]
    assert (told["problems"], told["provenance"], told["adjustments"]) == ([], {}, {})
    assert told["rules"] == list(metric_table(comparison).notes)
    assert [one["mean"] for one in told["metrics"]] == [float(row["mean"]) for row in rows]
    assert told["configuration"]["stages.0.weight_decay"] == {"ce": "0", "wd": "0.005"}


def test_provenance_is_versions_device_commit_data_selection_and_weights(tmp_path: Path) -> None:
    chosen = ("evaluation.selection=best_validation", "evaluation.tta=flip")
    folders = [make_run(tmp_path, "ce"), make_run(tmp_path, "wd", 0, *chosen)]
    path = folders[1] / "provenance.json"
    found = json.loads(path.read_text())
    found["versions"]["cuda"] = "13.0"
    found["identity"] |= {"device": "cuda", "torch": "told among the versions"}
    found["code"] = {"commit": "c0ffee"}
    found["data"] |= {"description": "step, IF 50", "fingerprint": "0123456789abcdef0123"}
    path.write_text(json.dumps(found))
    splits = {"test": predictions_of("test", 0)}
    write_predictions(folders[1], splits, classifier(), PredictionsMeta("best_validation", 3, "flip"))
    table = provenance_table(compare(entries(tmp_path, names(*folders))))
    assert column(table, 2) == {
        "version cuda": "13.0",
        "device": "cuda",
        "commit": "c0ffee",
        "split rule": "step, IF 50",
        "data fingerprint": "0123456789abcdef",
        "selection": "best_validation",
        "TTA": "flip",
        "weights": "best_validation",
    }
    assert column(table, 1)["commit"] == "-"


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
    assert column(metric_table(compare(found, baseline=1)), 1)["All % ↑"].endswith(" ?")


def test_splits_that_are_called_alike_are_told_apart_by_a_count(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "ce"), make_run(tmp_path, "wd")]
    provenance = folders[1] / "provenance.json"
    found = json.loads(provenance.read_text())
    before = found["data"]["train_counts"][3]
    found["data"]["train_counts"][3] += 1
    provenance.write_text(json.dumps(found))
    (problem,) = compare(entries(tmp_path, names(*folders))).problems
    assert problem.startswith("NOT COMPARABLE: wd and ce: ")
    assert problem.endswith(f"class 3 has {before + 1} / {before} images")


def test_on_80_columns_every_row_keeps_its_name_however_settings_are_called(tmp_path: Path) -> None:
    folders = [
        make_run(
            tmp_path,
            "wd",
            0,
            *(f"stages.0.{key}" for key in (f"weight_decay=0.00{k}", f"learning_rate=0.{k}")),
        )
        for k in (1, 2)
    ]
    for folder, commit in zip(folders, ("a" * 40 + " / " + "b" * 40, "c" * 40), strict=True):
        path = folder / "provenance.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "code": {"commit": commit}}))
    comparison = compare(entries(tmp_path, names(*folders)))
    for table in (metric_table(comparison), *difference_tables(comparison)):
        lines = on_terminal(table)
        for row in table.rows:
            assert any(line.startswith(row[0].text) for line in lines)
            for cell in row[1:]:
                assert cell.text.split()[0][:10] in "".join(lines)

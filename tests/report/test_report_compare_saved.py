"""How do saved adjustments stand beside runs in a comparison?"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from compared import column, names
from finished_runs import make_run
from saved_adjustments import save_adjusted

from wbtui.adjustment import AdditiveMultiplicative, AllAccuracy, FewAboveFloor, method_named
from wbtui.errors import UsageError
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.report.compare import compare
from wbtui.report.compare_tables import comparison_json, difference_tables, metric_table
from wbtui.report.derived import load_derived, save_derived
from wbtui.report.differences import difference
from wbtui.report.entries import entries
from wbtui.store.reader import open_run
from wbtui.store.records import write_result


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
    meta.write_text(meta.read_text().replace(one.material.meta.fingerprint, "0" * 64))
    with pytest.raises(UsageError, match="stale"):
        entries(tmp_path, [f"{folder.name}:addi"])


def test_an_oracle_in_a_comparison_is_called_one(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    save_adjusted(folder, choose="test")
    comparison = compare(entries(tmp_path, [folder.name, f"{folder.name}:additive"]))
    assert "not a result" in comparison.problems[0]
    assert comparison.entries[1].label == "wd + additive (oracle)"
    assert not any(row[2].best for row in metric_table(comparison).rows)
    assert any(row[1].best for row in metric_table(comparison).rows)


def test_what_adjusting_changes_and_nobody_measured_again_is_not_taken_from_the_run(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    save_adjusted(folder)
    run = open_run(folder)
    assert run.result is not None
    gone = [f"{split}.{name}" for split in ("train", "validation", "test") for name in ("loss", "accuracy.x")]
    write_result(folder, replace(run.result, final={**(run.result.final or {}), **dict.fromkeys(gone, 0.5)}))
    whole, adjusted = entries(tmp_path, [folder.name, f"{folder.name}:additive"])
    (kept,) = (one.figures.values for one in adjusted.members)
    (had,) = (one.figures.values for one in whole.members)
    assert set(gone) <= set(had)
    assert set(had) - set(kept) == {*gone, "running.loss"}
    assert (kept["test.fdr"], kept["train.fdr"]) == (had["test.fdr"], had["train.fdr"])


def test_a_strength_given_by_hand_is_said(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    save_adjusted(folder, strength=1.0)
    comparison = compare(entries(tmp_path, [folder.name, f"{folder.name}:additive"]))
    assert "by hand" in comparison.problems[0]


def test_adjustments_of_one_run_are_no_seeds_of_each_other(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    for how in ({}, {"choose": "published"}, {"sweep": np.array([0.0, 0.25])}, {"choose": "test"}):
        save_adjusted(folder, **how)
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
    for how in ({"strength": 0.65}, {"choose": "test"}):
        save_adjusted(folder, **how)
    with pytest.raises(UsageError, match="means several"):
        entries(tmp_path, [f"{folder.name}:additive"])
    save_adjusted(folder)
    (entry,) = entries(tmp_path, [f"{folder.name}:additive"])
    assert entry.label == "wd + additive"
    save_adjusted(folder, sweep=np.array([0.0, 0.25]))
    with pytest.raises(UsageError, match="means several"):
        entries(tmp_path, [f"{folder.name}:additive"])


def test_other_seeds_of_the_same_runs_are_said_and_adjustments_listed(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "wd", seed) for seed in range(2)]
    for folder in folders:
        save_adjusted(folder)
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
    assert metric_table(same).notes[0] == "mean ± sample standard deviation over n seeds"
    for table in difference_tables(same):
        assert [one.title for one in table.columns[1:]] == ["wd", "wd + additive"]
    told = comparison_json(same)["adjustments"]
    assert list(told) == ["wd + additive"]
    assert told["wd + additive"]["strength"] == strengths
    plain_runs = difference_tables(compare(entries(tmp_path, names(folders[0], make_run(tmp_path, "ce")))))
    assert not any(row[0].text.startswith("adjustment") for row in plain_runs[0].rows)


def test_how_logits_were_adjusted_stands_before_the_configuration(tmp_path: Path) -> None:
    plain_run, adjusted = make_run(tmp_path, "ce"), make_run(tmp_path, "wd")
    save_adjusted(adjusted)
    found = entries(tmp_path, [plain_run.name, f"{adjusted.name}:additive"])
    in_order = [adjusted.name, plain_run.name, f"{adjusted.name}:additive"]
    assert [entry.label for entry in entries(tmp_path, in_order)] == ["wd", "ce", "wd + additive"]
    keys = [row[0].text for row in difference_tables(compare(found))[0].rows]
    first = ["adjustment.method", "adjustment.strength", "adjustment.chosen_on", "adjustment.prior"]
    assert keys[:4] == first
    assert "stages.0.weight_decay" in keys[4:]


def test_results_of_one_run_never_make_n_two_and_that_is_said(tmp_path: Path) -> None:
    folder, other = make_run(tmp_path), make_run(tmp_path, "wd", 1)
    save_adjusted(folder)
    save_adjusted(folder, sweep=np.array([0.0, 0.25]))
    save_adjusted(other)
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
    save_adjusted(folder, strength=0.65)
    save_adjusted(folder, strength=0.650002)
    saved = load_derived(open_run(folder))
    found = entries(tmp_path, [f"{folder.name}:{one.name}" for one in saved])
    assert [(entry.label, entry.n) for entry in found] == [
        ("wd + additive-0.65", 1),
        ("wd + additive-0.650002", 1),
    ]


def test_pairs_of_strengths_that_differ_in_gamma_alone_stay_apart(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    for gamma in (0.2, 0.25):
        request = Request(AdditiveMultiplicative(gamma=gamma), AllAccuracy(), strength=0.5)
        one = adjust_run(load_material(open_run(folder)), request)
        save_derived(one.material.run, one.derived())
    saved = load_derived(open_run(folder))
    # In full: the first begins as the second does.
    for called in ([one.name for one in saved], [one.title for one in saved]):
        assert called[1].startswith(called[0])
        found = entries(tmp_path, [f"{folder.name}:{name}" for name in called])
        assert [(entry.label, entry.n) for entry in found] == [
            ("wd + pair 0.5, gamma 0.2", 1),
            ("wd + pair 0.5, gamma 0.25", 1),
        ]
    configuration = difference_tables(compare(found))[0]
    assert column(configuration, 2) == {"adjustment.gamma": "0.25"}
    for entry, one in zip(found, saved, strict=True):
        predicted = entry.members[0].predicted
        assert predicted is not None
        right = predicted.predictions == predicted.labels
        by_class = [right[predicted.labels == k].mean() for k in range(predicted.groups.n_classes)]
        assert one.figures["test.accuracy.all"] == pytest.approx(np.mean(by_class))


def test_what_was_maximised_tells_adjustments_of_one_run_apart(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    for criterion in (AllAccuracy(), FewAboveFloor()):
        request = Request(method_named("additive"), criterion)
        one = adjust_run(load_material(open_run(folder)), request)
        save_derived(one.material.run, one.derived())
    saved = load_derived(open_run(folder))
    found = entries(tmp_path, [f"{folder.name}:{one.name}" for one in saved])
    assert {entry.label for entry in found} == {"wd + additive", "wd + additive for few"}
    assert [entry.said for entry in found] == [(), ()]


def test_a_saved_adjustment_that_cannot_be_applied_again_keeps_its_figures_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(tmp_path, "wd")
    save_adjusted(folder, strength=1.0)

    def refuse(*_: object) -> None:
        raise UsageError("additive: not on these logits")

    monkeypatch.setattr(type(method_named("additive")), "predict", refuse)
    found = entries(tmp_path, [folder.name, f"{folder.name}:additive"])
    assert [entry.label for entry in found] == ["wd", "wd + additive 1"]
    assert found[1].values("test.accuracy.all").size == 1
    assert "wd + additive 1: nothing by test images: additive: not on these logits" in compare(found).problems

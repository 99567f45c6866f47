"""Adjusting stored predictions: chosen on validation, oracle always named, saved results that go stale."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from compared import on_terminal
from finished_runs import COUNTS, accuracies, classifier, make_run, predictions_of

from wbtui.adjustment import AllAccuracy, FewAboveFloor, method_named
from wbtui.errors import UsageError
from wbtui.plotting.text import to_text
from wbtui.report.adjust_tables import (
    ORACLE,
    adjusted_json,
    curve_plot,
    run_table,
    seed_table,
    sweep_table,
)
from wbtui.report.adjusting import (
    Adjusted,
    Request,
    accuracy_at,
    adjust_run,
    load_material,
    methods_named,
    parse_sweep,
    sweep_rows,
)
from wbtui.report.compare import compare
from wbtui.report.compare_tables import difference_tables
from wbtui.report.derived import describe, load_derived, save_derived
from wbtui.report.entries import entries
from wbtui.report.plots import Look
from wbtui.report.settings import fold_seeds
from wbtui.report.terminal import fitting_table
from wbtui.report.values import json_text
from wbtui.store.errors import StoreWriteError
from wbtui.store.predictions import PredictionsMeta, SplitPredictions, write_predictions
from wbtui.store.reader import open_run


def adjusted(folder: Path, method: str = "additive", **options: object) -> Adjusted:
    request = Request(method_named(method), AllAccuracy(), **options)  # type: ignore[arg-type]
    return adjust_run(load_material(open_run(folder)), request)


def additive_by_hand(split: str, seed: int, tau: float) -> float:
    """All at one strength, computed here on its own."""
    found = predictions_of(split, seed)
    shifted = found.logits.astype(np.float64) - tau * np.log(np.array(COUNTS) / sum(COUNTS))
    return accuracies(SplitPredictions(shifted, found.labels))["all"]


def test_the_strength_comes_from_validation_and_test_is_what_it_makes_of_it(tmp_path: Path) -> None:
    one = adjusted(make_run(tmp_path))
    assert one.basis == "validation"
    grid = np.linspace(0, 3, 61)
    by_hand = [additive_by_hand("validation", 0, tau) for tau in grid]
    assert one.validation is not None
    assert one.validation.all >= max(by_hand) - 1e-9
    assert one.after.score.accuracy.all == pytest.approx(additive_by_hand("test", 0, one.strength))
    assert one.before.score.accuracy.all == pytest.approx(accuracies(predictions_of("test", 0))["all"])
    assert one.oracle is not None
    assert one.oracle[1].all >= one.after.score.accuracy.all


def test_without_validation_the_published_strength_is_taken_and_said(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "wd", 0, "data.split_rule=full", validation=False)
    one = adjusted(folder, "multiplicative")
    assert (one.basis, one.strength) == ("published", 1.6)
    table = run_table([one], {one.material.run.id: "x"})
    assert any("nothing was chosen" in note for note in table.notes)
    assert one.validation is None


def predicted_anew(folder: Path, splits: dict[str, SplitPredictions], bias: np.ndarray | None = None) -> None:
    known = classifier() if bias is None else replace(classifier(), bias=bias)
    write_predictions(folder, splits, known, PredictionsMeta("last", 20, "none"))


def test_validation_without_images_is_none_and_test_must_be_there(tmp_path: Path) -> None:
    folder, test = make_run(tmp_path), predictions_of("test", 0)
    predicted_anew(folder, {"validation": SplitPredictions(test.logits[:0], test.labels[:0]), "test": test})
    assert load_material(open_run(folder)).validation is None
    assert adjusted(folder).basis == "published"
    predicted_anew(folder, {"validation": test})
    with pytest.raises(UsageError, match="hold no test split"):
        load_material(open_run(folder))


def test_tau_normalisation_divides_by_the_stored_norms_and_keeps_the_stored_bias(tmp_path: Path) -> None:
    folder, bias = make_run(tmp_path), np.linspace(-2, 2, len(COUNTS)).astype(np.float32)
    splits = {name: predictions_of(name, 0) for name in ("validation", "test")}
    predicted_anew(folder, splits, bias)
    one = adjusted(folder, "tau_norm", strength=1.5)
    assert one.validation is not None
    for split, found in (("validation", one.validation), ("test", one.after.score.accuracy)):
        by_hand = (splits[split].logits - bias) / classifier().norms ** 1.5 + bias
        assert found.all == pytest.approx(accuracies(SplitPredictions(by_hand, splits[split].labels))["all"])


def test_a_floor_that_test_misses_leaves_no_oracle_but_a_report(tmp_path: Path) -> None:
    material = load_material(open_run(make_run(tmp_path)))
    request = Request(method_named("additive"), FewAboveFloor(many_floor=1.0), choose="published")
    one = adjust_run(material, request)
    assert one.oracle is None
    assert one.after.score.accuracy.many < 1.0
    assert len(run_table([one], {material.run.id: "x"}).rows) == 2


def test_a_strength_by_hand_and_one_chosen_on_test_are_called_what_they_are(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    by_hand = adjusted(folder, strength=0.5)
    assert (by_hand.basis, by_hand.strength) == ("given", 0.5)
    assert adjusted(folder, strength=0.0).strength == 0.0
    on_test = adjusted(folder, choose="test")
    assert on_test.basis == "oracle"
    texts = [row[-1].text for row in run_table([on_test], {on_test.material.run.id: "x"}).rows]
    assert texts == ["", ORACLE]
    assert "oracle" in on_test.derived().name
    assert "not a result" in describe(on_test.derived())


def test_the_best_on_test_is_marked_oracle_in_table_and_json(tmp_path: Path) -> None:
    one = adjusted(make_run(tmp_path))
    rows = run_table([one], {one.material.run.id: "x"}).rows
    assert [row[-1].text for row in rows] == ["", "chosen on validation", ORACLE]
    told = json.loads(json_text(adjusted_json(one, parse_sweep("0:1:0.5"))))
    assert told["oracle"]["note"] == ORACLE
    assert told["basis"] == "validation"
    assert [row["strength"] for row in told["sweep"]] == [0.0, 0.5, 1.0]
    assert 0 < told["test"]["after"]["all"] < 1


@pytest.mark.parametrize("method", ["additive", "pair", "one_vs_one"])
def test_the_search_ends_with_the_sweep(tmp_path: Path, method: str) -> None:
    folder, sweep = make_run(tmp_path), np.array([0.0, 0.1, 0.2])
    assert adjusted(folder, method).strength > 0.2
    one = adjusted(folder, method, sweep=sweep)
    assert one.oracle is not None
    assert max(one.strength, one.oracle[0]) <= 0.2


def test_the_searched_range_holds_the_sweep_and_a_strength_by_hand(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    assert [adjusted(folder, strength=one).test_curve.edges[-1] for one in (0.5, 5.0)] == [3.0, 5.0]
    for sweep, strength, grid in (([0.1, 0.2], None, [0.0, 0.1, 0.2]), ([0.0, 0.1], 0.5, [0.0, 0.1, 0.5])):
        for method in ("additive", "one_vs_one"):
            curve = adjusted(folder, method, sweep=np.array(sweep), strength=strength).test_curve
            assert curve.edges[-1] == grid[-1]
        assert curve.points.tolist() == grid


@pytest.mark.parametrize("sweep", [None, np.array([0.0, 0.5, 1.0])])
@pytest.mark.parametrize("method", ["additive", "pair"])
def test_criterion_class_frequencies_and_range_are_those_of_the_request(
    tmp_path: Path, method: str, sweep: np.ndarray | None
) -> None:
    material, counts, floor = load_material(open_run(make_run(tmp_path))), np.arange(20, 0, -2), 0.64
    wanted = ",".join(map(str, counts))
    request = Request(method_named(method), FewAboveFloor(many_floor=floor), sweep=sweep, prior=wanted)
    one = adjust_run(material, request)
    log_prior = np.log(counts / counts.sum())

    def by_hand(split: str, gamma: float, tau: float) -> dict[str, float]:
        found = predictions_of(split, 0)
        shifted = found.logits * np.exp(-gamma * log_prior) - tau * log_prior
        return accuracies(SplitPredictions(shifted, found.labels))

    gammas = np.linspace(0, 2, 21) if method == "pair" else [0.0]
    tried = [
        by_hand("validation", g, tau)
        for g in gammas
        for tau in np.linspace(0, 1 if sweep is not None else 3, 7)
    ]
    best = max(found["few"] for found in tried if found["many"] >= floor)
    gamma = one.method.parameters.get("gamma", 0.0)
    for split, found, curve in (
        ("validation", one.validation, one.validation_curve),
        ("test", one.after.score.accuracy, one.test_curve),
    ):
        assert found is not None
        assert curve is not None
        expected = by_hand(split, gamma, one.strength)
        assert (found.few, found.many) == pytest.approx((expected["few"], expected["many"]))
        assert accuracy_at(curve, np.array([one.strength]), "few") == pytest.approx(expected["few"])
    assert one.criterion == "few"
    assert one.validation is not None
    assert one.validation.few >= best - 1e-9
    assert one.validation.many >= floor


def test_a_sweep_is_exact_at_each_of_its_strengths(tmp_path: Path) -> None:
    strengths = parse_sweep("0:0.4:0.1")
    one = adjusted(make_run(tmp_path), sweep=strengths)
    for strength, found in sweep_rows(one, strengths):
        assert found["test"].all == pytest.approx(additive_by_hand("test", 0, strength), abs=1e-9)
        assert found["validation"].all == pytest.approx(additive_by_hand("validation", 0, strength), abs=1e-9)
    table = sweep_table(one, strengths, "x")
    assert len(table.rows) == 5
    assert sum("chosen on validation" in row[-1].text for row in table.rows) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0:1",
        "a:b:c",
        "1:0:1",
        "1:1:1",
        "-1:2:1",
        "0:1:0",
        "0:1:-1",
        "0:nan:1",
        "0:101:1",
        "0:10.0005:0.001",
    ],
)
def test_a_sweep_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--sweep"):
        parse_sweep(text)


def test_a_sweep_holds_both_ends_and_no_strength_beyond() -> None:
    assert parse_sweep("0:100:0.01") == pytest.approx(np.arange(10_001) / 100)
    assert parse_sweep("0.1:0.7:0.1") == pytest.approx(np.arange(1, 8) / 10)  # 0.6 / 0.1 is 5.999 to a float
    assert parse_sweep("0.5:1:0.2") == pytest.approx([0.5, 0.7, 0.9])
    assert parse_sweep("99:100:0.01") == pytest.approx(99 + np.arange(101) / 100)


def test_seeds_of_one_setting_fold_into_mean_and_sample_std(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "wd", seed) for seed in range(3)]
    results = [adjusted(folder) for folder in folders]
    settings = fold_seeds(one.material.run for one in results)
    assert [setting.n for setting in settings] == [3]
    table = seed_table(results, settings)
    alls = [100 * one.after.score.accuracy.all for one in results]
    row = next(row for row in table.rows if row[-1].text == "chosen on validation")
    assert row[1].text == "3"
    assert row[4].text == f"{np.mean(alls):.1f} ± {np.std(alls, ddof=1):.1f}"


def test_saved_results_are_read_back_and_stale_once_the_predictions_change(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    one = adjusted(folder)
    path = save_derived(one.material.run, one.derived())
    assert path.parent == folder / "derived"
    (found,) = load_derived(open_run(folder))
    assert not found.stale
    assert found.strength == one.strength
    assert found.figures["test.accuracy.all"] == one.after.score.accuracy.all
    assert one.validation is not None
    assert found.figures["validation.accuracy.all"] == one.validation.all
    assert found.fingerprint == one.material.meta.fingerprint
    predicted_anew(folder, {name: predictions_of(name, 5) for name in ("validation", "test")})
    (found,) = load_derived(open_run(folder))
    assert found.stale
    assert "STALE" in describe(found)


@pytest.mark.parametrize("prior", ["validation", "50,40,30,20,10,9,8,7,6,5"])
def test_another_class_prior_is_used_named_and_kept(tmp_path: Path, prior: str) -> None:
    folder = make_run(tmp_path)
    one = adjusted(folder, prior=prior)
    found = predictions_of("test", 0)
    if prior == "validation":
        known = predictions_of("validation", 0)
        softmax = np.exp(known.logits.astype(np.float64))
        softmax /= softmax.sum(axis=1, keepdims=True)
        p = np.mean([softmax[known.labels == k].mean(axis=0) for k in range(len(COUNTS))], axis=0)
    else:
        p = np.array([float(word) for word in prior.split(",")]) / 185
    shifted = SplitPredictions(found.logits - one.strength * np.log(p), found.labels)
    assert one.after.score.accuracy.all == pytest.approx(accuracies(shifted)["all"])
    assert adjusted_json(one, None)["prior"] == ("validation" if prior == "validation" else "given counts")
    save_derived(one.material.run, one.derived())
    (kept,) = load_derived(open_run(folder))
    assert kept.probability == pytest.approx(p)
    assert "prior_" in kept.name
    assert f"class frequencies: {kept.prior}" in describe(kept)
    (entry,) = entries(tmp_path, [f"{folder.name}:{kept.name}"])
    assert f"prior: {kept.prior}" in entry.label
    predicted = entry.members[0].predicted
    assert predicted is not None
    assert (predicted.predictions == shifted.logits.argmax(axis=1)).all()


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ("1,2", "2 counts given for 10"),
        ("x", "expected training"),
        ("0" + ",1" * 9, "class 0"),
        ("1e308" + ",1" * 8 + ",1e-300", "class 9 has 1e-300 beside 1e\\+308"),
    ],
)
def test_a_class_prior_that_cannot_be_is_refused(tmp_path: Path, prior: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        adjusted(make_run(tmp_path), prior=prior)


def test_adjustments_by_different_class_frequencies_stand_beside_each_other(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    falling, rising = (",".join(map(str, counts)) for counts in (COUNTS, COUNTS[::-1]))
    kept = adjusted(folder, strength=1.0, prior=falling).derived()
    path = save_derived(open_run(folder), kept)
    assert save_derived(open_run(folder), kept) == path  # the same one again
    other = adjusted(folder, strength=1.0, prior=rising).derived()
    save_derived(open_run(folder), other)
    assert {one.name: one.probability for one in load_derived(open_run(folder))} == {
        kept.name: kept.probability,
        other.name: other.probability,
    }


def test_an_adjustment_of_another_by_its_name_is_not_lost(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    kept = adjusted(folder, strength=1.0, prior=",".join(map(str, COUNTS))).derived()
    path = save_derived(open_run(folder), kept)
    edited = json.loads(path.read_text("utf-8"))
    edited["probability"] = edited["probability"][::-1]
    path.write_text(json.dumps(edited), "utf-8")
    with pytest.raises(
        UsageError, match=r"additive-1-prior_given_\w+\.json holds .* other class frequencies"
    ):
        save_derived(open_run(folder), kept)
    assert json.loads(path.read_text("utf-8")) == edited


def test_a_class_prior_from_validation_needs_validation_images(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "wd", 0, "data.split_rule=full", validation=False)
    with pytest.raises(UsageError, match="no validation images"):
        adjusted(folder, prior="validation")


def test_nothing_is_saved_through_a_linked_folder(tmp_path: Path) -> None:
    folder, elsewhere = make_run(tmp_path / "runs"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "derived").symlink_to(elsewhere)
    one = adjusted(folder)
    with pytest.raises(StoreWriteError, match="symbolic link"):
        save_derived(one.material.run, one.derived())
    assert not list(elsewhere.iterdir())


def test_strange_files_under_derived_are_passed_over(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    (folder / "derived").mkdir()
    strange = {
        "a": "[]",
        "b": "{}",
        "c": '{"method":"x","strength":"inf","basis":"given","criterion":"","prior":"","fingerprint":""}',
        "d": '{"method":5,"strength":1,"basis":"given","criterion":"","prior":"","fingerprint":""}',
        "e": '{"method":"m","strength":1,"basis":"lucky","criterion":"","prior":"","fingerprint":""}',
        "f": '{"method":"m","strength":1,"basis":"given","criterion":"","prior":"","fingerprint":"",'
        '"probability":[0.5,"x"]}',
    }
    for name, text in strange.items():
        (folder / "derived" / f"{name}.json").write_text(text)
    assert load_derived(open_run(folder)) == []


def test_a_strength_of_both_kinds_keeps_its_second_parameter(tmp_path: Path) -> None:
    one = adjusted(make_run(tmp_path), "additive_multiplicative")
    derived = one.derived()
    assert derived.parameters.keys() == {"gamma"}
    assert f"gamma{derived.parameters['gamma']:.6g}" in derived.name


def test_a_method_goes_by_one_name_for_people_and_by_another_on_the_disk(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    one = adjusted(folder, "pair")
    path = save_derived(one.material.run, one.derived())
    assert path.name.startswith("additive_multiplicative-")
    (saved,) = load_derived(open_run(folder))
    assert saved.title.startswith("pair-")
    assert describe(saved).startswith("pair ")
    (by_name, by_title) = (
        entries(tmp_path, [f"{folder.name}:{name[:-1]}"])[0] for name in (saved.name, saved.title)
    )
    assert by_name.label == by_title.label == "wd + pair"
    beside = compare([*entries(tmp_path, [folder.name]), by_title])
    assert difference_tables(beside)[0].rows[0][-1].text == "pair"
    rows = run_table([one], {one.material.run.id: "x"}).rows
    method = next(row[1] for row in rows if row[1].text != "none")
    assert method.text.startswith("pair, gamma ")
    assert method.value == "additive_multiplicative"
    folds = seed_table([one], fold_seeds([open_run(folder)])).rows
    assert [row[2].text for row in folds][:2] == ["none", "pair"]


def test_the_curve_is_drawn_with_validation_and_test(tmp_path: Path) -> None:
    text = to_text(curve_plot(adjusted(make_run(tmp_path)), Look(100, 12), "x"))
    for label in ("val All", "test All", "Few"):
        assert label in text


def test_a_run_without_predictions_cannot_be_adjusted(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no predictions yet"):
        load_material(open_run(make_run(tmp_path, finished=False)))


def test_several_methods_stand_in_one_word_or_in_several_each_once() -> None:
    """As variants and seeds of `wbtui run` do."""
    names = [method.name for method in methods_named(["additive, τ-norm", "none", "additive"])]
    assert names == ["additive", "tau_norm", "none"]
    assert methods_named([]) == []
    with pytest.raises(UsageError, match=r"method 'add' is not known .did you mean 'additive'"):
        methods_named(["none,add"])
    with pytest.raises(UsageError, match="method '' is not known"):
        methods_named(["additive,"])


def test_rows_of_several_runs_say_on_a_narrow_terminal_which_run_they_are_of(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, variant, seed) for variant in ("ce", "wd") for seed in range(2)]
    opened = [open_run(folder) for folder in folders]
    results = [
        adjust_run(load_material(run), Request(method_named("additive"), AllAccuracy())) for run in opened
    ]
    names = {run.id: run.id[-4:] for run in opened}
    for table in (run_table(results, names), seed_table(results, fold_seeds(opened))):
        narrow = fitting_table(table, 72)
        assert len(narrow.columns) < len(table.columns)
        assert narrow.columns[0].key == "run"
        assert narrow.columns[-1].key == "basis"  # which of the rows is an oracle
        assert ORACLE.split(",")[0] in " ".join(" ".join(on_terminal(table, 72)).split())
    alone = fitting_table(run_table(results[:1], names), 72)
    assert "run" not in [column.key for column in alone.columns]

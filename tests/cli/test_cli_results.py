"""What do adjust, compare, report, export and import print and save?"""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from finished_runs import COUNTS, accuracies, make_run, predictions_of
from typed import wbtui

from wbtui.adjustment import DEFAULT_METHOD
from wbtui.errors import UsageError
from wbtui.report.chosen import chosen_folders, some_folders


def test_differences_alone_are_told_to_programs_too(
    four_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = ("compare", "aaaa", "cccc", "--format", "json")
    whole, some = (json.loads(wbtui(capsys, *pair, *more)[1]) for more in ((), ("--diff",)))
    assert whole["metrics"]
    assert some == {key: value for key, value in whole.items() if key not in ("metrics", "rules")}


def test_a_damaged_saved_adjustment_is_named(four_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wbtui(capsys, "adjust", "aaaa", "--strength", "1", "--save")[0] == 0
    (saved,) = next(four_runs.glob("*aaaa*")).glob("derived/*.json")
    assert "damaged" not in wbtui(capsys, "show", "aaaa")[1]
    saved.write_text("{broken", "utf-8")
    said = wbtui(capsys, "show", "aaaa")[1]
    assert f"derived/{saved.name}: not a saved adjustment" in " ".join(said.split())
    code, _, err = wbtui(capsys, "compare", "cccc", f"aaaa:{saved.stem}")
    assert code == 2
    assert "there is none; " in err
    assert f"derived/{saved.name}: not a saved adjustment" in err


def test_adjust_saves_and_compare_finds_what_was_saved(
    four_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = wbtui(
        capsys, "adjust", "aaaa", "aabb", "--method", "additive", "--sweep", "0:2:0.5", "--plot", "--save"
    )
    assert code == 0
    assert out.count("oracle: best on test, not a result") >= 3
    assert "Mean ± sample standard deviation" in out
    assert err.count("saved ") == 2
    assert "derived" in wbtui(capsys, "show", "aaaa")[1]
    code, out, _ = wbtui(capsys, "compare", "aaaa", "aaaa:additive", "--baseline", "cccc")
    assert code == 0
    assert "ce (baseline), n = 1" in out
    assert "wd + additive, n = 1" in out
    told = json.loads(wbtui(capsys, "adjust", "aaaa", "--strength", "0.65", "--json")[1])
    assert [(one["method"], one["basis"], one["strength"]) for one in told] == [
        (DEFAULT_METHOD, "given", 0.65)
    ]


def test_a_filter_names_the_finished_runs_of_compare_and_adjust(
    four_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = wbtui(capsys, "compare", "cccc", "aaaa", "aabb")[1]
    code, out, err = wbtui(capsys, "compare", "--filter", "variant:wd,ce")
    assert (code, out, "dddd3333 is " in err) == (0, named, True)
    first = wbtui(capsys, "compare", "--filter", "variant:wd,ce", "--baseline", "aaaa")[1].splitlines()[0]
    assert first.index("wd (baseline), n = 2") < first.index("ce, n = 1")
    code, out, err = wbtui(capsys, "adjust", "--filter", "seed:1", "--json")
    assert [one["run"][-8:] for one in json.loads(out)] == ["aabb1111"]
    assert "dddd3333 is " in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("compare",), "which runs? expected RUN..., or --filter WORDS"),
        (("compare", "aaaa", "cccc", "--filter", "seed:0"), "and not both"),
        (("compare", "--filter", "variant:wd"), "2 runs make 1 setting"),
        (("adjust",), "which runs? expected RUN..., or --filter WORDS"),
        (("adjust", "--filter", "dddd"), "none of the runs that are 'dddd' is finished"),
        (("adjust", "--filter", "seed:7"), "no run is 'seed:7'"),
    ],
)
def test_names_or_a_filter_are_wanted(
    four_runs: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    code, out, err = wbtui(capsys, *words)
    assert (code, out, message in err) == (2, "", True)


def test_of_named_runs_those_that_pass_a_filter_are_meant(four_runs: Path, tmp_path: Path) -> None:
    aaaa, aabb, cccc = (next(four_runs.glob(f"*{digits}*")) for digits in ("aaaa", "aabb", "cccc"))
    assert chosen_folders(four_runs, ["cccc", "aabb", "aaaa"], "variant:wd") == [aabb, aaaa]
    assert chosen_folders(four_runs, ["cccc", "aabb"]) == [cccc, aabb]
    with pytest.raises(
        UsageError, match="none of the named runs is 'seed:7'; `wbtui ls` lists those there are"
    ):
        some_folders(four_runs, ["cccc"], "seed:7")
    with pytest.raises(UsageError, match=r"no run; `wbtui ls --runs .*nothing` lists those there are"):
        some_folders(tmp_path / "nothing", [])


def test_a_method_that_a_run_cannot_have_keeps_no_other_from_being_told(
    four_runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test, file = predictions_of("test", 3), tmp_path / "elsewhere.npz"
    np.savez(file, logits=test.logits, labels=test.labels, counts=np.array(COUNTS))
    name = wbtui(capsys, "import", "--logits", str(file))[1].strip()
    code, out, err = wbtui(capsys, "adjust", name, "aaaa", "--method", "additive,tau_norm", "--json")
    told = [(one["run"] == name, one["method"]) for one in json.loads(out)]
    assert told == [(True, "additive"), (False, "additive"), (False, "tau_norm")]
    assert code == 2
    assert f"wbtui: {name}: τ-normalisation: the run stores no classifier norms" in err
    code, out, err = wbtui(capsys, "adjust", name, "--method", "tau_norm")
    assert (code, out, err.startswith("wbtui: τ-normalisation: the run stores no")) == (2, "", True)


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "csv", "json"])
def test_compare_in_every_form(four_runs: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    code, out, _ = wbtui(capsys, "compare", "aaaa", "cccc", "--format", form)
    assert code == 0
    assert {"table": "baseline", "markdown": "|:---|", "latex": "tabular", "csv": "metric,", "json": "{"}[
        form
    ] in out
    code, only, _ = wbtui(capsys, "compare", "aaaa", "cccc", "--diff", "--format", "table")
    assert "weight_decay" in only
    assert "All %" not in only


def test_a_study_is_reported_and_exported(
    four_runs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = wbtui(
        capsys, "report", "preset:digits_lt", "--format", "markdown", "--adjust", "multiplicative"
    )
    assert code == 0
    assert "| wd + multiplicative | 2 |" in out
    assert "left out" in err
    of_all = wbtui(capsys, "report", "--format", "markdown")
    assert of_all[:2] == wbtui(capsys, "report", "preset:digits_lt", "--format", "markdown")[:2]
    code, _, err = wbtui(capsys, "report", "--runs", str(tmp_path))
    assert (code, "no run" in err) == (2, True)
    assert wbtui(capsys, "export", "aaaa")[1].startswith("run,preset,variant")
    path = tmp_path / "x.csv"
    assert wbtui(capsys, "export", "-o", str(path))[0] == 0
    code, _, err = wbtui(capsys, "export", "-o", str(path))
    assert code == 2
    assert "is there already; expected the name of a new file" in err
    assert wbtui(capsys, "export", "-o", "-")[1] == path.read_text("utf-8")
    code, out, err = wbtui(capsys, "export", "aaaa", "dddd", "--final")
    assert {line.split(",")[0][-8:] for line in out.splitlines()[1:]} == {"aaaa0000"}
    assert "dddd3333 has no final figures" in err


def test_an_export_that_fails_leaves_no_half_table(
    four_runs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (next(four_runs.glob("*dddd3333")) / "config.toml").write_text("[[[")
    code, _, err = wbtui(capsys, "export", "aaaa", "dddd", "-o", str(tmp_path / "x.csv"))
    assert code == 2
    assert "config.toml: not TOML" in err
    assert not (tmp_path / "x.csv").exists()


def test_imported_predictions_are_a_run(
    four_runs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    test = predictions_of("test", 3)
    np.savez(tmp_path / "x.npz", logits=test.logits, labels=test.labels)
    counts = ",".join(map(str, COUNTS))
    code, out, _ = wbtui(
        capsys, "import", "--logits", str(tmp_path / "x.npz"), "--counts", counts, "--groups", "30,8"
    )
    assert code == 0
    assert f"{100 * accuracies(test)['all']:.1f}" in wbtui(capsys, "ls", "-f", "tag:imported")[1]
    assert wbtui(capsys, "adjust", out.strip(), "--method", "additive")[0] == 0
    assert "finished after 1/1 epochs" in wbtui(capsys, "attach", out.strip())[1]
    assert "imported predictions, there is nothing to train" in wbtui(capsys, "resume", out.strip())[2]


def test_the_published_strength_can_stand_in_a_report(
    four_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("report", "variant:wd", "--adjust", "additive", "--choose", "published")
    code, out, _ = wbtui(capsys, *words)
    assert code == 0
    assert "wd + additive 1 (published)" in " ".join(out.split())
    assert "strength as published" in " ".join(out.split())
    assert "--choose belongs to --adjust" in wbtui(capsys, "report", "--choose", "published")[2]


def test_figures_leave_stdout_to_the_table(four_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = wbtui(capsys, "report", "variant:wd", "--format", "latex", "--figures", "figures")
    assert code == 0
    assert out.rstrip().startswith("% digits_lt")
    assert "saved" not in out
    written = sorted(path.name for path in Path("figures").iterdir())
    assert written == [f"digits_lt-{name}.svg" for name in ("cosine", "fdr", "multiplicative", "norms")]
    assert err.count("saved figures/") == 4


def test_a_report_as_csv_is_one_table_with_spread_and_preset(
    four_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = four_runs / "20261101-000000-digits_lt-wd-s5-eeee5555"
    broken.mkdir()
    for file in ("events.jsonl", "result.json"):
        (broken / file).write_bytes((next(four_runs.glob("*aaaa0000")) / file).read_bytes())
    (broken / "config.toml").write_text('preset = "digits_lt"\nvariant = "wd"\nseed = "abc"\n')
    cut = make_run(four_runs, "ce", 2, digits="ffff6666")
    events = (cut / "events.jsonl").read_bytes().splitlines(keepends=True)
    (cut / "events.jsonl").write_bytes(b"".join(events[:-4]))
    spoilt = make_run(four_runs, "ce", 3, digits="abab7777")
    (spoilt / "result.json").write_text("garbage")
    code, out, err = wbtui(capsys, "report", "--format", "csv")
    assert code == 0
    assert "seed = 'abc'" in err
    assert f"{spoilt.name}/result.json" in err
    counted = next(one for one in csv.DictReader(io.StringIO(out)) if one["method"] == "ce")
    assert counted["n"] == "2", "figures stand in result.json, whatever became of the events"
    rows = list(csv.DictReader(io.StringIO(out)))
    wd = next(one for one in rows if one["method"] == "wd")
    assert (wd["preset"], wd["n"], wd["test.accuracy.all.n"]) == ("digits_lt", "2", "2")
    seeds = [accuracies(predictions_of("test", seed))["all"] for seed in (0, 1)]
    assert float(wd["test.accuracy.all"]) == pytest.approx(np.mean(seeds))
    assert float(wd["test.accuracy.all.std"]) == pytest.approx(np.std(seeds, ddof=1))

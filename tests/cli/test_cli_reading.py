"""The reading commands as a person types them: output, exit codes, and nothing heavy imported."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from finished_runs import COUNTS, accuracies, make_run, predictions_of
from typer.testing import CliRunner

from wbtui.adjustment import DEFAULT_METHOD
from wbtui.cli.main import main
from wbtui.config import RunConfig
from wbtui.presets import resolve
from wbtui.store.index import RunIndex
from wbtui.store.notes import read_notes


@pytest.fixture
def runs() -> Path:
    """The default runs folder, with four runs in it."""
    folder = Path("runs")
    make_run(folder, "wd", 0, digits="aaaa0000")
    make_run(folder, "wd", 1, digits="aabb1111")
    make_run(folder, "ce", 0, digits="cccc2222")
    make_run(folder, "ce", 1, digits="dddd3333", finished=False)
    return folder


def wbtui(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_ls_lists_filters_and_sorts(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = wbtui(capsys, "ls")
    assert code == 0
    assert len(out.splitlines()) == 5
    assert "\x1b" not in out
    code, out, _ = wbtui(capsys, "ls", "--filter", "variant:wd", "--sort", "-seed")
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["aabb", "aaaa"]
    code, out, err = wbtui(capsys, "ls", "-f", "variant:nothing")
    assert (code, out) == (0, "")
    assert "none of 4 runs" in err


def test_ls_json_is_a_list_with_fractions(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = wbtui(capsys, "ls", "--json", "-f", "seed:0 variant:wd")
    (row,) = json.loads(out)
    assert row["last"]["test.accuracy.all"] == pytest.approx(accuracies(predictions_of("test", 0))["all"])


def test_no_runs_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = wbtui(capsys, "ls")
    assert (code, out) == (0, "")
    assert "wbtui run" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ls", "--filter", "presett:x"], "did you mean"),
        (["ls", "--sort", "alll"], "did you mean 'all'"),
        (["show", "nothing-like-it"], "no such run"),
        (["show", "aa"], "means 2 runs"),
        (["show", "aaaa", "--plot", "fddr"], "did you mean 'fdr'"),
        (["show", "aaaa", "--plot", "fdr", "--width", "-3"], "width"),
        (["tag", "aaaa", "base"], "+TAG"),
        (["tag", "aaaa", "+two words"], "white space"),
        (["prune"], "--checkpoints"),
        (["prune", "--checkpoints"], "--yes"),
        (["config", "--set", "stages.0.epoch=3"], "did you mean"),
        (["adjust", "aaaa", "--method", "magic"], "'magic' is not known"),
        (["adjust", "aaaa", "--sweep", "2:0:1"], "--sweep"),
        (["adjust", "aaaa", "--strength", "nan"], "--strength"),
        (["adjust", "aaaa", "--floor", "50"], "--criterion few"),
        (["adjust", "aaaa", "--strength", "1", "--choose", "val"], "expected one of them"),
        (["adjust", "aaaa", "--plot", "--json"], "expected one of them"),
        (["adjust", "aaaa", "--width", "60"], "--width belongs to --plot"),
        (["show", "aaaa", "--height", "20"], "--height belongs to --plot"),
        (["show", "aaaa", "--plot", "fdr", "--json"], "expected one of them"),
        (["show", "aaaa", "--plot", "fdr", "--epochs"], "expected one of them"),
        (["adjust", "dddd"], "no predictions yet"),
        (["adjust", "aaaa", "--prior", "1,2"], "one a class"),
        (["export", "--tensorboard", "tb", "--final"], "--final is about the CSV, and --tensorboard writes"),
        (["export", "--safetensors", "st", "-o", "x"], "--output is about the CSV, and --safetensors writes"),
        (["export", "--tensorboard", __file__], "this is a file; expected a folder"),
        (["export", "--safetensors", __file__], "this is a file; expected a folder"),
        (["export", "-o", "runs"], "this is a folder; expected the name of a new file"),
        (["export", "-o", "nowhere/x.csv"], "--output nowhere/x.csv: cannot be made: No such file"),
        (["export", "aaaa", "-f", "variant:ce"], "none of the named runs is 'variant:ce'"),
        (["compare", "aaaa", "aabb"], "make 1 setting"),
        (["compare", "aaaa", "aaaa:nothing"], "no saved adjustment"),
        (["report", "variant:nothing"], "no run"),
        (["report", "seed:1 variant:ce"], "finished"),
        (["export", "-f", "variant:nothing"], "no run"),
        (["import", "--logits", "nothing.npz"], "no such file"),
        (["import", "--logits", "."], "this is a folder; expected an .npz file"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(
    runs: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    code, _, err = wbtui(capsys, *arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_a_run_in_the_bin_is_said_to_be_there(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wbtui(capsys, "rm", "dddd")[0] == 0
    code, _, err = wbtui(capsys, "show", "ddd")
    assert code == 2
    assert "in the bin; `wbtui restore dddd3333` brings it back" in err
    (removed,) = (runs / ".bin").iterdir()
    code, _, err = wbtui(capsys, "show", str(runs / removed.name))
    assert code == 2
    assert "in the bin; `wbtui restore dddd3333` brings it back" in err
    assert wbtui(capsys, "rm", "aaaa", "aabb")[0] == 0
    code, _, err = wbtui(capsys, "adjust", "aa")
    assert code == 2
    assert "in the bin are 2 such runs" in err
    assert wbtui(capsys, "restore", "dddd3333")[0] == 0
    assert wbtui(capsys, "show", "dddd")[0] == 0


def test_differences_alone_are_told_to_programs_too(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = ("compare", "aaaa", "cccc", "--format", "json")
    whole, some = (json.loads(wbtui(capsys, *pair, *more)[1]) for more in ((), ("--diff",)))
    assert whole["metrics"]
    assert some == {key: value for key, value in whole.items() if key not in ("metrics", "rules")}


def test_names_are_listed_where_a_run_has_one(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "name" not in wbtui(capsys, "ls")[1].split("\n")[0].split()
    config = next(runs.glob("*aaaa*")) / "config.toml"
    text = config.read_text("utf-8")
    named = re.sub(r'^name = ".*"$', "", text, flags=re.MULTILINE)
    config.write_text('name = "first try"\n' + named, "utf-8")
    wbtui(capsys, "reindex")
    out = wbtui(capsys, "ls")[1]
    assert "name" in out.split("\n")[0].split()
    assert "first try" in out


def test_a_damaged_saved_adjustment_is_named(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wbtui(capsys, "adjust", "aaaa", "--strength", "1", "--save")[0] == 0
    (saved,) = next(runs.glob("*aaaa*")).glob("derived/*.json")
    assert "damaged" not in wbtui(capsys, "show", "aaaa")[1]
    saved.write_text("{broken", "utf-8")
    said = wbtui(capsys, "show", "aaaa")[1]
    assert f"derived/{saved.name}: not a saved adjustment" in " ".join(said.split())
    code, _, err = wbtui(capsys, "compare", "cccc", f"aaaa:{saved.stem}")
    assert code == 2
    assert "there is none; " in err
    assert f"derived/{saved.name}: not a saved adjustment" in err


def test_show_takes_a_short_id_and_last(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = wbtui(capsys, "show", "aab")
    assert "s1-aabb1111" in out
    assert all(line == line.rstrip() for line in out.splitlines())
    _, last, _ = wbtui(capsys, "show", "@last-1")
    assert "s1-dddd3333" in last
    _, plot, _ = wbtui(capsys, "show", "aaaa", "--plot", "accuracy,fdr", "--width", "70")
    assert max(map(len, plot.splitlines())) <= 70
    _, text, _ = wbtui(capsys, "show", "aaaa", "--json")
    assert json.loads(text)["id"].endswith("aaaa0000")


def test_tags_notes_and_stars_are_written_and_found(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = next(runs.glob("*aaaa0000"))
    assert wbtui(capsys, "tag", "aaaa", "+base", "+old")[0] == 0
    assert wbtui(capsys, "tag", "aaaa", "-old")[1].strip().endswith("base")
    wbtui(capsys, "note", "aaaa", "good one")
    wbtui(capsys, "star", "aaaa")
    notes = read_notes(folder)
    assert (notes.tags, notes.note, notes.star) == (("base",), "good one", True)
    _, out, _ = wbtui(capsys, "ls", "-f", "tag:base star:yes note:good")
    assert out.splitlines()[1].split()[:2] == ["*", "aaaa"]
    wbtui(capsys, "star", "aaaa", "--off")
    assert not read_notes(folder).star


def test_prune_says_what_it_would_free_and_frees_it_when_told(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = next(runs.glob("*dddd3333"))
    (kept / "checkpoint.pt").write_bytes(b"x" * 10)
    code, out, _ = wbtui(capsys, "prune", "--checkpoints")
    assert code == 2
    assert "3 files" in out
    assert f"left alone: {kept.name}" in out
    assert len(list(runs.glob("*/checkpoint.pt"))) == 4
    before = json.loads(wbtui(capsys, "ls", "--json", "-f", "aaaa")[1])[0]["size"]
    code, out, _ = wbtui(capsys, "prune", "--checkpoints", "--yes")
    assert code == 0
    assert "freed" in out
    assert [path.parent for path in runs.glob("*/checkpoint.pt")] == [kept]
    assert json.loads(wbtui(capsys, "ls", "--json", "-f", "aaaa")[1])[0]["size"] < before


def test_prune_can_be_held_to_named_or_filtered_runs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wbtui(capsys, "prune", "--checkpoints", "-y", "aaaa")
    assert len(list(runs.glob("*/checkpoint.pt"))) == 2
    wbtui(capsys, "prune", "--checkpoints", "-y", "--filter", "variant:ce")
    assert [path.parent.name[-8:] for path in runs.glob("*/checkpoint.pt")] == ["aabb1111"]


def test_reindex_makes_the_index_anew(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "index.json").write_text("broken")
    code, out, _ = wbtui(capsys, "reindex")
    assert code == 0
    assert "4 runs" in out
    assert wbtui(capsys, "ls")[2] == ""


def test_the_printed_configuration_is_taken_back(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, out, _ = wbtui(capsys, "config")
    path = tmp_path / "c.toml"
    path.write_text(out, "utf-8")
    assert resolve(config_file=path).config == RunConfig()
    _, out, _ = wbtui(capsys, "config", "--preset", "digits_lt", "--variant", "wb")
    path.write_text(out, "utf-8")
    assert resolve(config_file=path).config == resolve("digits_lt", "wb").config
    _, out, _ = wbtui(capsys, "config", "--schema")
    assert json.loads(out)["properties"]["seed"]["default"] == 0


def test_presets_name_their_files_and_nets_their_feature_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = wbtui(capsys, "presets")
    assert "digits_lt.toml" in out
    assert "wd_fr_etf" in out
    _, out, _ = wbtui(capsys, "presets", "--nets")
    assert next(line for line in out.splitlines() if line.startswith("resnet34")).split()[1] == "512"
    assert json.loads(wbtui(capsys, "presets", "--json")[1])["presets"][0]["values"]
    own = Path("presets")
    own.mkdir()
    (own / "mine.toml").write_text('summary = "my own"\n[data]\nsource = "digits"\n')
    (own / "bad.toml").write_text("[[[")
    code, out, _ = wbtui(capsys, "presets", "--json")
    bad = next(one for one in json.loads(out)["presets"] if one["name"] == "bad")
    assert (code, "bad.toml" in bad["problem"]) == (0, True)
    _, out, _ = wbtui(capsys, "presets")
    assert next(line for line in out.splitlines() if line.startswith("mine")).split()[1] == "here"
    assert "cannot be read" in next(line for line in out.splitlines() if line.startswith("bad"))


def test_doctor_says_whether_training_can_start(
    runs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = wbtui(capsys, "doctor")
    assert code == 0
    assert "training can start" in out
    (tmp_path / "file").write_text("")
    code, out, _ = wbtui(capsys, "doctor", "--runs", str(tmp_path / "file"), "--json")
    assert code == 1
    assert any(one["verdict"] == "bad" for one in json.loads(out))


def test_adjust_saves_and_compare_finds_what_was_saved(
    runs: Path, capsys: pytest.CaptureFixture[str]
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


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "csv", "json"])
def test_compare_in_every_form(runs: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    code, out, _ = wbtui(capsys, "compare", "aaaa", "cccc", "--format", form)
    assert code == 0
    assert {"table": "baseline", "markdown": "|:---|", "latex": "tabular", "csv": "metric,", "json": "{"}[
        form
    ] in out
    code, only, _ = wbtui(capsys, "compare", "aaaa", "cccc", "--diff", "--format", "table")
    assert "weight_decay" in only
    assert "All %" not in only


def test_a_study_is_reported_and_exported(
    runs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
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
    runs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (next(runs.glob("*dddd3333")) / "config.toml").write_text("[[[")
    code, _, err = wbtui(capsys, "export", "aaaa", "dddd", "-o", str(tmp_path / "x.csv"))
    assert code == 2
    assert "config.toml: not TOML" in err
    assert not (tmp_path / "x.csv").exists()


def test_imported_predictions_are_a_run(
    runs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
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


def test_figures_leave_stdout_to_the_table(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = wbtui(capsys, "report", "variant:wd", "--format", "latex", "--figures", "figures")
    assert code == 0
    assert out.rstrip().startswith("% digits_lt")
    assert "saved" not in out
    written = sorted(path.name for path in Path("figures").iterdir())
    assert written == [f"digits_lt-{name}.svg" for name in ("cosine", "fdr", "multiplicative", "norms")]
    assert err.count("saved figures/") == 4


def test_help_looks_alike_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["ls"], ["queue"], ["queue", "add"], ["export"]):
        code, out, _ = wbtui(capsys, *arguments, "--help")
        assert code == 0
        assert out.startswith("Usage: wbtui")
        assert "╭" not in out


HEAVY = ("torch", "torchvision", "textual")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["ls"],
        ["show", "@last"],
        ["show", "aaaa", "--plot", "accuracy,feature_norm@class"],
        ["presets"],
        ["config"],
        ["reindex"],
        ["note", "aaaa", "x"],
        ["adjust", "aaaa"],
        ["compare", "aaaa", "cccc"],
        ["report", "state:finished"],
        ["report", "state:finished", "--figures", "figures"],
        ["export"],
        ["export", "--tensorboard", "tb"],
        ["doctor"],
    ],
    ids=" ".join,
)
def test_no_torch_and_no_screen_is_imported(runs: Path, arguments: list[str]) -> None:
    script = (
        "import sys; from wbtui.cli.main import main; code = main(sys.argv[1:]); "
        f"assert not set({HEAVY!r}) & set(sys.modules), sorted(sys.modules); sys.exit(code)"
    )
    done = python("-c", script, *arguments)
    assert done.returncode == 0, done.stderr


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(root)} | environment,
    )


@pytest.mark.parametrize(
    ("arguments", "spared"),
    [
        (["--help"], {"numpy", "pydantic", "rich", "tinydb", "psutil", "wbtui.report", "wbtui.config"}),
        (["ls"], {"wbtui.config", "wbtui.launch", "wbtui.adjustment", "matplotlib", "scipy"}),
    ],
    ids=["--help", "ls"],
)
def test_help_and_ls_import_only_what_they_need(runs: Path, arguments: list[str], spared: set[str]) -> None:
    """What a start takes is what it imports; benchmarks/cli_speed.py measures it.

    A run that the index does not know yet has its whole configuration read, once, with pydantic.
    """
    RunIndex(runs).listing()
    script = "import sys; from wbtui.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = python("-c", script, *arguments)
    assert done.returncode == 0, done.stderr
    assert not spared & set(done.stderr.split())


def test_a_terminal_without_unicode_shows_question_marks_and_ascii_plots(runs: Path) -> None:
    shown = python("-m", "wbtui", "show", "aaaa", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.isascii()
    followed = python("-m", "wbtui", "attach", "aaaa", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert followed.returncode == 0, followed.stderr
    assert "epoch 1/" in followed.stdout
    plot = python("-m", "wbtui", "show", "aaaa", "--plot", "accuracy", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert plot.returncode == 0, plot.stderr
    assert "?" not in plot.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "arguments", ["ls", "show aaaa --json", "report", "adjust aaaa --save", "attach aaaa", "show --help"]
)
def test_a_reader_that_goes_away_ends_a_command_in_silence(
    runs: Path, arguments: str, unbuffered: str
) -> None:
    """With the exit code of a tool that SIGPIPE ended; what was to be saved is."""
    root = Path(__file__).resolve().parents[2]
    command = f"'{sys.executable}' -m wbtui {arguments} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(root), "PYTHONUNBUFFERED": unbuffered},
    )
    assert done.stdout == "141\n"
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr
    assert bool(list(runs.glob("*/derived/*.json"))) == ("--save" in arguments)


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", ["ls", "attach aaaa", "adjust aaaa --save", "--help"])
def test_a_closed_stream_is_no_reason_to_fail(runs: Path, arguments: str, closed: str) -> None:
    """As daemons and schedulers start programs."""
    command = f"'{sys.executable}' -m wbtui {arguments} {closed}"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert bool(list(runs.glob("*/derived/*.json"))) == ("--save" in arguments)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_output_onto_a_full_disk_is_one_message(runs: Path, unbuffered: str) -> None:
    root = Path(__file__).resolve().parents[2]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "wbtui", "export", "aaaa"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(root), "PYTHONUNBUFFERED": unbuffered},
        )
    assert done.returncode == 1
    assert done.stderr == "wbtui: the output cannot be written: No space left on device\n"


def test_every_command_has_help() -> None:
    from wbtui.cli.commands import GROUPS, app

    for names in GROUPS.values():
        for name in names:
            result = CliRunner().invoke(app, [name, "--help"])
            assert result.exit_code == 0
            assert "Usage" in result.output


def test_a_report_as_csv_is_one_table_with_spread_and_preset(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (runs / "20261101-000000-digits_lt-wd-s5-eeee5555").mkdir()
    broken = runs / "20261101-000000-digits_lt-wd-s5-eeee5555"
    for file in ("events.jsonl", "result.json"):
        (broken / file).write_bytes((next(runs.glob("*aaaa0000")) / file).read_bytes())
    (broken / "config.toml").write_text('preset = "digits_lt"\nvariant = "wd"\nseed = "abc"\n')
    cut = make_run(runs, "ce", 2, digits="ffff6666")
    events = (cut / "events.jsonl").read_bytes().splitlines(keepends=True)
    (cut / "events.jsonl").write_bytes(b"".join(events[:-4]))
    spoilt = make_run(runs, "ce", 3, digits="abab7777")
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
    assert float(wd["test.accuracy.all.std"]) == pytest.approx(np.std(seeds, ddof=1))

"""What do the reading commands print, and what do they say of a mistake?"""

import json
import re
from pathlib import Path

import pytest
from finished_runs import accuracies, predictions_of
from typed import wbtui
from typer.testing import CliRunner

from wbtui.config import RunConfig
from wbtui.presets import resolve


def test_ls_lists_filters_and_sorts(four_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = wbtui(capsys, "ls")
    assert code == 0
    assert len(out.splitlines()) == 5
    assert "\x1b" not in out
    code, out, _ = wbtui(capsys, "ls", "--filter", "variant:wd", "--sort", "-seed")
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["aabb", "aaaa"]
    code, out, err = wbtui(capsys, "ls", "-f", "variant:nothing")
    assert (code, out) == (0, "")
    assert "none of 4 runs" in err


def test_ls_json_is_a_list_with_fractions(four_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
        (["import", "--logits", "."], "this is a folder; expected an .npz or .npy file"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(
    four_runs: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    code, _, err = wbtui(capsys, *arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_names_are_listed_where_a_run_has_one(four_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "name" not in wbtui(capsys, "ls")[1].split("\n")[0].split()
    config = next(four_runs.glob("*aaaa*")) / "config.toml"
    text = config.read_text("utf-8")
    named = re.sub(r'^name = ".*"$', "", text, flags=re.MULTILINE)
    config.write_text('name = "first try"\n' + named, "utf-8")
    wbtui(capsys, "reindex")
    out = wbtui(capsys, "ls")[1]
    assert "name" in out.split("\n")[0].split()
    assert "first try" in out


def test_show_takes_a_short_id_and_last(four_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = wbtui(capsys, "show", "aab")
    assert "s1-aabb1111" in out
    assert all(line == line.rstrip() for line in out.splitlines())
    _, last, _ = wbtui(capsys, "show", "@last")
    assert "s1-dddd3333" in last
    _, plot, _ = wbtui(capsys, "show", "aaaa", "--plot", "accuracy,fdr", "--width", "70")
    assert max(map(len, plot.splitlines())) <= 70
    _, text, _ = wbtui(capsys, "show", "aaaa", "--json")
    assert json.loads(text)["id"].endswith("aaaa0000")


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


def test_the_printed_configuration_is_taken_back_whatever_was_typed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, out, _ = wbtui(capsys, "config", "--set", 'name="a"\n\n\nseed=5')
    assert "from --set name=" in out
    path = tmp_path / "c.toml"
    path.write_text(out, "utf-8")
    assert resolve(config_file=path).config == RunConfig(name='"a"\n\n\nseed=5')


def test_a_preset_with_a_date_in_it_keeps_no_other_from_being_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("presets").mkdir()
    Path("presets/dated.toml").write_text("made = 2026-01-31\n[[when]]\nat = 10:30:00\n", "utf-8")
    code, out, _ = wbtui(capsys, "presets", "--json")
    found = next(one for one in json.loads(out)["presets"] if one["name"] == "dated")
    assert (code, found["values"]) == (0, {"made": "2026-01-31", "when.0.at": "10:30:00"})


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
    four_runs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = wbtui(capsys, "doctor")
    assert code == 0
    assert "training can start" in out
    (tmp_path / "file").write_text("")
    code, out, _ = wbtui(capsys, "doctor", "--runs", str(tmp_path / "file"), "--json")
    assert code == 1
    assert any(one["verdict"] == "bad" for one in json.loads(out))


def test_help_looks_alike_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["ls"], ["queue"], ["queue", "add"], ["export"]):
        code, out, _ = wbtui(capsys, *arguments, "--help")
        assert code == 0
        assert out.startswith("Usage: wbtui")
        assert "╭" not in out


def test_the_lists_of_commands_say_of_each_a_whole_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in ([], ["queue"]):
        _, out, _ = wbtui(capsys, *arguments, "--help")
        _, _, commands = out.partition("Commands:\n")
        assert len(commands.splitlines()) >= 5
        assert all(line.endswith(".") and not line.endswith("..") for line in commands.splitlines()), commands


def test_every_command_has_help() -> None:
    from wbtui.cli.commands import GROUPS, app

    for names in GROUPS.values():
        for name in names:
            result = CliRunner().invoke(app, [name, "--help"])
            assert result.exit_code == 0
            assert "Usage" in result.output

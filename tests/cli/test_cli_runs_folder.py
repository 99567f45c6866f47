"""What is typed next finds the runs folder that this command was given."""

import re
import shlex
from pathlib import Path

import pytest
from finished_runs import make_run
from typed import wbtui

from wbtui.cli.bare import dashboard_options
from wbtui.launch import queue_files
from wbtui.launch.start import make_run as make_waiting_run
from wbtui.presets import resolve
from wbtui.store.runs_folder import runs_words


@pytest.mark.parametrize("words", [["--runs=~/mine"], []])
def test_the_home_folder_is_meant_where_no_shell_has_put_it(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a folder `~` would be made in this one, which is dangerous to remove."""
    monkeypatch.setenv("HOME", str(tmp_path))
    if not words:
        monkeypatch.setenv("WBTUI_RUNS", "~/mine")
        assert runs_words(tmp_path / "mine") == ""
    options = dashboard_options(words)
    assert options is not None
    assert options.runs == tmp_path / "mine"
    for command in (["queue", "pause"], ["ls"]):
        assert wbtui(capsys, *command, *words)[0] == 0
    assert (tmp_path / "mine" / ".queue").is_dir()
    assert not Path("~").exists()


def test_folders_that_are_written_to_are_found_at_home_too(
    four_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert wbtui(capsys, "report", "state:finished", "--figures=~/figures")[0] == 0
    assert list((tmp_path / "figures").glob("*.svg"))
    assert not Path("~").exists()


@pytest.mark.parametrize(
    "command",
    [["ls"], ["queue"], ["queue", "add", "--preset", "digits_lt"], ["queue", "pause"], ["show", "@last"]],
)
def test_a_file_or_a_link_to_nothing_in_the_place_of_the_folder_is_told(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("")
    link.symlink_to(tmp_path / "drive" / "runs")
    for place, why in (
        (file, "this is a file, not a folder"),
        (link, f"a link to {tmp_path / 'drive' / 'runs'}, which is not there"),
    ):
        code, said, error = wbtui(capsys, *command, "--runs", str(place))
        assert (code, said) == (2, "")
        assert error.splitlines()[-1] == f"wbtui: --runs {place}: {why}"


def test_the_folder_is_named_where_it_would_not_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WBTUI_RUNS", raising=False)
    assert runs_words(Path("runs")) == runs_words(tmp_path / "runs") == ""
    assert runs_words(tmp_path / "my runs") == f" --runs '{tmp_path / 'my runs'}'"
    monkeypatch.setenv("WBTUI_RUNS", str(tmp_path / "other"))
    assert runs_words(Path("other")) == ""
    assert runs_words(Path("runs")) == " --runs runs"


def test_commands_that_are_recommended_work_as_they_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WBTUI_RUNS", raising=False)
    runs = Path("my runs")
    finished = make_run(runs, "wd", 0, digits="aaaa0000")
    waiting = make_waiting_run(runs, resolve("digits_lt"))
    queue_files.enqueue(runs, [waiting])

    def recommended(*words: str, code: int = 2) -> list[str]:
        ended, out, err = wbtui(capsys, *words, *(() if "--runs" in words else ("--runs", str(runs))))
        assert ended == code, err
        (command,) = re.findall(r"`wbtui (.*?)`", out + err)
        return shlex.split(command)

    def works(*words: str) -> str:
        code, out, err = wbtui(capsys, *words)
        assert (code, err) == (0, "")
        return out

    start = ["queue", "start", "--runs", "my runs"]
    assert wbtui(capsys, "queue", "pause", "--runs", str(runs))[0] == 0
    for words, code in ((("queue",), 0), (("resume", waiting.name), 2)):
        assert recommended(*words, code=code) == start
    assert recommended("queue", "add", "--preset", "digits_lt", "--device", "cpu", code=0) == start

    take_out = recommended("stop", waiting.name)
    assert recommended("rm", waiting.name) == take_out
    restore = recommended(*take_out, code=0)
    assert "stopped" in works(*recommended("restore"))
    works(*restore)
    assert waiting.is_dir()

    assert works(*recommended("queue", "move", finished.name, "1")).startswith("1 waiting")
    assert "aaaa" in works(*recommended("report", "seed:7"))
    repeat = recommended("resume", finished.name)
    assert repeat[-2:] == ["--runs", "my runs"]
    assert "--config" in works(*repeat, "--dry-run")


@pytest.mark.parametrize("command", [["move", "aaaa", "1"], ["remove", "aaaa"]])
def test_a_mistyped_folder_is_not_made(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    mistyped = tmp_path / "rusn"
    code, said, error = wbtui(capsys, "queue", *command, "--runs", str(mistyped))
    assert (code, said, error) == (2, "", f"wbtui: {mistyped}: there are no runs here\n")
    assert not mistyped.exists()

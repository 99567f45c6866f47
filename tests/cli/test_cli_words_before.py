"""Is what stands before a command heard?"""

from pathlib import Path

import pytest

from wbtui.cli.main import main


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", ["ls", "queue"])
def test_the_folder_of_all_runs_may_stand_before_the_command(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("WBTUI_RUNS", str(tmp_path / "elsewhere"))
    before, behind = str(tmp_path / "here"), str(tmp_path / "behind")
    assert listed(capsys, "--runs", before, command) == listed(capsys, command, "--runs", before)
    both = listed(capsys, "--runs", before, command, "--runs", behind)
    assert both == listed(capsys, command, "--runs", behind)


@pytest.mark.parametrize("option", ["--readonly", "--ascii", "--no-mouse"])
def test_what_only_the_dashboard_knows_is_refused_before_another_command(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([option, "ls"]) == 2
    assert "dashboard" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["ls", "--runs", ""], ["--runs", "", "ls"], ["--runs="], ["queue", "--runs=", "pause"]]
)
def test_a_folder_without_a_name_is_not_the_working_folder(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("wbtui: --runs '': expected a folder")
    assert list(tmp_path.iterdir()) == []

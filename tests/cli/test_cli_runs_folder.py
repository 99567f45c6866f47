"""What is typed next finds the runs folder that this command was given."""

from pathlib import Path

import pytest

from wbtui.cli.runs_folder import runs_words


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

"""A stranger's run full of escapes, markup and bidirectional controls, through every command that reads it."""

import os
from pathlib import Path

import pytest
from finished_runs import make_run
from hostile_runs import HARMFUL, hostile_digits, make_hostile

from wbtui.cli.main import main

DIGITS = hostile_digits(0)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder of a usual run, a hostile one, which failed, and folders with hostile names, one in the bin."""
    runs = tmp_path / "runs"
    make_run(runs, "ce")
    make_hostile(runs, failed=True)
    for place in (runs, runs / ".bin"):
        folder = place / "a\n\x1b[31mred\u202e"
        folder.mkdir(parents=True)
        os.utime(folder, (1, 1))  # else it may just be being made
    return runs


@pytest.mark.parametrize(
    "arguments",
    [
        ["ls"],
        ["ls", "--filter", "/RED/"],
        ["show", DIGITS],
        ["show", DIGITS, "--epochs"],
        ["show", DIGITS, "--plot", "feature_norm@class"],
        ["attach", DIGITS],
        ["stop", DIGITS],
        ["tag", DIGITS, "+x"],
        ["rm", DIGITS],
        ["prune", "--checkpoints", "--unfinished"],
        ["adjust", DIGITS, "--method", "additive", "--plot"],
        ["compare", DIGITS, "@last"],
        ["compare", DIGITS, "@last", "--format", "markdown"],
        ["compare", DIGITS, "@last", "--format", "latex"],
        ["report", "state:failed,finished"],
        ["export"],
        ["reindex"],
        ["doctor"],
        ["queue"],
        ["restore", "--list"],
        ["restore", "zzz"],
        ["show", "zzz"],
        ["rm", "a"],
    ],
    ids=" ".join,
)
def test_a_stranger_reaches_no_terminal(
    hostile: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([*arguments, "--runs", str(hostile)])
    captured = capsys.readouterr()
    assert code in (0, 1, 2)
    shown = captured.out + captured.err
    assert shown
    assert not set(shown) & HARMFUL


def test_markup_is_shown_as_it_stands(hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", DIGITS, "--runs", str(hostile)])
    shown = capsys.readouterr().out
    assert "<U+001B>[31mRED" in shown
    assert "[@click=app.bell]x[/]" in shown
    assert "[link=http://e]y[/link]" in shown

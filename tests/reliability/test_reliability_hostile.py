"""A stranger's run full of escapes, markup and bidirectional controls, through every command that reads it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from finished_runs import config_of, make_run

from wbtui.cli.main import main
from wbtui.store.format import Metric
from wbtui.store.writer import RunWriter

BAD = "\x1b[31mRED\x1b]0;title\x07\u202egnp\u200b[@click=app.bell]x[/][link=http://e]y[/link]\x9b2J"
HARMFUL = "\x1b\x07\u202e\u200b\x9b"
DIGITS = "bad0bad0"


def spoil(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a JSON file by hand."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder of a usual run and a hostile one: every text that a file may carry is harmful."""
    runs = tmp_path / "runs"
    make_run(runs, "ce")
    folder = make_run(runs, digits=DIGITS)
    config = config_of("wd").model_copy(update={"name": BAD, "preset": BAD, "variant": BAD})
    (folder / "config.toml").write_text(tomli_w.dumps(config.model_dump(mode="json")))
    (folder / "notes.json").write_text(
        json.dumps({"note": BAD, "tags": [BAD.replace(" ", "")[:60]], "star": 1})
    )
    (folder / "output.log").write_text(BAD)
    spoil(folder / "result.json", lambda value: value.update(outcome="failed", reason=BAD, error=BAD))
    spoil(
        folder / "predictions" / "meta.json",
        lambda value: value.update(class_names=[f"{BAD}{number}" for number in range(10)]),
    )
    spoil(
        folder / "provenance.json",
        lambda value: value.update(
            command=[BAD],
            host=BAD,
            preset=BAD,
            origins={"seed": BAD},
            data=value["data"] | {"description": BAD},
        ),
    )
    with RunWriter.open(folder) as writer:
        writer.define(Metric("test.norm@class", "norm", unit=BAD, axis="class", width=2, names=(BAD, BAD)))
        writer.event("stage", stage=0, name=BAD, epochs=20, first_epoch=1)
        writer.event("alert", kind=BAD, message=BAD, epoch=20)
        writer.event("end", outcome="failed", reason=BAD, error=BAD, final={BAD: 1.0}, best={})
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
    assert not set(shown) & set(HARMFUL)


def test_markup_is_shown_as_it_stands(hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", DIGITS, "--runs", str(hostile)])
    shown = capsys.readouterr().out
    assert "<U+001B>[31mRED" in shown
    assert "[@click=app.bell]x[/]" in shown
    assert "[link=http://e]y[/link]" in shown

"""A stranger's run folder: every text that a file may carry is escapes, markup, wide characters and very long."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomli_w
from finished_runs import config_of, make_run

from wbtui.store.format import Metric
from wbtui.store.writer import RunWriter

BAD = (
    "漢字🦆\x1b[31mRED\x1b]0;title\x07\u202egnp\u200b[@click=app.bell]x[/][link=http://e]y[/link]\x9b2J"
    + "e\u0301" * 5
)
HARMFUL = frozenset("\x1b\x07\u202e\u200b\x9b")
"""Characters of it that no terminal may be given."""


def hostile_digits(seed: int) -> str:
    """By what the hostile run of a seed is named."""
    return f"bad0bad{seed}"


def make_hostile(runs: Path, seed: int = 0, *, failed: bool = False) -> Path:
    """Make a run that was finished by a usual trainer and written over by somebody who means harm."""
    folder = make_run(runs, "wd", seed, digits=hostile_digits(seed))
    config = config_of("wd", seed).model_copy(update={"name": BAD, "preset": BAD, "variant": BAD})
    (folder / "config.toml").write_text(tomli_w.dumps(config.model_dump(mode="json")))
    note = {"note": BAD * 50 + "x" * 10_000, "tags": ["[bold]t[/]", BAD[:40].replace(" ", "")], "star": 1}
    (folder / "notes.json").write_text(json.dumps(note))
    (folder / "output.log").write_text(f"{BAD}\n{BAD * 40}\n" * 20)
    _spoil(
        folder / "predictions" / "meta.json",
        lambda value: value.update(class_names=[f"{BAD}{number}" for number in range(10)]),
    )
    _spoil(
        folder / "provenance.json",
        lambda value: value.update(
            command=[BAD],
            host=BAD,
            preset=BAD,
            origins={"seed": BAD},
            versions={BAD: BAD},
            data=value["data"] | {"description": BAD * 20},
        ),
    )
    if failed:
        ended = {"outcome": "failed", "reason": BAD, "error": BAD * 20}
        _spoil(folder / "result.json", lambda value: value.update(ended))
    with RunWriter.open(folder) as writer:
        writer.define(Metric("test.norm@class", "norm", unit=BAD, axis="class", width=2, names=(BAD, BAD)))
        writer.event("stage", stage=0, name=BAD, epochs=20, first_epoch=1)
        writer.event("alert", kind=BAD, message=BAD * 30, epoch=20)
        if failed:
            writer.event("end", outcome="failed", reason=BAD, error=BAD, final={BAD: 1.0}, best={})
    return folder


def _spoil(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))

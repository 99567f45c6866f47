"""A stranger's runs on every screen: escapes, markup, wide characters, long notes: shown literally and in place."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from dashboard_helpers import drive, said, screen_lines, until
from finished_runs import config_of, make_run
from rich.cells import cell_len
from textual.pilot import Pilot

from wbtui.store.format import Metric
from wbtui.store.writer import RunWriter
from wbtui.tui.app import WbtuiApp
from wbtui.tui.screens.adjust import AdjustScreen
from wbtui.tui.screens.compare import CompareScreen
from wbtui.tui.screens.run import PAGES, RunScreen

BAD = (
    "漢字🦆\x1b[31mRED\x1b]0;title\x07\u202egnp\u200b[@click=app.bell]x[/][link=http://e]y[/link]\x9b2J"
    + "e\u0301" * 5
)
HARMFUL = set("\x1b\x07\u202e\u200b\x9b\n\r\t")


def spoil(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def make_hostile(runs: Path, seed: int, *, failed: bool = False) -> None:
    """Every text that a file may carry is harmful."""
    folder = make_run(runs, "wd", seed, digits=f"bad0bad{seed}")
    config = config_of("wd", seed).model_copy(update={"name": BAD, "preset": BAD, "variant": BAD})
    (folder / "config.toml").write_text(tomli_w.dumps(config.model_dump(mode="json")))
    note = {"note": BAD * 50 + "x" * 10_000, "tags": ["[bold]t[/]", BAD[:40].replace(" ", "")], "star": 1}
    (folder / "notes.json").write_text(json.dumps(note))
    (folder / "output.log").write_text(f"{BAD}\n{BAD * 40}\n" * 20)
    spoil(
        folder / "predictions" / "meta.json",
        lambda value: value.update(class_names=[f"{BAD}{number}" for number in range(10)]),
    )
    spoil(
        folder / "provenance.json",
        lambda value: value.update(
            command=[BAD], host=BAD, versions={BAD: BAD}, data=value["data"] | {"description": BAD * 20}
        ),
    )
    if failed:
        spoil(
            folder / "result.json", lambda value: value.update(outcome="failed", reason=BAD, error=BAD * 20)
        )
    with RunWriter.open(folder) as writer:
        writer.define(Metric("test.norm@class", "norm", unit=BAD, axis="class", width=2, names=(BAD, BAD)))
        writer.event("stage", stage=0, name=BAD, epochs=20, first_epoch=1)
        writer.event("alert", kind=BAD, message=BAD * 30, epoch=20)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    make_run(folder, "ce")
    make_hostile(folder, 0)
    make_hostile(folder, 1)
    make_hostile(folder, 2, failed=True)
    return folder


def check(app: WbtuiApp) -> None:
    lines = screen_lines(app)
    width, height = app.size
    assert len(lines) == height
    assert {cell_len(line) for line in lines} == {width}
    assert not set("".join(lines)) & HARMFUL


async def looked(app: WbtuiApp, pilot: Pilot[None], *keys: str, seconds: float = 0.1) -> None:
    await pilot.press(*keys)
    await asyncio.sleep(seconds)
    await pilot.pause()
    check(app)


@pytest.mark.parametrize(("size", "no_colour"), [((80, 24), True), ((120, 40), False)])
def test_every_screen_shows_it_literally_and_in_its_place(
    runs: Path, size: tuple[int, int], no_colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")

    async def look() -> None:
        app = WbtuiApp(runs)
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: app.snapshot.rows)
            assert len(said(app)) < 1_000, "a message is no place for a novel"
            await looked(app, pilot)
            for keys in ("G", "G", "n", "t", "c", "o", "P", "slash", "question_mark", "A", "Q", "d"):
                await looked(app, pilot, keys)
                if app.screen is not app.screen_stack[0]:
                    await looked(app, pilot, "escape")
            await looked(app, pilot, "home", "enter")
            assert isinstance(app.screen, RunScreen)
            for _ in PAGES:
                await looked(app, pilot, "right_square_bracket")
            await looked(app, pilot, "escape")
            await looked(app, pilot, "down", "space", "down", "space", "down", "space", "L")
            await until(pilot, lambda: isinstance(app.screen, AdjustScreen) and app.screen.trials)
            await looked(app, pilot, "a", "m", seconds=1.0)
            await looked(app, pilot, "escape", "C")
            await until(pilot, lambda: isinstance(app.screen, CompareScreen) and app.screen.board)
            await looked(app, pilot, "right")
            await looked(app, pilot, "right_square_bracket")
            await looked(app, pilot, "right_square_bracket")
            await looked(app, pilot, "a")

    drive(look)

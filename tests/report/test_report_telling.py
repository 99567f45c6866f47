"""What a list says of runs of one method that differ in what was typed for them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from wbtui.launch.start import make_run
from wbtui.presets import resolve
from wbtui.report.listing import listing_table
from wbtui.report.telling import told_apart
from wbtui.report.terminal import fitting_columns
from wbtui.store.index import RunIndex
from wbtui.store.reader import Run
from wbtui.store.summary import RunSummary, summarise

DECAYS = ("5e-4", "1e-3")


def row(run: str, *typed: str, variant: str = "wd", preset: str = "digits_lt", **more: str) -> RunSummary:
    labels: dict[str, Any] = {"preset": preset, "variant": variant, **more}
    return RunSummary(id=run, path=run, typed=typed, **labels)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row("a"), row("b")], {}),
        ([row("a", "threads=1")], {}),  # nothing stands beside it
        ([row("a", "precision='bf16'"), row("b", "precision='bf16'")], {}),
        ([row("a", "data.imbalance_factor=50"), row("b")], {"a": "if=50"}),
        (
            [row("a", "seed=1", "stages.0.learning_rate=0.1"), row("b", "seed=1", "stages.0.learning_rate=0.2")],
            {"a": "lr=0.1", "b": "lr=0.2"},
        ),
        ([row("a", "model.name=resnet8"), row("b", "stages.1.epochs=3")], {"a": "model=resnet8", "b": "2:epochs=3"}),
        ([row("a", "stages.0.loss.name=focal"), row("b", variant="ce")], {}),
        ([row("a", "model.depth=2", setting="c0"), row("b", setting="c0")], {}),
        ([row("a", "model.depth=2"), row("b", preset="glyphs_lt")], {}),
        ([row("a", "model.depth=2"), row("b", name="mine")], {}),
        ([row("a", "stages.0.loss.name=focal"), row("b")], {"a": "loss=focal"}),
        (
            [row("a", "stages.0.batch_size=8"), row("b", "evaluation.batch_size=8")],
            {"a": "batch=8", "b": "evaluation.batch_size=8"},
        ),
        (
            [row("a", "model.depth=2", "model.width=8"), row("b", "model.depth=2", "model.width=9"), row("c")],
            {"a": "width=8 depth=2", "b": "width=9 depth=2"},  # what fewest have first
        ),
    ],
)  # fmt: skip
def test_only_what_differs_among_runs_of_one_name_is_said(
    rows: Sequence[RunSummary], said: dict[str, str]
) -> None:
    assert told_apart(rows) == said


def grid(runs: Path, *settings: str) -> list[Path]:
    return [
        make_run(runs, resolve("digits_lt", "wd", settings=[f"stages.0.weight_decay={decay}", *settings]))
        for decay in DECAYS
    ]


def test_a_row_holds_what_was_typed_but_no_seed_label_place_or_device(tmp_path: Path) -> None:
    settings = (
        "seed=3",
        "threads=1",
        "name=mine",
        "device=cpu",
        "checkpoint.every_seconds=5",
        "precision=fp32",
    )
    (folder, _) = grid(tmp_path, *settings)
    assert summarise(Run(folder)).typed == ("stages.0.weight_decay=5e-4", "precision=fp32")
    (folder / "provenance.json").write_text("{")
    assert summarise(Run(folder)).typed == ()


def test_runs_of_a_grid_are_told_apart_in_the_list_and_a_poll_keeps_what_was_typed(tmp_path: Path) -> None:
    folders = grid(tmp_path)
    index = RunIndex(tmp_path)
    index.listing()
    (folders[0] / "log.txt").write_text("something new")
    for listing in (index.listing(), RunIndex(tmp_path).listing()):
        table = listing_table(listing.rows, [one.id for one in listing.rows])
        place = [column.key for column in table.columns].index("typed")
        assert {line[place].text for line in table.rows} == {f"wd={decay}" for decay in DECAYS}
        assert place in fitting_columns(table, 80)
    table = listing_table(listing.rows[:1], [])
    assert "typed" not in [column.key for column in table.columns]

"""Which runs fold into one line, and do all screens and reports agree about it?"""

from collections.abc import Sequence
from pathlib import Path

import pytest
from bench_helpers import comparing
from dashboard_helpers import SIZES, drive, make_run, opened, said, screen_lines, screen_text, settled, until

from wbtui.report.filters import Filter
from wbtui.report.settings import fold_seeds
from wbtui.store.index import RunIndex
from wbtui.store.reader import open_run
from wbtui.store.summary import RunSummary
from wbtui.tui.lines import TableLine, table_lines
from wbtui.tui.widgets.comparison_table import ComparisonTable
from wbtui.tui.widgets.run_table import RunTable


def lines(runs: Path) -> list[TableLine]:
    return table_lines(RunIndex(runs).listing().rows, Filter(""), "", group=True)


def ids(members: Sequence[RunSummary]) -> frozenset[str]:
    return frozenset(row.id for row in members)


def edit(folder: Path, before: str, after: str) -> None:
    config = folder / "config.toml"
    text = config.read_text()
    assert before in text
    config.write_text(text.replace(before, after))


def some_settings(runs: Path) -> None:
    for seed in range(3):
        make_run(runs, seed, seed=seed)
    edit(make_run(runs, 3, seed=3), "[data]", "device = 'cuda:1'\nthreads = 7\n[data]")
    edit(make_run(runs, 4, seed=4), "weight_decay", "learning_rate = 0.3\nweight_decay")
    edit(make_run(runs, 5, seed=5), "[model]", "crop_padding = 1\n[model]")
    make_run(runs, 6, seed=6, name="a label")
    make_run(runs, 7, seed=0, variant="ce")
    edit(make_run(runs, 8, seed=8), "weight_decay = 0.005", "weight_decay = 'none of this version'")
    (make_run(runs, 9, seed=9) / "config.toml").write_text("= broken")


def test_the_table_folds_what_comparisons_and_reports_fold(runs: Path) -> None:
    some_settings(runs)
    found = {ids(line.members) for line in lines(runs) if not line.row.unreadable}
    readable = [open_run(runs / row.id) for row in RunIndex(runs).listing().rows if not row.unreadable]
    assert found == {frozenset(run.id for run in setting.runs) for setting in fold_seeds(readable)}
    assert sorted(map(len, found)) == [1, 1, 1, 1, 5]


def test_what_folds_is_called_by_a_name_that_all_have(runs: Path) -> None:
    for seed in range(2):
        make_run(runs, seed, seed=seed, name="mine")
    (line,) = lines(runs)
    assert line.name == "mine"
    make_run(runs, 2, seed=2, name="theirs")
    (line,) = lines(runs)
    assert (line.name, line.n) == ("wd", 3)


def test_runs_that_differ_in_what_the_table_does_not_show_stay_apart(runs: Path) -> None:
    make_run(runs, 0, seed=0)
    edit(make_run(runs, 1, seed=1), "weight_decay", "learning_rate = 0.3\nweight_decay")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("G")
            await settled(app, pilot)
            assert "seeds folded" in screen_text(app)
            assert "n=2" not in screen_text(app)

    drive(look)


def test_folded_lines_are_ordered_by_the_mean_that_they_show(runs: Path) -> None:
    accuracies = {"ce": (0.9, 0.3), "wd": (0.7, 0.8), "wb": (0.85, 0.5)}
    for place, (variant, found) in enumerate(accuracies.items()):
        for seed, accuracy in enumerate(found):
            make_run(runs, 2 * place + seed, variant=variant, seed=seed, accuracy=accuracy)
    make_run(runs, 9, variant="none", epochs=0)
    rows = RunIndex(runs).listing().rows
    for sort, order in (("-all", ["wd", "wb", "ce", "none"]), ("all", ["ce", "wb", "wd", "none"])):
        found = table_lines(rows, Filter(""), sort, group=True)
        assert [line.name for line in found] == order


def test_of_folded_seeds_those_alone_that_broke_off_are_resumed(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, outcome in enumerate(("finished", "stopped", "failed", "finished")):
        make_run(runs, seed, seed=seed, outcome=outcome)
    resumed: list[str] = []
    monkeypatch.setattr("wbtui.launch.resume.resume_run", lambda folder: resumed.append(folder.name))

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("G", "r")
            await until(pilot, lambda: said(app).count("goes on") == 2)
            assert [name.split("-")[4] for name in resumed] == ["s1", "s2"]
            await pilot.press("G", "home", "r")
            await until(
                pilot, lambda: len(resumed) == 3
            )  # asked for alone, it is refused or resumed as itself

    drive(look)


@pytest.mark.parametrize("size", SIZES)
def test_spreads_in_ascii_are_no_sums(runs: Path, size: tuple[int, int]) -> None:
    for seed, accuracy in enumerate((0.5, 0.9)):
        make_run(runs, seed, seed=seed, variant="ce", accuracy=accuracy)
        make_run(runs, seed + 2, seed=seed, variant="wd", accuracy=accuracy)

    async def look() -> None:
        async with opened(runs, size, ascii_only=True) as (app, pilot):
            await pilot.press("G")
            await settled(app, pilot)
            header, *lines = app.screen.query_one(RunTable).text.splitlines()
            end = header.index("All%") + len("All%")
            assert [line[:end].endswith(" 70.0+-28.3") for line in lines if line.strip()] == [True, True]
            screen = await comparing(app, pilot, 2)
            row = next(line for line in screen_text(app).splitlines() if line.startswith("All %"))
            assert row.count("70.0+-28.3") == len(screen.entries) == 2
            titles = screen_lines(app)[screen.query_one(ComparisonTable).region.y]
            assert {row.index("70.0"), row.rindex("70.0")} == {titles.index("wd"), titles.index("ce")}

    drive(look)

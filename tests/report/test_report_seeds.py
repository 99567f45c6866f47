"""Which runs of a setting count: each seed once, finished runs first, and what is said of the others."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from finished_runs import accuracies, make_run, predictions_of
from hypothesis import given
from hypothesis import strategies as st

from wbtui.adjustment import AllAccuracy, method_named
from wbtui.report.adjust_tables import seed_table
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.report.compare import compare
from wbtui.report.derived import save_derived
from wbtui.report.entries import entries, folded, member
from wbtui.report.markup import to_markdown
from wbtui.report.seeds import Candidate, candidate, one_a_seed, sentences
from wbtui.report.settings import fold_seeds
from wbtui.report.study import study_entries, study_tables
from wbtui.store.reader import open_run

STATES = ("finished", "running", "queued", "stopped", "failed")


def same(one: Candidate) -> Candidate:
    return one


@given(
    st.lists(
        st.builds(
            Candidate,
            st.text("0123456789", min_size=3, max_size=3),
            st.sampled_from([None, 0, 1, 2]),
            st.sampled_from(STATES),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda one: one.id,
    )
)
def test_each_seed_counts_once_by_its_newest_run_of_the_best_kind_there_is(runs: list[Candidate]) -> None:
    found = one_a_seed(runs, same)
    assert sorted((*found.runs, *found.others), key=lambda one: one.id) == sorted(
        runs, key=lambda one: one.id
    )
    pool = [one for one in runs if one.state == "finished"]
    assert set(found.left_out) == (set(runs) - set(pool) if pool else set())
    pool = pool or [one for one in runs if one.measured] or runs
    for seed in (0, 1, 2):
        alike = sorted(one.id for one in pool if one.seed == seed)
        assert [one.id for one in found.runs if one.seed == seed] == alike[-1:]
        assert ([one.id for group in found.repeated for one in group if one.seed == seed] == alike) or len(
            alike
        ) < 2
    assert [one for one in found.runs if one.seed is None] == [one for one in pool if one.seed is None]


def test_runs_whose_seed_nobody_knows_are_not_seeds_of_one_another() -> None:
    def run(name: str, config: dict[str, object]) -> Any:
        return SimpleNamespace(id=name, config=config, state=lambda: SimpleNamespace(name="finished"))

    runs = [run("r0", {}), run("r1", {}), run("r2", {"seed": 0}), run("r3", {"seed": 0})]
    assert [one.id for one in one_a_seed(runs, candidate).runs] == ["r0", "r1", "r3"]


def test_what_does_not_count_is_said_by_name() -> None:
    runs = [Candidate(f"r{n}", 0, "finished", measured=True) for n in range(3)]
    runs.append(Candidate("r9", 1, "stopped", measured=True))
    assert sentences("wd", one_a_seed(runs[1:], same), {"r1": "a1", "r2": "b2"}) == (
        "wd: seed 0 was run twice (a1, b2); the newer, b2, counts",
        "wd: left out, not finished: r9 is stopped",
    )
    assert sentences("wd", one_a_seed(runs[:3], same), {}) == (
        "wd: seed 0 was run 3 times (r0, r1, r2); the newest, r2, counts",
    )
    assert sentences("wd", one_a_seed(runs[:1], same), {}) == ()


@pytest.fixture
def again(tmp_path: Path) -> list[Path]:
    """Of wd seed 0 twice, seed 1, and seed 2 at work; the newer seed 0 has no bias, so other figures."""
    folders = [make_run(tmp_path, "wd", 0, digits="aaaa0000", tail_bias=2.0)]
    folders += [make_run(tmp_path, "wd", 0, digits="bbbb0000", tail_bias=0.0), make_run(tmp_path, "wd", 1)]
    return [*folders, make_run(tmp_path, "wd", 2, finished=False, digits="cccc0000")]


SAID = "wd: seed 0 was run twice (aaaa, bbbb); the newer, bbbb, counts"


def alls() -> list[float]:
    return [accuracies(predictions_of("test", 0, 0.0))["all"], accuracies(predictions_of("test", 1))["all"]]


def test_a_comparison_counts_each_seed_once_and_says_so_at_the_top(tmp_path: Path, again: list[Path]) -> None:
    other = make_run(tmp_path, "ce", 0)
    found = entries(tmp_path, [folder.name for folder in (*again, other)])
    assert [(entry.label, entry.n) for entry in found] == [("wd", 2), ("ce", 1)]
    assert found[0].values("test.accuracy.all").tolist() == pytest.approx(alls())
    assert len(found[0].every_member) == 4
    problems = compare(found).problems
    assert problems[0] == SAID
    assert problems[1].startswith("wd: left out, not finished: cccc is ")
    assert len(problems) == 2


def test_a_seed_run_twice_is_no_spread_and_no_significance(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "wd", 5, digits=digits) for digits in ("aaaa0000", "bbbb0000")]
    folders += [make_run(tmp_path, "ce", seed) for seed in range(2)]
    comparison = compare(entries(tmp_path, [folder.name for folder in folders]))
    assert comparison.entries[0].n == 1
    assert {apart.significant for apart in comparison.differences.values()} == {None}


def test_an_older_run_stands_for_its_seed_where_only_that_one_is_adjusted(
    tmp_path: Path, again: list[Path]
) -> None:
    one = adjust_run(load_material(open_run(again[0])), Request(method_named("additive"), AllAccuracy()))
    save_derived(one.material.run, one.derived())
    found = entries(tmp_path, [again[1].name, f"{again[0].name}:additive"])
    assert [(entry.label, entry.n) for entry in found] == [("wd", 1), ("wd + additive", 1)]
    assert found[1].members[0].run.id == again[0].name


def test_of_runs_at_work_the_newest_with_figures_stands_for_its_seed(tmp_path: Path) -> None:
    made = [make_run(tmp_path, finished=False, digits=digits) for digits in ("aaaa0000", "bbbb0000")]
    events = made[1] / "events.jsonl"
    lines = events.read_text("utf-8").splitlines(keepends=True)
    events.write_text("".join(line for line in lines if json.loads(line)["type"] != "epoch"), "utf-8")
    older, begun = (member(open_run(folder)) for folder in made)
    (entry,) = folded([older, begun])
    assert (entry.members, entry.others) == ((older,), (begun,))


def test_a_study_counts_each_seed_once_and_says_so_below_its_table(again: list[Path]) -> None:
    (table,) = study_tables(study_entries([open_run(folder) for folder in again[:3]]))
    assert [(row[0].text, row[1].text) for row in table.rows] == [("wd", "2")]
    assert table.rows[0][5].text == f"{100 * np.mean(alls()):.1f} ± {100 * np.std(alls(), ddof=1):.1f}"
    assert table.notes.count(SAID) == 1
    assert "was run twice" in to_markdown(table)


def test_the_adjusted_seeds_of_a_command_count_once(again: list[Path]) -> None:
    runs = [open_run(folder) for folder in again[:3]]
    results = [
        adjust_run(load_material(run), Request(method_named("additive"), AllAccuracy())) for run in runs
    ]
    table = seed_table(results, fold_seeds(runs))
    assert {row[1].text for row in table.rows} == {"2"}
    assert table.notes == (SAID,)

"""docs/reproduction.md says what the kept run folders say, beside what was published, and what was not run."""

import importlib
import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tomli_w

from wbtui.presets import resolve
from wbtui.store.reader import open_run

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = ROOT / "docs" / "embedded"
MEGABYTES = 8


@pytest.fixture(scope="module")
def reproduction() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module("reproduction")


@pytest.fixture(scope="module")
def planning(reproduction: ModuleType) -> ModuleType:
    return importlib.import_module("reproduction_plan")


def copied(target: Path, source: str, root: str = "/somewhere/private/images.npz") -> None:
    """A finished run as `gpu.sh paper` leaves it, from one of the kept runs on embedded data."""
    shutil.copytree(next(EMBEDDED.glob(f"*-{source}-*")), target)
    config = tomllib.loads((target / "config.toml").read_text("utf-8"))
    config["data"]["root"] = root
    (target / "config.toml").write_text(tomli_w.dumps(config), "utf-8")
    events: list[dict[str, Any]] = [
        {"v": 1, "seq": 0, "t": 1.0, "type": "start", "epochs": 25, "classes": 10}
    ]
    events.append({"v": 1, "seq": 1, "t": 1.0, "type": "define", "name": "test.accuracy.all"})
    for epoch in range(1, 26):
        scalars = {"test.accuracy.all": epoch / 30, "validation.accuracy.many": None}
        more = {"epoch": epoch, "stage": 0, "scalars": scalars, "vectors": ["x"], "matrices": {"y": 0}}
        events.append({"v": 1, "seq": 1 + epoch, "t": 1.0, "type": "epoch", **more})
    events.append({"v": 1, "seq": 27, "t": 2.0, "type": "end", "outcome": "finished", "reason": "done"})
    (target / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), "utf-8")
    (target / "checkpoint.pt").write_bytes(b"large")


@pytest.fixture
def kept(tmp_path: Path, reproduction: ModuleType, planning: ModuleType) -> tuple[Any, Path]:
    """Two seeds of two planned runs, made and kept."""
    wanted = tuple(
        planning.Planned("cifar100_lt", rule, variant, seed)
        for rule, variant in (("holdout", "wd"), ("full", "ce"), ("full", "wd"))
        for seed in (0, 1)
    )
    for planned in wanted[:4]:
        copied(tmp_path / "runs" / planned.name, f"digits_lt-{planned.variant}-s{planned.seed}")
    copied(tmp_path / "runs" / "not-in-the-plan", "digits_lt-wd-s2")
    names = reproduction.keep(tmp_path / "runs", tmp_path / "evidence", wanted)
    assert names == [planned.name for planned in wanted[:4]]
    return wanted, tmp_path / "evidence"


def test_the_page_is_what_its_folders_say(reproduction: ModuleType) -> None:
    written = (ROOT / "docs" / "reproduction.md").read_text("utf-8")
    assert reproduction.Page(reproduction.EVIDENCE, reproduction.everything()).text() == written


def test_what_was_not_run_is_said_with_the_command_that_runs_it(
    reproduction: ModuleType, planning: ModuleType
) -> None:
    written = (ROOT / "docs" / "reproduction.md").read_text("utf-8")
    kept = reproduction.kept_runs(reproduction.EVIDENCE, reproduction.plan())
    commands = re.findall(r"^benchmarks/gpu\.sh paper (.+)$", written, flags=re.MULTILINE)
    named = [name for command in commands for name in command.split()]
    asked = [planning.named(name) for name in named]
    assert None not in asked
    made = {name for planned in asked for name in (planned.name, planned.plain_name)}
    assert {planned.name for planned in planning.plan()} == {*kept, *made}
    assert not set(kept) & set(named)


def test_every_published_figure_stands_on_the_page(reproduction: ModuleType) -> None:
    written = (ROOT / "docs" / "reproduction.md").read_text("utf-8")
    rows = {line.split("|")[1].strip(): line for line in written.splitlines() if line.startswith("| ")}
    for row in reproduction.TABLE_1:
        assert all(f"{value:.2f}" in rows[row.title] for value in row.figures.values())
    for value in ("39.13", "46.76", "51.83", "2.2 → 1.25", "1.09 → 0.43", "0.0022 → 0.0036", "0.65", "1.6"):
        assert value in written


def test_the_plan_holds_what_the_comparison_needs(planning: ModuleType) -> None:
    plan = planning.plan()
    assert len({planned.name for planned in plan}) == len(plan)
    full = {(planned.method, planned.tta, planned.way) for planned in plan if planned.rule == "full"}
    assert {
        (variant, tta, "graphs-bf16") for variant in ("ce", "wd", "wb") for tta in ("none", "flip")
    } <= full
    assert ("wd", "none", "eager-fp32") in full
    held = [planned for planned in plan if planned.rule == "holdout"]
    assert len(held) == 2 * 8 * 3
    names = [planned.name for planned in plan]
    assert all(names.index(one.plain_name) < names.index(one.name) for one in plan if one.tta == "flip")


def test_what_is_kept_is_small_and_tells_no_path(kept: tuple[Any, Path]) -> None:
    _, evidence = kept
    files = [path for path in evidence.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {
        "config.toml", "provenance.json", "result.json", "tables.json", "events.jsonl"
    }  # fmt: skip
    assert not any("private" in path.read_text("utf-8") for path in files)
    events = [json.loads(line) for line in (files[0].parent / "events.jsonl").read_text("utf-8").splitlines()]
    assert [event["epoch"] for event in events if event["type"] == "epoch"] == [1, 10, 20, 25]
    assert {event["type"] for event in events} == {"start", "epoch", "end"}
    run = open_run(files[0].parent)  # still a run folder
    assert run.history.last_epoch == 25
    assert run.config["data"]["root"] == "images.npz"


def test_kept_figures_follow_from_the_logits(kept: tuple[Any, Path]) -> None:
    wanted, evidence = kept
    source = open_run(next(EMBEDDED.glob("*digits_lt-wd-s0-*")))
    test = source.predictions("test")
    hits = [np.mean(test.logits[test.labels == k].argmax(1) == k) for k in range(10)]
    tables = json.loads((evidence / wanted[0].name / "tables.json").read_text("utf-8"))
    assert tables["adjusted"]["none"]["all"] == pytest.approx(np.mean(hits))
    chosen = tables["adjusted"]["additive"]
    assert chosen["basis"] == "validation"
    moved = test.logits - chosen["strength"] * np.log(source.classifier().train_counts)
    hits = [np.mean(moved[test.labels == k].argmax(1) == k) for k in range(10)]
    assert chosen["all"] == pytest.approx(np.mean(hits), abs=0.005)  # ties at rounding
    full = json.loads((evidence / wanted[2].name / "tables.json").read_text("utf-8"))["adjusted"]
    assert set(full) == {"none", "tau_norm", "l2"}
    ce = open_run(next(EMBEDDED.glob("*digits_lt-ce-s0-*")))
    test, bias, norms = ce.predictions("test"), ce.classifier().bias, ce.classifier().norms
    assert bias is not None
    scaled = (test.logits - bias) / norms + bias
    hits = [np.mean(scaled[test.labels == k].argmax(1) == k) for k in range(10)]
    assert full["l2"]["all"] == pytest.approx(np.mean(hits))


def test_differences_above_a_point_are_findings(kept: tuple[Any, Path], reproduction: ModuleType) -> None:
    """digits against CIFAR's published figures: far apart, and said so."""
    wanted, evidence = kept
    page = reproduction.Page(evidence, wanted).text()
    values = [
        json.loads((evidence / one.name / "tables.json").read_text("utf-8"))["adjusted"]["none"]["all"]
        for one in wanted[2:4]
    ]
    mean, std = 100 * np.mean(values), 100 * np.std(values, ddof=1)
    assert f"| naive (CE, WD 0) | 39.13 | {mean:.2f} ± {std:.2f} | {mean - 39.13:+.1f} (!) | 2 |" in page
    assert f"* naive (CE, WD 0), all, TTA none: {mean - 39.13:+.1f} points" in page
    assert "| WD | 46.76 | not run | - | 0 |" in page
    assert "4 of 6 runs have been made: cpu, torch" in page
    assert "benchmarks/gpu.sh paper cifar100_lt-full-wd-s0 cifar100_lt-full-wd-s1" in page


def test_a_small_difference_is_no_finding(
    kept: tuple[Any, Path], reproduction: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, evidence = kept
    own = reproduction.kept_runs(evidence, wanted)[wanted[2].name].adjusted("none", "all")
    row = reproduction.Published("naive (CE, WD 0)", "ce", {"all": 100 * own})
    monkeypatch.setattr(reproduction, "LOGS", (row,))
    monkeypatch.setattr(reproduction, "TABLE_1", (row,))
    monkeypatch.setattr(reproduction, "FINDING", 0.2)
    assert "None above" in reproduction.Page(evidence, wanted).text()


def test_runs_of_the_short_recipe_are_found_by_what_they_are(
    tmp_path: Path, reproduction: ModuleType, planning: ModuleType
) -> None:
    """`wbtui run` names folders by ids: preset, variant and seed tell; unfinished and older ones are left."""
    runs, evidence = tmp_path / "runs", tmp_path / "evidence"
    preset = planning.SHORT[0].preset
    for day, seed, trained in (("01", 0, preset), ("02", 0, preset), ("03", 1, "digits_lt")):
        folder = runs / f"202601{day}-120000-{trained}-ce-s{seed}-0000000{day[1]}"
        copied(folder, f"digits_lt-ce-s{seed}")
        config = tomllib.loads((folder / "config.toml").read_text("utf-8")) | {"preset": trained}
        (folder / "config.toml").write_text(tomli_w.dumps(config), "utf-8")
    result = next(runs.glob("20260102-*")) / "result.json"
    result.write_text(json.dumps(json.loads(result.read_text("utf-8")) | {"outcome": "stopped"}), "utf-8")
    wanted = planning.short_plan()
    assert reproduction.keep(runs, evidence, wanted) == [f"{preset}-holdout-ce-s0"]
    page = reproduction.Page(evidence, (*wanted, *planning.plan())).text()
    found = json.loads((evidence / f"{preset}-holdout-ce-s0" / "tables.json").read_text("utf-8"))
    line = next(line for line in page.splitlines() if line.startswith("| ce | "))
    assert line.startswith(f"| ce | {100 * found['adjusted']['none']['all']:.1f} | ")
    assert line.endswith(" | 1 |")
    assert page.count("| wd - ce | - | - | - | 0, 1 |") == 2  # accuracies, and FDR
    assert f"wbtui run --preset {preset} --variant ce --seed 1,2,3\n" in page
    assert f"wbtui run --preset {preset} --variant wb --seed 0,1,2,3\n" in page
    assert "None of the 75 planned runs" in page  # these are not the papers'


def test_what_is_kept_in_the_repository_stays_small(reproduction: ModuleType) -> None:
    files = [path for path in reproduction.EVIDENCE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MEGABYTES << 20


def test_class_balancing_alone_is_weight_balancing_without_decay_and_constraint(planning: ModuleType) -> None:
    planned = next(one for one in planning.plan() if one.method == "wb_no_decay")
    whole = resolve("cifar100_lt", "wb").config.stages
    alone = resolve(planned.preset, planned.variant, settings=planned.settings).config.stages
    assert alone[0] == whole[0]
    assert alone[1] == whole[1].model_copy(update={"weight_decay": 0.0, "constraint": "none"})

"""Whole runs of benchmarks/gpu.sh, dry on the CPU: sliced, side by side, broken off, gone on from."""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from gpu_parts import gpu, in_time, needs_benchmarks, run_part

__all__ = ["gpu", "in_time"]

pytestmark = needs_benchmarks

Action = Callable[[str], None]


def test_a_trainer_that_leaves_no_result_is_a_failed_run(gpu: ModuleType, tmp_path: Path) -> None:
    found = gpu.gpu_runs.summary(tmp_path, -9)
    assert found["outcome"] == "failed"
    assert "exit code -9" in found["reason"]


def test_runs_of_the_plan_are_made_measured_again_under_flips_and_gone_on_from(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flipped, second = "cifar100_lt-full-wd-s0-flip", "cifar100_lt-full-wb-s0"
    monkeypatch.setenv("WBTUI_GPU_RUNS", str(tmp_path / "runs"))
    found = run_part(tmp_path, "paper", flipped, second, WBTUI_GPU_AT_ONCE="2")
    assert found["at_once"] == 2
    assert [run["outcome"] for run in found["runs"].values()] == ["finished"] * 3
    assert found["missing"] == []
    provenance, events = (
        (tmp_path / "runs" / second / name).read_text("utf-8") for name in ("provenance.json", "events.jsonl")
    )
    assert json.loads(provenance)["taken_over"] == {"run": "cifar100_lt-full-wd-s0", "epochs": 2}
    assert '"kind":"identity"' not in events
    plain, again = (tmp_path / "runs" / name for name in ("cifar100_lt-full-wd-s0", flipped))
    logits = [np.load(folder / "predictions" / "test_logits.npy") for folder in (plain, again)]
    assert not np.array_equal(*logits)
    assert np.corrcoef(*(values.ravel() for values in logits))[0, 1] > 0.9
    meta = [
        json.loads((folder / "predictions" / "meta.json").read_text("utf-8")) for folder in (plain, again)
    ]
    assert [one["tta"] for one in meta] == ["none", "flip"]
    before = (again / "result.json").stat().st_mtime_ns
    assert gpu.gpu_runs.paper([flipped])["runs"] == {}
    assert (again / "result.json").stat().st_mtime_ns == before


CE, CE_FLIP, WD, FLIP, WB, NO_DECAY = (
    f"cifar100_lt-full-{end}"
    for end in ("ce-s0", "ce-s0-flip", "wd-s0", "wd-s0-flip", "wb-s0", "wb_no_decay-s0")
)


@pytest.fixture
def trained(gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Action], Path]:
    """What stands in for training: it is given the name of the run, which is finished when it returns."""

    def replaced(action: Action) -> Path:
        def one(runs: Path, planned: SimpleNamespace, *_: object) -> dict:
            folder = runs / planned.name
            folder.mkdir()
            action(planned.name)
            (folder / "result.json").write_text('{"outcome": "finished"}', "utf-8")
            return {"outcome": "finished"}

        monkeypatch.setenv("WBTUI_GPU_RUNS", str(tmp_path))
        monkeypatch.setattr(gpu.gpu_runs, "AT_ONCE", 2)
        monkeypatch.setattr(gpu.gpu_runs, "one", one)
        monkeypatch.setattr(gpu.gpu_runs, "measured_again", one)
        return tmp_path

    return replaced


def test_runs_share_the_device_and_those_that_go_on_from_another_wait_for_it(
    gpu: ModuleType, trained: Callable[[Action], Path]
) -> None:
    order, together = list[str](), threading.Barrier(2, timeout=20)

    def train(name: str) -> None:
        together.wait()  # pairs: nobody holds a place while it waits
        order.append(name)

    runs = trained(train)
    found = gpu.gpu_runs.paper([CE, CE_FLIP, WD, FLIP, WB, NO_DECAY])
    assert [{*order[:2]}, {*order[2:4]}, {*order[4:]}] == [{CE, WD}, {CE_FLIP, FLIP}, {WB, NO_DECAY}]
    assert found["missing"] == []
    assert all((runs / name / "result.json").exists() for name in order)


def test_what_is_at_work_is_asked_to_stop_and_nothing_begins_when_a_slice_is_broken_off(
    gpu: ModuleType, trained: Callable[[Action], Path]
) -> None:
    asked = []

    def train(name: str) -> None:
        if name == WD:
            raise KeyboardInterrupt
        deadline = time.monotonic() + 20
        while not (runs / name / "control" / "stop").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        asked.append((runs / name / "control" / "stop").exists())

    runs = trained(train)
    with pytest.raises(KeyboardInterrupt):
        gpu.gpu_runs.paper([CE, WD, WB, FLIP])
    assert asked == [True]
    assert not (runs / FLIP).exists()
    assert not (runs / WB).exists()


def test_nothing_begins_after_a_run_that_failed(
    gpu: ModuleType, trained: Callable[[Action], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = trained(lambda _: None)
    monkeypatch.setattr(gpu.gpu_runs, "AT_ONCE", 1)
    monkeypatch.setattr(gpu.gpu_runs, "one", lambda *_: {"outcome": "failed"})
    found = gpu.gpu_runs.paper([CE, FLIP])
    assert not found["passed"]
    assert found["missing"] == [CE, WD, FLIP]
    assert [*found["runs"]] == [CE]
    assert [path for path in runs.iterdir() if path.is_dir()] == []


def test_as_many_trainers_as_is_no_number_are_refused(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu.gpu_runs, "AT_ONCE", 0)
    with pytest.raises(SystemExit, match="expected how many trainers share the device, 1 or more"):
        gpu.gpu_runs.paper([])


def test_a_slice_that_runs_out_of_time_stops_with_a_checkpoint_and_goes_on(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, name = gpu.gpu_runs, "cifar10_lt-holdout-wd-s0"
    monkeypatch.setenv("WBTUI_GPU_RUNS", str(tmp_path))
    wait = subprocess.Popen.wait

    def impatient(child: subprocess.Popen[str], timeout: float | None = None) -> int:
        events = tmp_path / name / "events.jsonl"
        while child.poll() is None and not (events.exists() and b'"type":"epoch"' in events.read_bytes()):
            time.sleep(0.01)
        monkeypatch.setattr(subprocess.Popen, "wait", wait)
        raise subprocess.TimeoutExpired("the slice", timeout or 0.0)

    monkeypatch.setattr(subprocess.Popen, "wait", impatient)
    monkeypatch.setattr(runs, "DRY", False)  # as many epochs as the papers': it cannot finish before the stop
    monkeypatch.setattr(runs, "pack", lambda folder, _: runs.made_pack(folder))
    small = ("data.images_per_class=40", "data.imbalance_factor=10.0", "stages.0.epochs=300")
    planned = replace(runs.named(name), settings=small)
    monkeypatch.setattr(runs, "plan", lambda: (planned,))
    monkeypatch.setattr(runs, "named", lambda _: planned)
    first = runs.paper([name])["runs"][name]
    assert first["outcome"] == "stopped"
    assert 0 < first["epochs_done"] < 300
    text = (
        (tmp_path / name / "config.toml")
        .read_text("utf-8")
        .replace("epochs = 300", f"epochs = {first['epochs_done'] + 2}")
    )
    (tmp_path / name / "config.toml").write_text(text, "utf-8")
    second = runs.paper([name])
    assert second["runs"][name]["outcome"] == "finished"
    assert second["missing"] == []


def test_means_whose_interval_leaves_nothing_out_are_no_seed_noise(gpu: ModuleType) -> None:
    reference = [0.88, 0.90, 0.89]
    # 2.5 standard errors, no rarity at n = 3: t is 2.8 and more
    assert gpu.gpu_runs.against(reference, [0.90, 0.915, 0.909])["within_noise"]
    assert gpu.gpu_runs.against([0.9, 0.9], [0.9005, 0.9005])["within_noise"]
    far = gpu.gpu_runs.against(reference, [0.80, 0.81, 0.805])
    assert not far["within_noise"]
    assert far["apart"] == pytest.approx(np.mean([0.80, 0.81, 0.805]) - np.mean(reference))
    assert far["low"] < far["apart"] < far["high"] < 0


def test_a_run_whose_ratio_is_undefined_does_not_lose_the_figures_of_the_others(gpu: ModuleType) -> None:
    found = gpu.gpu_runs.spread([0.5, None, 0.7])
    assert found["n"] == 2
    assert found["mean"] == pytest.approx(0.6)
    assert gpu.gpu_runs.spread([None]) == {"mean": None, "std": None, "n": 0}

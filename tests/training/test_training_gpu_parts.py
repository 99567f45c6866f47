"""The parts of benchmarks/gpu.sh run dry on the CPU, and what they compute is right where a CPU can tell."""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from gpu_parts import BENCHMARKS, GPU, gpu, in_time, needs_benchmarks, run_part
from hypothesis import given, settings
from hypothesis import strategies as st

__all__ = ["gpu", "in_time"]

pytestmark = needs_benchmarks


def test_every_part_is_described_in_the_script_and_no_other(gpu: ModuleType) -> None:
    text = (BENCHMARKS / "gpu.sh").read_text("utf-8")
    described = re.findall(
        r"(?:^#   |   )([a-z][a-z0-9-]*) {3,}\S", text.split("# It needs")[0], flags=re.MULTILINE
    )
    assert {*described} == {*gpu.PARTS} - {"plan"}


def test_recorded_and_eager_steps_have_the_same_losses_on_a_cpu(tmp_path: Path) -> None:
    found = run_part(tmp_path, "check")
    assert found["passed"]
    assert found["losses"]["graphs fp32"] == found["losses"]["eager fp32"]
    assert found["losses"]["graphs bf16"] == found["losses"]["eager bf16"]
    assert found["losses"]["eager bf16"] != found["losses"]["eager fp32"]


def test_losses_that_part_fail_the_check(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class Apart(gpu.Loop):  # type: ignore[name-defined,misc]
        def losses(self, count: int) -> list[float]:
            rate = 2.0 if self._way.precision == "bf16" else 1.0
            return [rate * value for value in super().losses(count)]

    monkeypatch.setattr(gpu, "Loop", Apart)
    found = gpu.check()
    assert not found["passed"]
    assert found["verdicts"]["graphs fp32"]["passed"]
    assert not found["verdicts"]["eager bf16"]["passed"]


def test_speed_is_measured_beside_a_usual_loop_also_without_torchvision(tmp_path: Path) -> None:
    found = run_part(tmp_path, "speed")
    usual = found["median"]["usual loop, arrays in place of PIL"]
    assert usual["times_the_usual_loop"] == 1.0
    assert len(found["median"]) == 6
    assert all(way["images_per_second"] > 0 for way in found["median"].values())
    assert {*found["tuned"]["images_per_second"]} == {"graphs bf16", "graphs bf16, cudnn.benchmark"}
    assert found["tuned"]["ratio"] > 0


def test_the_usual_loop_has_as_many_workers_with_pil_as_without(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Loader:
        def __init__(self, *_: object, num_workers: int, **__: object) -> None:
            asked.append(num_workers)

        def __iter__(self) -> Iterator[object]:
            raise StopIteration("on purpose")

    asked: list[int] = []
    monkeypatch.setattr(torch.utils.data, "DataLoader", Loader)
    monkeypatch.setattr(gpu.gpu_speed, "WORKERS", 5)
    loops = [gpu.gpu_speed.usual_loop()[1], gpu.gpu_speed.array_steps(*gpu.gpu_speed.made_images(20, 1))]
    for steps in loops:
        with pytest.raises(RuntimeError, match="StopIteration"):
            next(steps)
    assert asked == [5, 5]


def test_batches_fetched_while_other_ways_were_timed_are_not_timed(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, timed = [0], []

    def endless() -> Iterator[int]:
        while True:
            taken[0] += 1
            yield 16

    def noted(which: Iterator[int], count: int) -> float:
        before = taken[0]
        rate: float = measure(which, count)
        if which is usual:
            timed.append((before, taken[0]))
        return rate

    usual, measure = endless(), gpu.gpu_speed.images_per_second
    monkeypatch.setattr(gpu.gpu_speed, "usual_loop", lambda: ("usual loop", usual))
    monkeypatch.setattr(gpu.gpu_speed, "images_per_second", noted)
    monkeypatch.setattr(gpu.gpu_speed, "tuned", dict)
    gpu.gpu_speed.speed()
    (_, first_ended), (second_began, _) = timed
    assert second_began - first_ended == 2 * gpu.gpu_speed.WORKERS


def test_flops_are_three_times_those_of_the_forward_pass(gpu: ModuleType) -> None:
    """Two products backward for one forward, but for the first layer, whose images need no gradient."""
    net = importlib.import_module("wbtui.catalog").net("resnet8")
    assert gpu.gpu_speed.step_flop() == pytest.approx(3 * net.mflop * 1e6, rel=0.05)


@pytest.mark.parametrize("part", ["roofline", "epoch", "memory", "precision"])
def test_a_part_runs_dry(gpu: ModuleType, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if part == "roofline":  # one profile is much as another, and each is a process
        profiled = gpu.gpu_speed.kernels_against_clock(gpu.GRAPHS_BF16)
        monkeypatch.setattr(gpu.gpu_speed, "kernels_against_clock", lambda _: {**profiled})
    found = gpu.PARTS[part]()
    json.dumps(found)
    assert found.get("passed", True)
    if part == "roofline":
        assert all(way["kernel_seconds"] > 0 for way in found["ways"].values())
    if part == "epoch":
        assert {*found["ways"]} == {"eager fp32", "graphs bf16"}


def test_kernels_whose_names_begin_alike_are_summed(gpu: ModuleType) -> None:
    begin = "void at::native::elementwise_kernel<128, 2, at::native::gpu_kernel_impl_nocast<at::native::"
    names = [f"{begin}BinaryFunctor>", f"{begin}CopyFunctor>", "gemm"]
    rows = [SimpleNamespace(key=name, self_cpu_time_total=1e6) for name in names]
    assert gpu.gpu_speed.times_by_name(rows) == {begin[:80]: 2.0, "gemm": 1.0}


def test_the_hosts_part_of_geometry_counts_as_geometry(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, asked = [""], []

    class Geometry:
        @property
        def fisher(self) -> None:
            asked.append(at_work[0])

    monkeypatch.setattr("gpu_ways.Evaluator.measure", lambda *_: (Geometry(), None))
    run = gpu.gpu_speed.whole_epochs(gpu.EAGER)
    for kind in ("geometry", "training alone", "accuracy alone", "geometry"):
        at_work[0] = kind
        run(kind)
    assert asked == ["geometry"]


def test_a_profile_that_fails_loses_neither_the_clock_nor_the_other_ways(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"exit_code": -11, "steps": 50, "images": 3200, "wall_seconds": 0.1}
    told = {
        "eager fp32": {"exit_code": 1},
        "eager bf16": clock | {"exit_code": 0, "kernel_seconds": 0.05},
        "graphs bf16": clock,
    }
    monkeypatch.setattr(gpu.gpu_speed, "kernels_against_clock", lambda way: told[way.name])
    ways = gpu.gpu_speed.roofline()["ways"]
    assert ways["eager fp32"] == {"exit_code": 1}
    assert ways["eager bf16"]["busy"] == ways["graphs bf16"]["busy_by_eager_kernels"] == 0.5
    assert ways["graphs bf16"]["busy"] is None
    assert ways["graphs bf16"]["tflops"] > 0


# ---------------------------------------------------------------------- memory


def test_the_largest_batch_of_the_dry_run_is_the_limit_it_sets(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(
        gpu.gpu_memory.LARGE, net="resnet8"
    )  # ResNeXt50 is built often here, and takes a second each time
    monkeypatch.setattr(gpu.gpu_memory, "LARGE", small)
    found = gpu.gpu_memory.memory_224()
    for way in ("eager fp32", "eager bf16"):
        assert found[way]["largest_batch"] == gpu.gpu_memory.DRY_LIMIT
        assert found[way]["smallest_refused"] == gpu.gpu_memory.DRY_LIMIT + 1
        assert found[way]["at_the_batch"] is not None
    assert found["graphs bf16"] is not None


def test_another_error_than_memory_is_no_limit(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("an illegal memory access was encountered")

    monkeypatch.setattr(gpu.gpu_memory, "Loop", broken)
    with pytest.raises(RuntimeError, match="illegal"):
        gpu.gpu_memory.trained(gpu.EAGER, gpu.gpu_memory.LARGE)


@given(limit=st.integers(0, 5000), start=st.integers(1, 600))
@settings(max_examples=100)
def test_bisection_ends_within_a_32nd_below_the_limit(limit: int, start: int) -> None:
    asked: list[int] = []

    def fits(batch: int) -> bool:
        asked.append(batch)
        return batch <= limit

    found = sys.modules["gpu_memory"].largest_batch(fits, start)
    assert found <= limit <= found + max(1, found // 32) - (limit > 0 and found < 32)
    assert len(asked) == len(set(asked)) <= 32


# ---------------------------------------------------------------------- several trainers, several seeds


def test_a_seed_in_a_stack_computes_what_it_computes_alone(gpu: ModuleType) -> None:
    for form in gpu.gpu_seeds.FORMS:
        assert gpu.gpu_seeds.differences(form) < 1e-5


@pytest.mark.parametrize("form", ["vmap", "groups"])
def test_seeds_that_were_mixed_up_would_be_found(
    gpu: ModuleType, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = gpu.gpu_seeds.joined
    monkeypatch.setattr(gpu.gpu_seeds, "joined", lambda plans: joined(plans[::-1]))
    assert gpu.gpu_seeds.differences(form) > 1e-4


def test_under_vmap_no_batchnorm_is_offered_to_cudnn_which_stays_on_for_convolutions(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Choosing cuDNN's BatchNorm, torch on CUDA asks for a memory format, which raises under vmap."""
    batch_norm, offered = torch.batch_norm, []

    def noted(*given: object) -> torch.Tensor:
        offered.append(given[-1])
        return batch_norm(*given)

    monkeypatch.setattr(torch, "batch_norm", noted)
    steps = gpu.gpu_seeds.Stack("vmap", 2, gpu.EAGER).steps()
    next(steps)
    assert offered == [False] * 7  # the layers of resnet8
    assert torch.backends.cudnn.enabled


def test_a_joined_plan_shows_each_seed_its_own_order(gpu: ModuleType) -> None:
    seeds = gpu.gpu_seeds
    plans = [seeds.seed_plan(torch.arange(130) % 4, seed, 0) for seed in range(3)]
    joined = seeds.joined(plans)
    assert len(joined) == len(plans[0])
    for batch, (first, last) in enumerate(joined.bounds):
        shown = joined.order[first:last].reshape(3, -1)
        start, stop = plans[0].bounds[batch]
        for seed, plan in enumerate(plans):
            assert torch.equal(shown[seed], plan.order[start:stop])


CONTROL = """#!{python}
import os, sys
from pathlib import Path
log = Path({log!r})
asked = "-d" if sys.argv[1:] == ["-d"] else sys.stdin.read().strip()
log.write_text(log.read_text() + asked + " " + os.environ["CUDA_MPS_PIPE_DIRECTORY"] + "\\n" if log.exists() else
               asked + " " + os.environ["CUDA_MPS_PIPE_DIRECTORY"] + "\\n")
print("4711" if asked == "get_server_list" else "")
"""


def test_a_multi_process_service_is_started_asked_and_ended(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, tool = tmp_path / "asked", tmp_path / "nvidia-cuda-mps-control"
    tool.write_text(CONTROL.format(python=sys.executable, log=str(log)), "utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(gpu.gpu_several, "SIZE", replace(gpu.SIZE, trainers=(1,)))
    found = gpu.gpu_several.several_mps()
    assert found["mps_servers"] == "4711"
    assert found["graphs bf16"]["slots"] == 1
    assert found["graphs bf16"]["images_per_second"][1] > 0
    asked = [line.split() for line in log.read_text("utf-8").splitlines()]
    assert [word for word, _ in asked] == ["-d", "get_server_list", "quit"]
    assert len({pipe for _, pipe in asked}) == 1


def test_trainers_that_hang_under_a_service_leave_the_part_out_and_do_not_take_all_its_time(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, control = tmp_path / "python", tmp_path / "nvidia-cuda-mps-control"
    hanging.write_text("#!/bin/sh\nexec sleep 1000\n", "utf-8")
    control.write_text("#!/bin/sh\n", "utf-8")
    for tool in (hanging, control):
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(gpu.gpu_several, "UP_WITHIN", 0.1)
    monkeypatch.setattr(gpu.gpu_several.sys, "executable", str(hanging))
    assert "did not come up" in gpu.gpu_several.several_mps()["left_out"]


def test_the_smallest_number_that_is_nearly_the_best_makes_the_slots(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {1: 1000.0, 2: 1900.0, 4: 1990.0, 8: 1500.0}
    monkeypatch.setattr(gpu.gpu_several, "SIZE", replace(gpu.SIZE, trainers=(1, 2, 4, 8)))
    monkeypatch.setattr(
        gpu.gpu_several, "rates_at_once", lambda way, count, _: [rates[count] / count] * count
    )
    assert gpu.gpu_several.several()["graphs bf16"]["slots"] == 2


def test_a_part_that_is_cut_short_keeps_what_it_has_found(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(way: object, trainers: int, environment: object) -> list[float]:
        if trainers == 2:
            raise KeyboardInterrupt  # what `timeout` sends
        return [1000.0]

    monkeypatch.setattr(gpu.gpu_several, "rates_at_once", interrupted)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "several"])
    monkeypatch.setenv("RESULTS", str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        gpu.main()
    found = json.loads((tmp_path / "gpu_several.json").read_text("utf-8"))
    assert found["cut_short"]
    assert found["graphs bf16"] == {"images_per_second": {"1": 1000.0}}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_part_is_ended_by_either_signal_also_where_the_shell_made_it_ignore_them(
    tmp_path: Path, number: signal.Signals
) -> None:
    here = {"WBTUI_GPU_DRY": "1", "RESULTS": str(tmp_path), "PYTHONPATH": str(BENCHMARKS.parent)}
    ignoring = (
        "import os, signal, sys; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", ignoring, sys.executable, str(GPU), "check"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | here
    ) as part:
        assert part.stdout
        assert part.stdout.readline().startswith(b"check on cpu")
        part.send_signal(number)
        part.communicate(timeout=120)
    assert part.returncode != 0
    assert json.loads((tmp_path / "gpu_check.json").read_text("utf-8"))["cut_short"]


def test_a_way_for_which_no_time_is_left_does_not_lose_the_others(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu.gpu_speed, "left", lambda: 0.0)
    assert gpu.gpu_speed.epoch()["ways"]["graphs bf16"]["epoch_seconds"]["geometry"] == []
    assert gpu.gpu_speed.speed()["median"] == {}

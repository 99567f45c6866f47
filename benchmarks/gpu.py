"""What does training cost on a GPU, and do recorded steps train as eager ones do? The parts of benchmarks/gpu.sh."""

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from gpu_runs import paper, precision
from gpu_ways import (
    DEVICE,
    DRY,
    EAGER,
    EAGER_BF16,
    GRAPHS,
    GRAPHS_BF16,
    SIZE,
    STARTED,
    TF32,
    WAYS,
    Found,
    Loop,
    Way,
    device_images,
    finish,
    images_per_second,
    left,
    made_images,
    seconds_of,
)
from torch.autograd import DeviceType

import wbtui
from wbtui import catalog
from wbtui.config import EvaluationConfig, ModelConfig
from wbtui.training.evaluation import Evaluator
from wbtui.training.runtime import processor_name

# ---------------------------------------------------------------------- check


def check() -> Found:
    """Same weights, order and augmentation by each way: do the losses of 200 steps agree?

    Two eager fp32 runs differ by the order of atomic additions, and training amplifies that; so the first ten steps are
    held tightly and the last fifty in the mean, and what eager itself differs by stands beside it.
    """
    first, last = min(10, SIZE.steps), min(50, SIZE.steps)
    curves = {way.name: Loop(way).losses(SIZE.steps) for way in (EAGER, GRAPHS, EAGER_BF16, GRAPHS_BF16)}
    curves["eager fp32 again"] = Loop(EAGER).losses(SIZE.steps)
    reference = np.array(curves[EAGER.name])
    allowed = {GRAPHS.name: (1e-3, 0.05), EAGER_BF16.name: (3e-2, 0.10), GRAPHS_BF16.name: (3e-2, 0.10)}
    found: Found = {"losses": curves, "verdicts": {}, "passed": True}
    for name, curve in curves.items():
        apart = np.abs(np.array(curve) - reference) / np.abs(reference)
        start = float(apart[:first].max())
        end = abs(float(np.mean(curve[-last:])) / float(reference[-last:].mean()) - 1.0)
        verdict: Found = {"first_10_max_relative": start, "last_50_mean_relative": end}
        if name in allowed:
            verdict["allowed"] = allowed[name]
            verdict["passed"] = (
                bool(np.isfinite(curve).all()) and start <= allowed[name][0] and end <= allowed[name][1]
            )
            found["passed"] = found["passed"] and verdict["passed"]
        found["verdicts"][name] = verdict
        print(f"{name:18} first {first} steps within {start:.1e}, mean of the last {last} within {end:.1e}")
    return found


# ---------------------------------------------------------------------- speed


def speed() -> Found:
    """Images a second by each way, interleaved; the share of the measured bf16 matmul peak; kernels and clock."""
    loops: dict[str, tuple[Callable[[], None], Iterator[int]]] = {
        way.name: (way.set_flags, Loop(way).steps()) for way in WAYS
    }
    found: Found = {}
    try:
        loops["usual loop"] = (TF32.set_flags, usual_steps())
    except ImportError as error:
        found["left_out"] = f"usual loop: {error}"
    measured: dict[str, list[float]] = {name: [] for name in loops}
    for warm_up in (True, *[False] * SIZE.rounds):
        for name, (set_flags, steps) in loops.items():
            set_flags()
            count = SIZE.steps // 10 if warm_up or name == "usual loop" else SIZE.steps
            if left() > 60:
                rate = images_per_second(steps, max(count, 1))
                if not warm_up:
                    measured[name].append(rate)
    peak = matmul_peak()
    flop = 3 * catalog.net(SIZE.net).forward_mflop(SIZE.side) * 1e6
    found |= {"images_per_second": measured, "bf16_matmul_tflops": peak, "flop_per_image": flop, "median": {}}
    for name, values in measured.items():
        if values:
            rate = statistics.median(values)
            share = rate * flop / 1e12 / peak
            found["median"][name] = {
                "images_per_second": rate,
                "tflops": rate * flop / 1e12,
                "share_of_peak": share,
            }
            print(
                f"{name:34} {rate:10.0f} images/s  {rate * flop / 1e12:7.2f} TFLOP/s  {100 * share:5.1f} % of peak"
            )
    found["profile"] = {way.name: kernels_against_clock(way) for way in (EAGER_BF16, GRAPHS_BF16)}
    return found


def usual_steps() -> Iterator[int]:
    """The loop of public long-tail code: PIL images in a DataLoader with workers, fp32 eager, `.item()` each step."""
    import PIL  # noqa: F401 - asked for before anything is measured
    from train_speed import usual_steps as usual

    from wbtui.data.torchvision_import import torchvision_module

    torchvision_module("transforms")
    x, y = made_images(SIZE.images, 1)
    return usual(SIZE.net, x, y % 10, DEVICE)


def matmul_peak() -> float:
    """TFLOP/s of a large bf16 matrix product, the best of five."""
    a = torch.randn(SIZE.matmul, SIZE.matmul, device=DEVICE, dtype=torch.bfloat16)

    def products() -> None:
        for _ in range(10):
            torch.mm(a, a)

    products()
    return 10 * 2 * SIZE.matmul**3 / min(seconds_of(products) for _ in range(5)) / 1e12


def kernels_against_clock(way: Way) -> Found:
    """Seconds of 50 steps by the clock, unprofiled, and the sum of their kernels' times: the rest the device idles."""
    steps = Loop(way).steps()
    count = min(50, SIZE.steps)

    def some() -> None:
        for _ in range(count):
            next(steps)

    some()
    wall = seconds_of(some)
    with torch.profiler.profile() as recorded:
        some()
        finish()
    rows = [row for row in recorded.key_averages() if row.device_type == DeviceType.CUDA]
    busy = sum(row.self_device_time_total for row in rows) / 1e6
    top = sorted(rows, key=lambda row: -row.self_device_time_total)[:8]
    print(f"{way.name:34} {1e3 * wall / count:.3f} ms a step, kernels {1e3 * busy / count:.3f} ms")
    return {
        "steps": count,
        "wall_seconds": wall,
        "kernel_seconds": busy,
        "top_kernels": {row.key[:80]: row.self_device_time_total / 1e6 for row in top},
    }


# ---------------------------------------------------------------------- several


def several() -> Found:
    """1, 2, 4 and 8 trainers on one device at once: images a second in sum, eager and recorded."""
    found: Found = {}
    for way in (EAGER_BF16, GRAPHS_BF16):
        sums: dict[int, float] = {}
        for trainers in SIZE.trainers:
            if left() < 60:
                break
            sums[trainers] = sum(rates_at_once(way, trainers))
            print(f"{way.name:12} {trainers} trainer(s): {sums[trainers]:9.0f} images/s in sum")
        found[way.name] = sums
    return found


def rates_at_once(way: Way, trainers: int) -> list[float]:
    command = [sys.executable, __file__, "trainer", way.name]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(trainers)
    ]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n", "a trainer did not come up"
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    answers = [child.communicate()[0] for child in children]
    return [float(answer) for answer in answers]


def trainer(name: str) -> None:
    """One of several: ready when recorded, then as many images a second as it gets in ten seconds."""
    steps = Loop(next(way for way in WAYS if way.name == name)).steps()
    for _ in range(SIZE.steps // 10):
        next(steps)
    finish()
    print("ready", flush=True)
    sys.stdin.readline()
    started, images = time.perf_counter(), 0
    while time.perf_counter() - started < (1.0 if DRY else 10.0):
        images += sum(next(steps) for _ in range(10))
        finish()
    print(images / (time.perf_counter() - started))


# ---------------------------------------------------------------------- memory


def memory() -> Found:
    """Peak device memory of the paper's run: an epoch's recordings, some steps, and the eval pass over test."""
    found: Found = {}
    x, y = made_images(SIZE.test_images, 2)
    for way in (EAGER, EAGER_BF16, GRAPHS, GRAPHS_BF16):
        gc.collect()
        if DEVICE.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        loop = Loop(way)
        steps = loop.steps()
        for _ in range(min(SIZE.steps, 20)):
            next(steps)
        size = ModelConfig(name=SIZE.net).feature_size
        config = EvaluationConfig(batch_size=SIZE.eval_batch)
        splits = {"test": device_images(x, y)}
        Evaluator(loop.model, splits, SIZE.classes, size, config, way.runtime).measure("test")
        peaks = (0, 0)
        if DEVICE.type == "cuda":
            peaks = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
        found[way.name] = {"allocated_gib": peaks[0] / 2**30, "reserved_gib": peaks[1] / 2**30}
        print(f"{way.name:12} allocated {peaks[0] / 2**30:.2f} GiB, reserved {peaks[1] / 2**30:.2f} GiB")
        del loop, steps
    large = [name for name in catalog.nets() if name.startswith("resnext50")]
    if not large:
        found["left_out"] = "ResNeXt50 at 224 pixels: this version has no such net"
        print(found["left_out"])
    return found


# ---------------------------------------------------------------------- the command


PARTS: dict[str, Callable[[], Found]] = {
    "check": check,
    "speed": speed,
    "several": several,
    "memory": memory,
    "precision": precision,
    "paper-ce": lambda: paper("ce"),
    "paper-wd": lambda: paper("wd"),
}


def facts() -> Found:
    found: Found = {
        "command": " ".join(sys.argv),
        "device": "cpu, a dry run: the figures mean nothing",
        "processor": processor_name(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "wbtui": wbtui.__version__,
        "size": asdict(SIZE),
    }
    if DEVICE.type == "cuda":
        properties = torch.cuda.get_device_properties(DEVICE)
        found |= {
            "device": properties.name,
            "device_memory_gib": properties.total_memory / 2**30,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=[*PARTS, "trainer"])
    parser.add_argument("way", nargs="?", help="of `trainer`, which `several` starts")
    args = parser.parse_args()
    if not DRY and not torch.cuda.is_available():
        parser.error(
            f"torch {torch.__version__} sees no CUDA device; WBTUI_GPU_DRY=1 tries the scripts on the CPU"
        )
    if args.part == "trainer":
        trainer(args.way)
        return
    known = facts()
    print(f"{args.part} on {known['device']}, torch {known['torch']}", flush=True)
    found = PARTS[args.part]()
    default = tempfile.mkdtemp() if DRY else "benchmarks/results"
    path = Path(os.environ.get("RESULTS") or default) / f"gpu_{args.part}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(known | {"seconds": time.monotonic() - STARTED} | found, indent=1) + "\n", "utf-8"
    )
    print(path)
    if found.get("passed") is False:
        sys.exit(1)


if __name__ == "__main__":
    main()

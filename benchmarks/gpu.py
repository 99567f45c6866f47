"""What does training cost on a GPU, and do recorded steps train as eager ones do? The parts of benchmarks/gpu.sh."""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import gpu_memory
import gpu_runs
import gpu_seeds
import gpu_several
import gpu_speed
import numpy as np
import torch
from gpu_ways import (
    DEVICE,
    DRY,
    EAGER,
    EAGER_BF16,
    GRAPHS,
    GRAPHS_BF16,
    NET,
    ON_CPU,
    PARTIAL,
    SIZE,
    STARTED,
    Found,
    Loop,
    growing,
)

import wbtui
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
    found = growing({"losses": curves, "verdicts": {}, "passed": True})
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


# ---------------------------------------------------------------------- the command


PARTS: dict[str, Callable[[], Found]] = {
    "check": check,
    "agree": gpu_runs.agree,
    "speed": gpu_speed.speed,
    "roofline": gpu_speed.roofline,
    "epoch": gpu_speed.epoch,
    "start": gpu_speed.start,
    "several": gpu_several.several,
    "several-mps": gpu_several.several_mps,
    "seeds": gpu_seeds.seeds,
    "memory": gpu_memory.memory,
    "memory-224": gpu_memory.memory_224,
    "precision": gpu_runs.precision,
    "plan": gpu_runs.list_plan,
}
CHILDREN: dict[str, Callable[[str], None]] = {"trainer": gpu_several.trainer, "kernels": gpu_speed.kernels}
"""What parts start in processes of their own."""

ON_THE_PROCESSOR = ("check", "agree")
"""Parts that WBTUI_GPU_DEVICE=cpu measures for good."""


def facts() -> Found:
    found: Found = {
        "command": f"benchmarks/gpu.sh {' '.join(sys.argv[1:])}",
        "device": "cpu, a dry run: the figures mean nothing" if DRY else "cpu",
        "processor": processor_name(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": torch.get_num_threads(),
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
    parser.add_argument("part", choices=[*PARTS, "paper", *CHILDREN])
    parser.add_argument("names", nargs="*", help="of `paper`: runs of the plan (all); of a child: its way")
    args = parser.parse_args()
    # What was started in the background ignores SIGINT, and a caller may end a part by SIGTERM: both leave the file.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, interrupt)
    if not ON_CPU and not torch.cuda.is_available() and args.part != "plan":
        parser.error(
            f"torch {torch.__version__} sees no CUDA device; WBTUI_GPU_DRY=1 tries the scripts on the CPU"
        )
    if ON_CPU and not DRY and args.part not in (*ON_THE_PROCESSOR, "plan"):
        parser.error(f"WBTUI_GPU_DEVICE=cpu measures {' and '.join(ON_THE_PROCESSOR)}, not {args.part}")
    if args.part in CHILDREN:
        CHILDREN[args.part](*args.names)
        return
    known = facts()
    found: Found = PARTIAL
    cut_short: Found = {"cut_short": "it did not come to its end"}
    try:
        print(f"{args.part} on {known['device']}, torch {known['torch']}", flush=True)
        found = gpu_runs.paper(args.names) if args.part == "paper" else PARTS[args.part]()
        cut_short = {}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if args.part != "plan":
            keep(args.part, known | {"seconds": time.monotonic() - STARTED} | cut_short | found)
    if found.get("passed") is False:
        sys.exit(1)


def interrupt(number: int, frame: object) -> None:
    """Break off; again every two seconds while nobody hears it: inside a callback from C the exception is dropped."""
    signal.setitimer(signal.ITIMER_REAL, 2)
    raise KeyboardInterrupt


def keep(part: str, found: Found) -> None:
    """Write RESULTS/gpu_PART.json; another net and the processor show in its name."""
    label = "" if DRY else "".join(f"_{word}" for word in (NET, "cpu" if ON_CPU else "") if word)
    default = tempfile.mkdtemp() if DRY else "benchmarks/results"
    path = Path(os.environ.get("RESULTS") or default) / f"gpu_{part}{label}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(path)


if __name__ == "__main__":
    main()

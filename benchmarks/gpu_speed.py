"""How fast are steps, whole epochs and the start of a run, and how near to what the device can do?"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from gpu_runs import made_pack
from gpu_several import rates_at_once
from gpu_ways import (
    DEVICE,
    DRY,
    EAGER,
    EAGER_BF16,
    GRAPHS_BF16,
    MEAN,
    SIZE,
    STD,
    TF32,
    TUNED,
    WAYS,
    Found,
    Loop,
    Way,
    finish,
    growing,
    images_per_second,
    left,
    made_images,
    middle,
    release,
    seconds_of,
)
from torch.autograd import DeviceType
from torch.utils.flop_counter import FlopCounterMode

from wbtui.config import ModelConfig
from wbtui.models.model import build_model

WORKERS = 2 if DRY else 8
FETCHED_AHEAD = 2 * WORKERS
"""Batches that the usual loop's workers make while other ways are timed: DataLoader's default."""

EPOCHS = 320

PROFILE_WITHIN = 120.0
"""Seconds until a way's clock and profile must be there: one whose profile hangs would take half of the time left."""

# ---------------------------------------------------------------------- speed


def speed() -> Found:
    """Images a second by each way and by the usual loop, interleaved; the aim is ten times the usual loop."""
    loops: dict[str, tuple[Callable[[], None], Iterator[int]]] = {
        way.name: (way.set_flags, Loop(way).steps()) for way in WAYS if way is not TUNED
    }
    usual, usual_steps = usual_loop()
    # Last: the thread that pins its images calls CUDA, which may not happen while the first round records the others.
    loops[usual] = (TF32.set_flags, usual_steps)
    measured: dict[str, list[float]] = {name: [] for name in loops}
    found = growing({"images_per_second": measured, "flop_per_image": step_flop(), "median": {}, "tuned": {}})
    for warm_up in (True, *[False] * SIZE.rounds):
        for name, (set_flags, steps) in loops.items():
            set_flags()
            count = SIZE.steps // 10 if warm_up else SIZE.steps // 4 if name == usual else SIZE.steps
            if left() > 60:
                if name == usual:
                    deque(islice(steps, FETCHED_AHEAD), maxlen=0)
                rate = images_per_second(steps, max(count, 1))
                if not warm_up:
                    measured[name].append(rate)
    loops.clear()
    usual_steps.close()  # its workers and the thread that pins end here, not somewhere in the interpreter's end
    slow = middle(measured[usual])
    for name, values in measured.items():
        if not values:
            continue
        rate = statistics.median(values)
        tflops = rate * found["flop_per_image"] / 1e12
        seconds = EPOCHS * SIZE.images / rate
        found["median"][name] = {
            "images_per_second": rate,
            "tflops": tflops,
            "times_the_usual_loop": rate / slow if slow else None,
            "seconds_of_320_epochs_training_alone": seconds,
        }
        times = f"x{rate / slow:.2f}" if slow else "x?"
        print(f"{name:42} {rate:9.0f} images/s {tflops:7.2f} TFLOP/s  {times}, 320 epochs {seconds:.0f} s")
    found["tuned"] |= tuned()
    return found


def tuned() -> Found:
    """Images a second of recorded steps with and without `cudnn.benchmark`, alternating, each in a process of its own.

    torch keeps one plan for each convolution, whether a measurement or a rule of thumb chose it: in one process the
    first way would choose for both.
    """
    release()
    rates: dict[str, list[float]] = {GRAPHS_BF16.name: [], TUNED.name: []}
    for _ in range(min(SIZE.rounds, 2)):
        for way in (GRAPHS_BF16, TUNED):
            if left() > 60:
                rates[way.name] += rates_at_once(way, 1)
    plain, chosen = (middle(values) for values in rates.values())
    ratio = chosen / plain if plain and chosen else None
    if ratio:
        print(f"{TUNED.name}: x{ratio:.2f} of {GRAPHS_BF16.name}, each in processes of their own")
    return {"images_per_second": rates, "ratio": ratio}


def usual_loop() -> tuple[str, Generator[int]]:
    """The loop of public long-tail code: PIL images in a DataLoader with workers, fp32 eager, `.item()` each step."""
    x, y = made_images(SIZE.images, 1)
    try:
        import PIL  # noqa: F401 - asked for before anything is measured
        from train_speed import usual_steps

        from wbtui.data.torchvision_import import torchvision_module

        torchvision_module("transforms")
        return "usual loop", usual_steps(SIZE.net, x, y % 10, DEVICE, WORKERS)
    except Exception as error:  # noqa: BLE001 - torchvision fails in ways of its own beside another torch
        print(f"without PIL or torchvision ({type(error).__name__}: {error}): workers crop arrays instead")
        return "usual loop, arrays in place of PIL", array_steps(x, y)


class ArrayImages(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """Samples cropped, mirrored and normalised one by one, as transforms on PIL images do."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self._images = np.pad(images, ((0, 0), (4, 4), (4, 4), (0, 0)))
        self._labels = labels

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        row, column, flip = torch.randint(0, 9, (3,)).tolist()
        image = self._images[index, row : row + SIZE.side, column : column + SIZE.side]
        image = (image[:, ::-1] if flip < 4 else image).astype(np.float32) / 255
        normalised = (image - np.float32(MEAN)) / np.float32(STD)
        return torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1))), int(self._labels[index])


def array_steps(x: np.ndarray, y: np.ndarray) -> Generator[int]:
    """The usual loop on arrays."""
    torch.manual_seed(0)
    model = build_model(ModelConfig(name=SIZE.net), SIZE.classes, 3, SIZE.side).to(DEVICE)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-3)
    loader = torch.utils.data.DataLoader(
        ArrayImages(x, y), SIZE.batch, shuffle=True, num_workers=WORKERS, pin_memory=DEVICE.type == "cuda"
    )
    while True:
        for images, labels in loader:
            images, labels = images.to(DEVICE), labels.to(DEVICE)
            loss = torch.nn.functional.cross_entropy(model(images)[0], labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
            yield len(labels)


# ---------------------------------------------------------------------- roofline


def roofline() -> Found:
    """Counted FLOPs, measured peaks, and by each way: TFLOP/s, its share of the peak, kernel time against the clock."""
    flop, peak, bandwidth = step_flop(), matmul_peak(), copy_bandwidth()
    found = growing(
        {
            "flop_per_image_forward_and_backward": flop,
            "pflop_of_320_epochs": flop * EPOCHS * SIZE.images / 1e15,
            "pflop_of_testing_every_epoch": flop / 3 * EPOCHS * SIZE.test_images / 1e15,
            "bf16_matmul_tflops": peak,
            "copy_gigabytes_per_second": bandwidth,
            "ways": {},
        }
    )
    print(f"{flop / 1e9:.2f} GFLOP an image; matmul {peak:.0f} TFLOP/s bf16; copies {bandwidth:.0f} GB/s")
    for way in (EAGER, EAGER_BF16, GRAPHS_BF16):
        if left() < 60:
            break
        known = found["ways"][way.name] = kernels_against_clock(way)
        wall = known.get("wall_seconds")
        if wall is None:
            print(f"{way.name:12} failed with exit code {known['exit_code']}")
            continue
        tflops = known["images"] * flop / wall / 1e12
        known |= {"tflops": tflops, "share_of_peak": tflops / peak}
        known["busy"] = known["kernel_seconds"] / wall if known.get("kernel_seconds") else None
        per_step = 1e3 / known["steps"]
        print(
            f"{way.name:12} {per_step * wall:.3f} ms a step, kernels {_in_ms(known.get('kernel_seconds'), per_step)}, "
            f"{tflops:.1f} TFLOP/s, {100 * tflops / peak:.1f} % of the peak"
        )
    eager, recorded = (found["ways"].get(way.name, {}) for way in (EAGER_BF16, GRAPHS_BF16))
    if eager.get("kernel_seconds") and recorded.get("wall_seconds"):
        recorded["busy_by_eager_kernels"] = eager["kernel_seconds"] / recorded["wall_seconds"]
        print(
            f"{GRAPHS_BF16.name}: busy {100 * recorded['busy_by_eager_kernels']:.0f} % by the kernels of eager steps"
        )
    return found


def _in_ms(seconds: float | None, per_step: float) -> str:
    return f"{per_step * seconds:.3f} ms" if seconds else "not seen by the profiler"


def step_flop() -> float:
    """FLOPs of an image, forward and backward, as torch counts them (multiply-adds count two; no BN, no SGD)."""
    model = build_model(ModelConfig(name=SIZE.net), SIZE.classes, 3, SIZE.side)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(2, 3, SIZE.side, SIZE.side))[0].sum().backward()
    return counter.get_total_flops() / 2


def matmul_peak() -> float:
    """TFLOP/s of a large bf16 matrix product, the best of five."""
    a = torch.randn(SIZE.matmul, SIZE.matmul, device=DEVICE, dtype=torch.bfloat16)

    def products() -> None:
        for _ in range(10):
            torch.mm(a, a)

    products()
    return 10 * 2 * SIZE.matmul**3 / min(seconds_of(products) for _ in range(5)) / 1e12


def copy_bandwidth() -> float:
    """GB/s read and written by large copies, the best of five."""
    source = torch.empty(SIZE.matmul**2 * 8, dtype=torch.uint8, device=DEVICE)
    target = torch.empty_like(source)

    def copies() -> None:
        for _ in range(10):
            target.copy_(source)

    copies()
    return 10 * 2 * source.numel() / min(seconds_of(copies) for _ in range(5)) / 1e9


def kernels_against_clock(way: Way) -> Found:
    """Seconds of 50 steps by the clock, unprofiled, and the sum of their kernels' times: the rest the device idles.

    In a process of its own, which may fail: CUPTI has been seen to hang, to crash and to collect nothing where graphs
    are recorded after a first profile. It has also told wrong times of kernels in graphs before CUDA 13.1, so that the
    kernels of eager steps, which are the same, stand beside (`busy_by_eager_kernels`).
    """
    command = [sys.executable, str(Path(__file__).with_name("gpu.py")), "kernels", way.name]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        said, _ = child.communicate(timeout=min(left() / 2, PROFILE_WITHIN))
    except subprocess.TimeoutExpired:
        child.kill()
        said, _ = child.communicate()
    known: Found = {"exit_code": child.returncode}
    for line in said.splitlines():
        known |= json.loads(line) if line.startswith("{") else {}
    return known


def kernels(name: str) -> None:
    """The child: a line of JSON as soon as the clock has been read, and one more when the profile is done."""
    steps = Loop(next(way for way in WAYS if way.name == name)).steps()
    count = min(50, SIZE.steps)

    def some() -> int:
        return sum(next(steps) for _ in range(count))

    some()
    images = 0

    def counted() -> None:
        nonlocal images
        images = some()

    wall = seconds_of(counted)
    print(json.dumps({"steps": count, "images": images, "wall_seconds": wall}), flush=True)
    with torch.profiler.profile(acc_events=True) as recorded:
        some()
        finish()
    kind = DeviceType.CUDA if DEVICE.type == "cuda" else DeviceType.CPU
    rows = recorded.key_averages()
    times = times_by_name(row for row in rows if row.device_type == kind and not row.is_user_annotation)
    top = dict(sorted(times.items(), key=lambda item: -item[1])[:8])
    print(json.dumps({"kernel_seconds": sum(times.values()), "top": top}), flush=True)


def times_by_name(rows: "Iterable[torch.autograd.profiler_util.FunctionEventAvg]") -> dict[str, float]:
    """Seconds by the begin of a kernel's name: the rest is template arguments, and many kernels share a begin."""
    times: dict[str, float] = {}
    for row in rows:
        total = row.self_device_time_total if DEVICE.type == "cuda" else row.self_cpu_time_total
        times[row.key[:80]] = times.get(row.key[:80], 0.0) + float(total) / 1e6
    return times


# ---------------------------------------------------------------------- epoch


def epoch() -> Found:
    """Whole epochs: training alone, with the test pass for accuracy alone, and with class-wise geometry.

    As in the trainer, the host's part of the geometry is done while the device works at the next epoch's steps.
    """
    found = growing({"images": SIZE.images, "test_images": SIZE.test_images, "ways": {}})
    for way in (EAGER, GRAPHS_BF16):
        kinds = ("training alone", "accuracy alone", "geometry")
        run, seconds = whole_epochs(way), {kind: list[float]() for kind in kinds}
        for warm_up in (True, *[False] * SIZE.rounds):
            for kind in kinds:
                if left() > 60:
                    taken = run(kind)
                    if not warm_up:
                        seconds[kind].append(taken)
        known = found["ways"][way.name] = {"epoch_seconds": seconds}
        if not all(seconds.values()):
            print(f"{way.name:12} no time was left for it")
            continue
        medians = {kind: statistics.median(values) for kind, values in seconds.items()}
        share = medians["geometry"] / medians["accuracy alone"] - 1
        known |= {
            "median": medians,
            "seconds_of_320_epochs": {kind: EPOCHS * value for kind, value in medians.items()},
            "geometry_over_accuracy_alone": share,
        }
        whole = EPOCHS * medians["geometry"]
        print(
            f"{way.name:12} an epoch {1e3 * medians['training alone']:.0f} ms, with test accuracy "
            f"{1e3 * medians['accuracy alone']:.0f} ms, with geometry {1e3 * medians['geometry']:.0f} ms "
            f"({100 * share:+.1f} %); 320 epochs {whole:.0f} s"
        )
    return found


def whole_epochs(way: Way) -> Callable[[str], float]:
    """A function that runs one epoch and its test pass of a kind, and says how long both took."""
    loop = Loop(way)
    steps = loop.steps()
    evaluator, images = loop.evaluator()
    batches = -(-SIZE.images // SIZE.batch)
    pending: list[Callable[[], object]] = []

    @torch.no_grad()
    def accuracy_alone() -> None:
        loop.model.eval()
        hits = torch.zeros(SIZE.classes, device=DEVICE)
        for inputs, labels in images.eval_batches(SIZE.eval_batch):
            with way.runtime.autocast():
                features = loop.model.features(inputs)
            right = (loop.model.logits(features).argmax(1) == labels).float()
            hits.index_add_(0, labels, right)
        hits.cpu()

    def measured() -> None:
        geometry, _ = evaluator.measure("test")
        pending.append(lambda: geometry.fisher)

    def run(kind: str) -> float:
        def whole() -> None:
            for _ in range(batches):
                next(steps)
            while (
                kind == "geometry" and pending
            ):  # of the last epoch of this kind: it counts where it belongs
                pending.pop()()
            {"training alone": finish, "accuracy alone": accuracy_alone, "geometry": measured}[kind]()

        return seconds_of(whole)

    return run


# ---------------------------------------------------------------------- start


def start() -> Found:
    """Seconds from the command to the first step, twice: `wbtui run` where its packages are there, and the trainer."""
    found = growing({})
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(os.environ.get("WBTUI_CIFAR100") or made_pack(Path(scratch)))
        for attempt in ("first", "second"):
            found[attempt] = started_run(Path(scratch) / attempt, data)
            print(f"{attempt}: " + ", ".join(f"{key} {value:.1f} s" for key, value in found[attempt].items()))
    return found | {"passed": DRY or found["second"]["to the first step"] < 10.0}


def started_run(runs: Path, data: Path) -> dict[str, float]:
    """`wbtui run` of two epochs; the first step's own delay shows as what the first epoch takes over the second."""
    engine = "eager" if DRY else "graphs"
    settings = ["stages.0.epochs=3", f"device={DEVICE.type}", f"engine={engine}", f"model.name={SIZE.net}"]
    settings += ["data.source=npz", f"data.root={data}", "data.split_rule=full", "evaluation.selection=last"]
    settings += ["data.images_per_class=40", "data.imbalance_factor=10"] if DRY else []
    options = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "wbtui", "run", "--preset", "cifar100_lt", "--runs", str(runs), *options]
    began = time.time()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=max(left(), 60))
    if done.returncode:
        sys.exit(f"wbtui run: exit code {done.returncode}: {done.stderr.strip()[-2000:]}")
    folder = next(path.parent for path in runs.glob("*/events.jsonl"))
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text("utf-8").splitlines()]
    at = {event["type"]: event["t"] for event in reversed(events)}
    first, *others = [event["scalars"]["time.epoch_seconds"] for event in events if event["type"] == "epoch"]
    recording = max(first - min(others), 0.0)
    shutil.rmtree(runs)
    return {
        "to data and device": at["start"] - began,
        "to the stage": at["stage"] - began,
        "first epoch's extra": recording,
        "to the first step": at["stage"] - began + recording,
    }

"""How fast is training here beside the usual loop? Both in one run, interleaved, on the same net, batch and images.

The usual loop is that of public long-tail code: torchvision-style CIFAR samples as PIL images, RandomCrop, flip,
ToTensor and Normalize in a DataLoader with 2 workers, fp32 NCHW eager, SGD, `.item()` after every batch.

    python benchmarks/train_speed.py --data cifar10_lt.npz [--net resnet32] [--device cpu] [--rounds 3]
        [--batches 40] [--threads 2] [--part loops|bound|diagnostics|together|profile] [--json FILE]

Parts: `loops` ours against the usual one, compiled too on a CPU; `bound` the same beside the net's convolutions alone;
`diagnostics` what class-wise geometry adds to an epoch that measures accuracy alone; `together` 1, 2 and 4 trainers at
once against one after another; `profile` where a step's time goes.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wbtui.config import EvaluationConfig, ModelConfig, StageConfig
from wbtui.data.batches import DeviceImages
from wbtui.data.epoch_plan import epoch_plan
from wbtui.data.torchvision_import import torchvision_module
from wbtui.models.model import WbModel, build_model
from wbtui.training.engine import build_steps
from wbtui.training.evaluation import Evaluator
from wbtui.training.runtime import Runtime, keep_freed_memory, processor_name
from wbtui.training.stage import RunningSums, Stage

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
BATCH = 64
WORKERS = 2
FETCHED_AHEAD = 2 * WORKERS  # DataLoader's default
RECIPE = StageConfig(
    epochs=320, batch_size=BATCH, learning_rate=0.01, weight_decay=5e-3, schedule="cosine_papers"
)


class PilImages(torch.utils.data.Dataset[tuple[Tensor, int]]):
    """Samples as torchvision's CIFAR classes give them."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self._images, self._labels = images, labels
        transforms = torchvision_module("transforms")
        self._transform = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, STD),
            ]
        )

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        return self._transform(Image.fromarray(self._images[index])), int(self._labels[index])


def usual_steps(
    net: str, x: np.ndarray, y: np.ndarray, device: torch.device, workers: int = WORKERS
) -> Generator[int]:
    """The usual loop, one batch at a time; yields the images of each finished step."""
    model = fresh(net).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-3)
    loader = torch.utils.data.DataLoader(
        PilImages(x, y), BATCH, shuffle=True, num_workers=workers, pin_memory=device.type == "cuda"
    )
    while True:
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            loss = F.cross_entropy(model.head(model.backbone(images)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
            yield len(labels)


def our_steps(net: str, x: np.ndarray, y: np.ndarray, runtime: Runtime) -> Iterator[int]:
    """wbtui's own stage and batches, one batch at a time."""
    model = fresh(net).to(memory_format=torch.channels_last).to(runtime.device)
    labels = torch.from_numpy(y)
    images = device_images(x, y, runtime, crop_padding=4)
    stage = Stage(0, RECIPE, model, np.bincount(y), runtime)
    steps = build_steps(stage, images, RunningSums(10, runtime.device), runtime)
    epoch = 0
    while True:
        plan = epoch_plan(labels, BATCH, seed=0, stage=0, epoch=epoch, crop_padding=4, horizontal_flip=True)
        plan = plan.to(runtime.device)
        stage.begin_epoch(epoch)
        steps.begin_epoch(plan, [0.01] * len(plan), 0)
        for batch, (first, last) in enumerate(plan.bounds):
            steps.take(batch)
            yield last - first
        epoch += 1


def fresh(net: str) -> WbModel:
    torch.manual_seed(0)
    return build_model(ModelConfig(name=net), classes=10, channels=3, image_size=32)


def device_images(x: np.ndarray, y: np.ndarray, runtime: Runtime, crop_padding: int = 0) -> DeviceImages:
    images = torch.from_numpy(x).permute(0, 3, 1, 2)
    return DeviceImages(
        images, torch.from_numpy(y), mean=MEAN, std=STD, device=runtime.device, crop_padding=crop_padding
    )


def speed(steps: Iterator[int], batches: int, device: torch.device) -> float:
    """Images a second over some batches."""
    started, images = time.perf_counter(), 0
    for _ in range(batches):
        images += next(steps)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return images / (time.perf_counter() - started)


CONTENDERS = {"usual": (), "ours fp32": ("fp32", "eager"), "ours bf16": ("bf16", "eager")}
COMPILED = {"ours compiled": ("bf16", "compiled")}
"""Only on a processor."""


def loops(args: argparse.Namespace, x: np.ndarray, y: np.ndarray) -> dict[str, dict[str, list[float]]]:
    """Each contender in a process of its own, as a training script is, and in turn."""
    names = [*CONTENDERS, *(COMPILED if args.device == "cpu" else ())]
    children = {name: contender(args, name) for name in names}
    found: dict[str, list[float]] = {name: [] for name in children}
    for turn in range(args.rounds + 1):
        for name, child in children.items():
            child.stdin.write(b"go\n")
            child.stdin.flush()
            images_per_second = float(child.stdout.readline())
            if turn:  # the first turn is the warm-up: allocator, primitive caches
                found[name].append(images_per_second)
    for child in children.values():
        child.communicate()
    usual = found["usual"]
    for name, values in found.items():
        ratios = [value / base for value, base in zip(values, usual, strict=True)]
        print(
            f"{args.net:9} {name:13} {statistics.median(values):8.1f} images/s   "
            f"x{statistics.median(ratios):.2f} the usual loop ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    return {"images_per_second": found}


def bound(args: argparse.Namespace, x: np.ndarray, y: np.ndarray) -> dict[str, object]:
    """The loops beside the net's convolutions alone, forward and backward: no step can be faster than those."""
    found: dict[str, object] = {**loops(args, x, y)}
    usual = statistics.median(found["images_per_second"]["usual"])
    for name, speeds in found["images_per_second"].items():
        precision = ((CONTENDERS | COMPILED)[name] or ("fp32",))[0]
        alone, reached = convolutions(args, precision), statistics.median(speeds)
        print(
            f"{args.net:9} {name:13} its convolutions alone in {precision}: {alone:7.1f} images/s, "
            f"x{alone / usual:.2f} the usual loop; reached {100 * reached / alone:.0f} %"
        )
        found[f"convolutions alone, {precision}"] = alone
    return found


def convolutions(args: argparse.Namespace, precision: str, times: int = 9) -> float:
    """Images a second if a step were nothing but its convolutions, as fast as each was in its best of some times."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    model, seconds = fresh(args.net).to(memory_format=torch.channels_last), list[float]()

    @torch.no_grad()
    def measure(layer: torch.nn.Conv2d, inputs: tuple[Tensor], outputs: Tensor) -> None:
        maps, weight, grad = (tensor.to(kind) for tensor in (inputs[0], layer.weight, outputs))
        of_images = maps.shape[1] == 3  # nothing is behind the images that wants a gradient
        shape = (layer.stride, layer.padding, layer.dilation)

        def once() -> None:
            torch.conv2d(maps, weight, None, *shape)
            torch.ops.aten.convolution_backward(
                grad, maps, weight, None, *shape, False, (0, 0), 1, (not of_images, True, False)
            )

        seconds.append(min(timed(once) for _ in range(times)))

    for layer in model.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(measure)
    images = torch.randn(BATCH, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        model.features(images)
    return BATCH / sum(seconds)


def contender(args: argparse.Namespace, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, "--data", args.data, "--net", args.net, "--part", "turns"]
    command += ["--contender", name, "--device", args.device, "--threads", str(args.threads)]
    command += ["--batches", str(args.batches)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def turns(args: argparse.Namespace, x: np.ndarray, y: np.ndarray) -> dict[str, object]:
    """One contender: at each line from outside, so many batches and their images a second.

    What the usual loop's workers have fetched while others had their turn is used up before the clock starts.
    """
    device, ours = torch.device(args.device), (CONTENDERS | COMPILED)[args.contender]
    if ours:
        keep_freed_memory()
        precision, engine = ours
        steps = our_steps(args.net, x, y, Runtime(device, precision, args.threads, engine))
    else:
        steps = usual_steps(args.net, x, y, device)
    for _ in sys.stdin:
        speed(steps, FETCHED_AHEAD, device)
        print(speed(steps, args.batches, device), flush=True)
    return {}


def diagnostics(args: argparse.Namespace, x: np.ndarray, y: np.ndarray) -> dict[str, object]:
    """One epoch as the trainer runs it (train, then the test pass), with geometry and with accuracy alone."""
    device = torch.device(args.device)
    runtime = Runtime(device, args.precision, args.threads)
    steps = our_steps(args.net, x, y, runtime)
    model = fresh(args.net).to(memory_format=torch.channels_last).to(device)
    images = device_images(x[: args.test], y[: args.test], runtime)
    evaluator = Evaluator(
        model, {"test": images}, 10, ModelConfig(name=args.net).feature_size, EvaluationConfig(), runtime
    )

    def accuracy_alone() -> None:
        with torch.no_grad():
            model.eval()
            hits = torch.zeros(10, device=device)
            for inputs, labels in images.eval_batches(500):
                with runtime.autocast():
                    features = model.features(inputs)
                hits.index_add_(0, labels, (model.logits(features).argmax(1) == labels).float())
            hits.cpu()

    def with_geometry() -> None:
        evaluator.measure("test")

    def epoch(evaluate: Callable[[], None]) -> float:
        started = time.perf_counter()
        for _ in range(args.batches):
            next(steps)
        evaluate()
        return time.perf_counter() - started

    epoch(with_geometry)
    pairs = [(epoch(accuracy_alone), epoch(with_geometry)) for _ in range(args.rounds)]
    evals = [(timed(accuracy_alone), timed(with_geometry)) for _ in range(args.rounds)]
    added = [b - a for a, b in evals]
    whole = statistics.median(a for a, _ in pairs)
    share = statistics.median(added) / whole
    print(
        f"{args.net:9} epoch of {args.batches} batches and {args.test} test images: {whole:.2f} s with accuracy alone; "
        f"geometry adds {1000 * statistics.median(added):.0f} ms = {100 * share:.1f} %"
    )
    return {"epoch_seconds": pairs, "eval_seconds": evals, "share": share}


def timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def together(args: argparse.Namespace, x: np.ndarray, y: np.ndarray) -> dict[str, object]:
    """1, 2 and 4 trainers at once, each with its share of threads: images a second in sum."""
    cores = len(os.sched_getaffinity(0))
    sums: dict[int, float] = {}
    for trainers in (1, 2, 4):
        threads = max(1, cores // trainers)
        command = [sys.executable, __file__, "--data", args.data, "--net", args.net, "--part", "alone"]
        command += ["--threads", str(threads), "--batches", str(args.batches), "--precision", args.precision]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        started = [
            subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(trainers)
        ]
        sums[trainers] = sum(float(child.communicate()[0]) for child in started)
        print(
            f"{args.net:9} {trainers} trainer(s), {threads} thread(s) each: {sums[trainers]:8.1f} images/s in sum, "
            f"x{sums[trainers] / sums[1]:.2f} one after another"
        )
    return {"sum_images_per_second": sums}


def alone(args: argparse.Namespace, x: np.ndarray, y: np.ndarray) -> dict[str, object]:
    keep_freed_memory()
    steps = our_steps(args.net, x, y, Runtime(torch.device(args.device), args.precision, args.threads))
    speed(steps, 3, torch.device(args.device))
    print(speed(steps, args.batches, torch.device(args.device)))
    return {}


def profile(args: argparse.Namespace, x: np.ndarray, y: np.ndarray) -> dict[str, object]:
    """Where the time of our steps goes, by operator."""
    steps = our_steps(args.net, x, y, Runtime(torch.device(args.device), args.precision, args.threads))
    speed(steps, 3, torch.device(args.device))
    with torch.profiler.profile(acc_events=True) as recorded:
        for _ in range(args.batches):
            next(steps)
    rows = sorted(recorded.key_averages(), key=lambda row: -row.self_cpu_time_total)
    total = sum(row.self_cpu_time_total for row in rows)
    shares = {row.key: row.self_cpu_time_total / total for row in rows[:8]}
    for name, share in shares.items():
        print(f"{args.net:9} {100 * share:5.1f} %  {name}")
    return {"share_of_time": shares}


PARTS = {
    "loops": loops,
    "bound": bound,
    "turns": turns,
    "diagnostics": diagnostics,
    "together": together,
    "alone": alone,
    "profile": profile,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="npz with x_train (N, 32, 32, 3) uint8 and y_train")
    parser.add_argument("--net", default="resnet32")
    parser.add_argument("--part", choices=PARTS, default="loops")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="bf16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--test", type=int, default=2000, help="test images of the diagnostics part")
    parser.add_argument(
        "--contender", choices=[*CONTENDERS, *COMPILED], help="of the turns part, which loops starts"
    )
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with np.load(args.data, allow_pickle=False) as arrays:
        x, y = arrays["x_train"], arrays["y_train"]
    facts = {
        "command": " ".join(sys.argv),
        "processor": processor_name(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": args.threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "rounds": args.rounds,
        "batches": args.batches,
        "batch": BATCH,
    }
    if args.device.startswith("cuda"):
        facts["device"] = torch.cuda.get_device_name(args.device)
    if args.part not in ("alone", "turns"):
        print(", ".join(f"{key} {value}" for key, value in facts.items()))
    found = PARTS[args.part](args, x, y)
    if args.json:
        args.json.write_text(json.dumps(facts | found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

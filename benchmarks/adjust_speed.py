"""How long do one setting and the whole strength curve take, beside the plain way?

The plain way is a full softmax and argmax per setting in torch on CPU. Both sides run in this process, on the same
logits, alternating: the plain way with one thread; ours with one, but for curves over many logits, which take up to
four where there are cores. Times are what the clock shows: meant for a machine that does nothing else.

    OMP_NUM_THREADS=1 python benchmarks/adjust_speed.py | tee benchmarks/results/adjust_speed.txt
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from wbtui.adjustment import METHODS, ScoredSet, evaluate, negative_logits, score, strength_curve
from wbtui.cores import usable_cores
from wbtui.metrics import assign_groups

SIZES = ((10_000, 100), (50_000, 1_000))
METHOD_NAMES = ("additive", "multiplicative", "tau_norm_no_bias")
CURVE_STRENGTHS = 200
STRENGTH = 0.65


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    torch.set_num_threads(1)
    print(f"processor: {processor()}; system: {platform.system()} {platform.machine()}")
    print(f"threads: the plain way 1, ours 1, our curves at 50,000 x 1,000 {min(4, usable_cores())}")
    print(f"python {platform.python_version()}, numpy {np.__version__}, torch {torch.__version__}")
    print(f"load average of the machine at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"command: python {' '.join(sys.argv)}")
    print("wall-clock times in ms: median (fastest) of n; ratio = plain / ours, medians\n")
    for n_images, n_classes in SIZES:
        repeats = 31 if n_images < 50_000 else 11
        report(make_set(n_images, n_classes), repeats)
    one_vs_one()


def report(scored: ScoredSet, repeats: int) -> None:
    groups = assign_groups(scored.train_counts, 100, 20)
    print(f"{scored.n_images:,} images x {scored.n_classes:,} classes, n = {repeats}")
    for name in METHOD_NAMES:
        method = METHODS[name]
        ours, plain = alternating(
            lambda m=method: score(scored, groups, m, STRENGTH),
            lambda m=name: plain_labels(scored, m, STRENGTH),
            repeats,
        )
        line(f"  {name}: one setting", ours, plain)
        differ = np.count_nonzero(
            method.predict(scored, None, STRENGTH) != plain_labels(scored, name, STRENGTH)
        )
        print(f"    labels that differ (ties at float32 rounding): {differ}")
        curves = timed(lambda m=method: strength_curve(scored, groups, m), repeats)
        line(
            f"  {name}: exact whole curve, plain = {CURVE_STRENGTHS} settings", curves, plain, CURVE_STRENGTHS
        )
        check_curve(scored, name)
    for title, call in (
        (
            "evaluation with ECE and bootstrap",
            lambda: evaluate(scored, groups, METHODS["additive"], STRENGTH),
        ),
        ("share of negative logits", lambda: negative_logits(scored, METHODS["multiplicative"])),
    ):
        line(f"  {title}", timed(call, max(5, repeats // 3)))
    mapped(scored, repeats)
    print()


def mapped(scored: ScoredSet, repeats: int) -> None:
    """The same from a memory-mapped file in the page cache."""
    groups = assign_groups(scored.train_counts, 100, 20)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logits.npy"
        np.save(path, scored.logits)
        logits = np.load(path, mmap_mode="r")
        again = ScoredSet("test", logits, scored.labels, scored.train_counts)
        method = METHODS["additive"]
        line(
            "  additive, memory-mapped: one setting",
            timed(lambda: score(again, groups, method, STRENGTH), repeats),
        )
        line(
            "  additive, memory-mapped: curve", timed(lambda: strength_curve(again, groups, method), repeats)
        )


def one_vs_one() -> None:
    scored = make_set(*SIZES[0])
    method = METHODS["one_vs_one"]
    print(f"1-vs-1 adjuster, {scored.n_images:,} x {scored.n_classes:,}, n = 5")
    line("  one setting", timed(lambda: method.predict(scored, None, 0.7), 5))


def check_curve(scored: ScoredSet, name: str) -> None:
    """Counts by class against brute force in float64 at random strengths."""
    strengths = np.random.default_rng(1).uniform(0, 3, 500 if scored.n_images < 50_000 else 5)
    curve = strength_curve(scored, assign_groups(scored.train_counts, 100, 20), METHODS[name])
    ours = curve.correct_by_class(strengths)
    z = scored.logits.astype(np.float64)
    log_p = np.log(scored.train_counts / scored.train_counts.sum())
    wrong = 0
    for row, strength in zip(ours, strengths, strict=True):
        if name == "additive":
            adjusted = z - strength * log_p
        elif name == "multiplicative":
            adjusted = z * np.exp(-strength * log_p)
        else:
            adjusted = (z - scored.bias) * scored.classifier_norms**-strength
        right = scored.labels[adjusted.argmax(axis=1) == scored.labels]
        wrong += int((np.bincount(right, minlength=scored.n_classes) != row).sum())
    print(
        f"    class counts that differ from float64 brute force at {strengths.size} random strengths: {wrong}"
    )


def plain_labels(scored: ScoredSet, name: str, strength: float) -> np.ndarray:
    logits = torch.from_numpy(scored.logits)
    log_p = torch.from_numpy(np.log(scored.train_counts / scored.train_counts.sum()).astype(np.float32))
    if name == "additive":
        adjusted = logits - strength * log_p
    elif name == "multiplicative":
        adjusted = logits * torch.exp(-strength * log_p)
    else:
        norms = torch.from_numpy(scored.classifier_norms.astype(np.float32))
        adjusted = (logits - torch.from_numpy(scored.bias.astype(np.float32))) / norms**strength
    return torch.softmax(adjusted, dim=1).argmax(dim=1).numpy()


def make_set(n_images: int, n_classes: int) -> ScoredSet:
    """Balanced images, long-tailed counts (imbalance factor 100), logits that lean to the head; mostly positive."""
    rng = np.random.default_rng(0)
    counts = np.floor(500 * 0.01 ** (np.arange(n_classes) / (n_classes - 1))).astype(np.int64)
    labels = np.repeat(np.arange(n_classes), n_images // n_classes)
    rng.shuffle(labels)
    logits = rng.standard_normal((n_images, n_classes), dtype=np.float32)
    logits += (6 + 0.8 * np.log(counts / counts.sum())).astype(np.float32)
    logits[np.arange(n_images), labels] += 3
    return ScoredSet(
        "test",
        logits,
        labels,
        counts,
        classifier_norms=np.linspace(2, 1, n_classes),
        bias=rng.normal(0, 0.1, n_classes).astype(np.float32),
        class_mean_feature_norms=rng.uniform(1, 2, n_classes),
    )


def alternating(
    ours: Callable[[], object], plain: Callable[[], object], repeats: int
) -> tuple[list[float], list[float]]:
    ours(), plain()
    pairs = [(seconds(ours), seconds(plain)) for _ in range(repeats)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def timed(call: Callable[[], object], repeats: int) -> list[float]:
    call()
    return [seconds(call) for _ in range(repeats)]


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def line(title: str, ours: list[float], plain: list[float] | None = None, settings: int = 1) -> None:
    text = f"{title}: {1e3 * statistics.median(ours):.2f} ({1e3 * min(ours):.2f})"
    if plain is not None:
        total = settings * statistics.median(plain)
        text += f"; plain {1e3 * total:.1f}; ratio {total / statistics.median(ours):.1f}"
    print(text)


def processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for row in info.read_text().splitlines():
            if row.startswith("model name"):
                return row.split(":")[1].strip()
    return platform.processor() or "unknown"


if __name__ == "__main__":
    main()

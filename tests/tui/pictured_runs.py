"""Which runs stand on the pictures of the screens? Made by the store's writer; every machine makes the same bytes.

Curves are quotients of small whole numbers: no exp or log, whose last bit depends on the processor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import finished_runs
import numpy as np
import tomli_w

from wbtui.adjustment import AllAccuracy, method_named
from wbtui.launch import queue_files
from wbtui.presets import resolve
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.report.derived import save_derived
from wbtui.store import atomic, records
from wbtui.store.format import (
    CONFIG,
    HEARTBEAT,
    LOG,
    PROVENANCE,
    SYSTEM,
    Heartbeat,
    Metric,
    ProcessInfo,
    Result,
)
from wbtui.store.notes import edit_tags, set_note, set_star
from wbtui.store.reader import open_run
from wbtui.store.writer import RunWriter

NOW = 1_793_534_400.0
"""What the clock says on every picture: noon of 1 November 2026, UTC."""
ALIVE, HOST = 2213, "node-7"
CLASSES = tuple("0123456789")
LAYERS = ("stem", "stage1.0", "stage1.1", "stage2.0", "stage2.1", "stage3.0", "stage3.1")
GROUPS = {"all": 0.71, "many": 0.94, "medium": 0.70, "few": 0.41}
EPOCH_SECONDS = 2.0
TRACEBACK = """Traceback (most recent call last):
  File "wbtui/training/stage.py", line 118, in train_epoch
    loss = self.loss(logits, labels)
FloatingPointError: the loss is not finite: [red]nan[/red] in batch 7
"""
LONG = "a name that somebody wrote without thinking of the width of any column whatsoever"
WIDE = "長尾認識 の 実験 🦊 naïve"


class Clock:
    """Stands still, unless somebody sets it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Pictured:
    """One run: what it is and how far it has come."""

    number: int
    variant: str = "wd"
    seed: int = 0
    state: str = "finished"
    """finished, stopped, failed, crashed, running, stalled or queued."""
    epochs: int = 60
    total: int = 60
    height: float = 1.0
    """How good its accuracies become, as a share of GROUPS."""
    name: str = ""
    tags: tuple[str, ...] = ()
    star: bool = False
    note: str = ""
    nan_from: int = 10**6
    """The first epoch whose loss and accuracies are no numbers."""
    empty: tuple[str, ...] = ()
    """Groups without classes."""


SIX = (
    Pictured(1, "ce", state="finished", height=0.9, star=True, tags=("base",), note="the one to beat"),
    Pictured(2, "wd", state="failed", epochs=31, nan_from=24, tags=("lr", "too-high")),
    Pictured(3, "wd", seed=1, state="crashed", epochs=17, height=0.95, name=LONG),
    Pictured(4, "wb", state="finished", height=1.02, name=WIDE, empty=("few",)),
    Pictured(5, "wd_fr_etf", state="stalled", epochs=44, height=1.04),
    Pictured(6, "wd_fr_etf", seed=1, state="running", epochs=38, height=1.03),
)
FIFTY = tuple(
    Pictured(
        index + 1,
        variant,
        seed,
        epochs=9 if index == 49 else 12,
        total=12,
        height=0.8 + 0.04 * place + ((7 * seed) % 10) / 100,
        state="running" if index == 49 else "finished",
    )
    for index, (seed, place, variant) in enumerate(
        (seed, place, variant)
        for seed in range(10)
        for place, variant in enumerate(("ce", "wd", "wd_fr_etf", "focal", "wd_cb"))
    )
)


def make_runs(place: Path, clock: Clock) -> None:
    """Make every folder of runs that a picture shows: none, one, six, fifty, waiting, scored."""
    (place / "none").mkdir(parents=True)
    for name, runs in (("one", SIX[-1:]), ("six", SIX), ("fifty", FIFTY)):
        for run in runs:
            make_run(place / name, run, clock)
    waiting = [Pictured(1 + seed, variant, seed, "queued") for variant in ("ce", "wd") for seed in range(2)]
    folders = [
        make_run(place / "waiting", run, clock, number=10 + number) for number, run in enumerate(waiting)
    ]
    queue_files.enqueue(place / "waiting", folders)
    queue_files.write_settings(place / "waiting", queue_files.QueueSettings(paused=True))
    make_run(place / "waiting", SIX[-1], clock)
    _make_scored(place / "scored", clock)


def _make_scored(runs: Path, clock: Clock) -> None:
    """Finished runs with predictions: two settings of three seeds, and an adjustment saved under one."""
    clock.now = NOW - 3600
    for seed in range(3):
        finished_runs.make_run(runs, "ce", seed, tail_bias=2.0)
        folder = finished_runs.make_run(runs, "wd", seed + 4, tail_bias=0.5)
    request = Request(method_named("additive"), AllAccuracy(), choose="val")
    save_derived(open_run(folder), adjust_run(load_material(open_run(folder)), request).derived())
    clock.now = NOW


def make_run(runs: Path, run: Pictured, clock: Clock, number: int | None = None) -> Path:
    """Make the folder of one run; its last epoch lies four seconds back."""
    number = run.number if number is None else number
    folder = (
        runs / f"20261101-{number:06}-digits_lt-{run.variant}-s{run.seed}-{number * 48271 % 65536:04x}7b1e"
    )
    folder.mkdir(parents=True)
    first = run.total - 20 if run.variant == "wb" else run.total  # which has a second stage
    settings = [f"stages.0.epochs={first}", *(["stages.1.epochs=20"] if first < run.total else [])]
    options = {"seed": run.seed, "device": "cpu", **({"name": run.name} if run.name else {})}
    config = resolve("digits_lt", run.variant, settings=settings, options=options).config
    (folder / CONFIG).write_text(tomli_w.dumps(config.model_dump(mode="json")), encoding="utf-8")
    atomic.write_json(folder / PROVENANCE, _provenance(run))
    started = NOW - 4.0 - EPOCH_SECONDS * run.epochs
    if run.state != "queued":
        _write(folder, run, clock, started)
    if run.tags:
        edit_tags(folder, run.tags)
    if run.star:
        set_star(folder, True)
    if run.note:
        set_note(folder, run.note)
    clock.now = NOW
    return folder


def _write(folder: Path, run: Pictured, clock: Clock, started: float) -> None:
    clock.now = started
    with RunWriter.open(folder) as writer:
        writer.event("start", epochs=run.total, classes=len(CLASSES))
        writer.event("stage", stage=0, name="all", epochs=run.total, first_epoch=1)
        for metric in _metrics():
            writer.define(metric)
        for epoch in range(1, run.epochs + 1):
            clock.now = started + EPOCH_SECONDS * epoch
            if epoch == run.nan_from:
                writer.event("alert", epoch=epoch, kind="non_finite_loss", message="the loss is not finite")
            if epoch % 10 == 0 or epoch == run.epochs:
                writer.matrix("test.confusion", epoch, _confusion(epoch))
                writer.matrix("test.cosine", epoch, _cosine(epoch))
            writer.epoch(epoch, 0, _scalars(run, epoch), _vectors(epoch))
        if run.state in ("finished", "failed", "stopped"):
            writer.event("end", outcome=run.state, reason="", error=_error(run))
    (folder / LOG).write_text(_log(run), encoding="utf-8")
    samples = (
        f'{{"t": {started + 5 * place}, "cpu_percent": {96 + place % 7}, "memory_bytes": {650_000_000 + place * 10**6},'
        f' "gpu": {{"percent": {40 + 5 * (place % 9)}, "watts": {180 + place}}}}}\n'
        for place in range(1, 20)
    )
    (folder / SYSTEM).write_text("".join(samples))
    _end(folder, run, started)


def _end(folder: Path, run: Pictured, started: float) -> None:
    """What says how the run stands: a result, or a process and its heartbeat."""
    if run.state in ("running", "stalled"):
        age = {"running": 3.0, "stalled": 95.0}[run.state]
        process = ProcessInfo(1, HOST, "cpu", pid=ALIVE, created=started, written=started)
        records.write_process(folder, process)
        heartbeat = Heartbeat(1, ALIVE, "training", run.epochs + 1, 3, 140.0, 0.05, NOW - age, 0.0, batches=9)
        atomic.write_json(folder / HEARTBEAT, {"version": 1, **vars(heartbeat)})
        return
    reasons = {
        "finished": "all epochs done",
        "failed": "the loss is not finite",
        "crashed": "killed by signal 9",
    }
    result = Result(
        1,
        run.state,  # type: ignore[arg-type]
        reasons[run.state],
        started=started,
        ended=NOW - 4.0,
        epoch=run.epochs,
        final=_scalars(run, run.epochs) if run.state == "finished" else None,
        error=_error(run),
    )
    records.write_result(folder, result)


def _error(run: Pictured) -> str:
    return TRACEBACK if run.state == "failed" else ""


def _log(run: Pictured) -> str:
    lines = [
        f"epoch {epoch:>3}/{run.total}  loss {_scalars(run, epoch)['running.loss']:.3f}"
        for epoch in range(1, run.epochs + 1)
    ]
    return (
        "\n".join(["device cpu, 75,002 parameters", "[bold]not markup[/bold] \x1b[31mnor colour", *lines])
        + "\n"
    )


def _metrics() -> Sequence[Metric]:
    by_class = {"axis": "class", "width": len(CLASSES), "names": CLASSES}
    by_pair = {"axis": "matrix", "width": len(CLASSES), "names": CLASSES}
    return (
        *(
            Metric(f"{split}.accuracy.{group}", "accuracy", "fraction", "higher", group)
            for split in ("test", "validation")
            for group in GROUPS
        ),
        *(Metric(f"{split}.fdr", "fdr", better="higher") for split in ("train", "validation", "test")),
        Metric("bn.scale.mean", "bn_scale"),
        Metric("bn.scale@layer", "bn_scale", axis="layer", width=len(LAYERS), names=LAYERS),
        Metric("test.feature_norm@class", "feature_norm", **by_class),  # type: ignore[arg-type]
        Metric("classifier.norm@class", "classifier_norm", **by_class),  # type: ignore[arg-type]
        Metric("running.loss", "loss", "nats", "lower"),
        Metric("test.loss", "loss", "nats", "lower"),
        Metric("lr", "learning_rate"),
        Metric("test.cosine.inter", "cosine", better="lower"),
        Metric("time.epoch_seconds", "time", "s", "lower"),
        Metric("time.images_per_second", "speed", "images/s", "higher"),
        Metric("test.cosine", "cosine", **by_pair),  # type: ignore[arg-type]
        Metric("test.confusion", "confusion", "images", **by_pair),  # type: ignore[arg-type]
    )


def _scalars(run: Pictured, epoch: int) -> dict[str, float]:
    wobble = ((epoch * 37 + run.number * 11) % 13 - 6) / 400
    grown = run.height * epoch / (epoch + 7) * 1.1 + wobble
    broken = epoch >= run.nan_from
    scalars = {
        f"{split}.accuracy.{group}": float("nan")
        if broken or group in run.empty
        else min(max(share * grown - lag, 0.0), 1.0)
        for split, lag in (("test", 0.0), ("validation", 0.02))
        for group, share in GROUPS.items()
    }
    rate = 1 - (epoch - 1) / run.total
    return scalars | {
        "train.fdr": 300.0 * epoch / (epoch + 20),
        "validation.fdr": 90.0 * epoch / (epoch + 20),
        "test.fdr": (80.0 + run.number % 8) * epoch / (epoch + 20),
        "bn.scale.mean": 1.0 / (1 + epoch / 12),
        "running.loss": float("inf") if broken else 2.3 / (1 + epoch / 6) + abs(wobble),
        "test.loss": float("nan") if broken else 2.3 / (1 + epoch / 9) + 0.3 + abs(wobble),
        "lr": 0.05 * rate,
        "test.cosine.inter": 0.5 / (1 + epoch / 10),
        "time.epoch_seconds": EPOCH_SECONDS,
        "time.images_per_second": 140.0,
    }


def _vectors(epoch: int) -> dict[str, Sequence[float]]:
    return {
        "bn.scale@layer": [1.0 / (1 + epoch * (place + 1) / 40) for place in range(len(LAYERS))],
        "test.feature_norm@class": [
            6.0 - 0.4 * k + epoch / (epoch + 20) * (k % 3) for k in range(len(CLASSES))
        ],
        "classifier.norm@class": [2.0 - 0.15 * k * epoch / (epoch + 10) for k in range(len(CLASSES))],
    }


def _cosine(epoch: int) -> list[list[float]]:
    count = len(CLASSES)
    return [
        [1.0 if i == j else (8 / (1 + abs(i - j)) - 2) / (4 + epoch / 6) for j in range(count)]
        for i in range(count)
    ]


def _confusion(epoch: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    right = [50 * epoch // (epoch + 3 + 2 * k) for k in range(len(CLASSES))]
    matrix = np.zeros((len(CLASSES), len(CLASSES)))
    for k, count in enumerate(right):
        matrix[k, k] = count
        matrix[k, max(k - 1, 0)] += (50 - count) * 2 // 3
        matrix[k, max(k - 4, 0)] += 50 - count - (50 - count) * 2 // 3
    return matrix


def _provenance(run: Pictured) -> dict[str, object]:
    return {
        "version": 1,
        "command": [
            "wbtui",
            "run",
            "--preset",
            "digits_lt",
            "--variant",
            run.variant,
            "--seed",
            str(run.seed),
        ],
        "made": NOW - 600,
        "host": HOST,
        "platform": "Linux-6.1-x86_64",
        "identity": {"device": "cpu", "precision": "fp32", "threads": 1, "processor": "a processor"},
        "versions": {"wbtui": "0.1.0", "python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6", "cuda": ""},
        "model": {"parameters": 75_002, "feature_size": 64},
        "deterministic": True,
    }

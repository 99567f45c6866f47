"""Which run folders is the dashboard measured on? Written by the store's own writer, without training."""

import os
import threading
from pathlib import Path

import numpy as np

from wbtui.store import facts, predictions, records
from wbtui.store.format import Metric, Result
from wbtui.store.writer import RunWriter

GROUPS = ("all", "many", "medium", "few")
CONFIG = """preset = "cifar100_lt"
variant = "wd"
seed = {seed}
[data]
source = "npz"
root = "none"
[[stages]]
epochs = {epochs}
weight_decay = 0.005
"""


def metrics(classes: int) -> tuple[Metric, ...]:
    """What makes six panels."""
    return (
        *(Metric(f"test.accuracy.{group}", "accuracy", "fraction", "higher", group) for group in GROUPS),
        Metric("test.fdr", "fdr", better="higher"),
        Metric("bn.scale.mean", "bn_scale"),
        Metric("test.feature_norm@class", "feature_norm", axis="class", width=classes),
        Metric("classifier.norm@class", "classifier_norm", axis="class", width=classes),
        Metric("test.loss", "loss", "nats", "lower"),
    )


def measured(writer: RunWriter, epoch: int, random: np.random.Generator, classes: int) -> None:
    """Write an epoch as a trainer would."""
    rise = 1 - np.exp(-epoch / 60)
    scalars = {f"test.accuracy.{group}": 0.7 * rise + random.normal(0, 0.01) for group in GROUPS}
    scalars |= {"test.fdr": 60 * rise, "bn.scale.mean": 1 - 0.9 * rise, "test.loss": 4 - 2 * rise}
    norms = np.linspace(6, 2, classes) + random.normal(0, 0.1, classes)
    writer.epoch(epoch, 0, scalars, {"test.feature_norm@class": norms, "classifier.norm@class": norms / 6})


def make_run(
    runs: Path, number: int, epochs: int, total: int, *, finished: bool = True, classes: int = 100
) -> Path:
    """Make a run folder; a later one has a higher number."""
    clock = f"{number // 3600 % 24:02}{number // 60 % 60:02}{number % 60:02}"
    folder = runs / f"20260101-{clock}-x-wd-s{number % 5}-{number:08x}"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG.format(seed=number % 5, epochs=total))
    random = np.random.default_rng(number)
    with RunWriter.open(folder) as writer:
        writer.event("start")
        for metric in metrics(classes):
            writer.define(metric)
        for epoch in range(1, epochs + 1):
            measured(writer, epoch, random, classes)
        if finished:
            writer.event("end", outcome="finished", reason="all epochs done")
    if finished:
        records.write_result(folder, Result(1, "finished", "all epochs done", 0, started=1.0, ended=9.0))
    return folder


def give_predictions(folder: Path, images: int, classes: int) -> None:
    """Store the predictions of a run whose head classes have the larger logits; a tenth of them for validation."""
    random = np.random.default_rng(0)
    counts = np.round(500 * (1 / 100) ** (np.arange(classes) / (classes - 1))).astype(np.int64)

    def split(n_images: int) -> predictions.SplitPredictions:
        labels = np.arange(n_images) % classes
        logits = random.standard_normal((n_images, classes), dtype=np.float32)
        logits += np.log(counts, dtype=np.float32) / 2
        logits[np.arange(n_images), labels] += 3
        return predictions.SplitPredictions(logits, labels)

    norms = np.linspace(2, 1, classes)
    predictions.write_predictions(
        folder,
        {"validation": split(images // 10), "test": split(images)},
        predictions.Classifier(counts, norms, norms, None),
        predictions.PredictionsMeta("final", 8, "", (), (), ""),
    )


class Trainer:
    """Plays a trainer while it is open: an epoch a second, a heartbeat with each.

    Args:
        folder: Of a run that is not finished.
        classes: How many it has.
    """

    def __init__(self, folder: Path, classes: int = 100) -> None:
        self._folder, self._classes = folder, classes
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._train, daemon=True)

    def __enter__(self) -> "Trainer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _train(self) -> None:
        random = np.random.default_rng(1)
        process = facts.process_info(1, pid=os.getpid(), process_group=os.getpgid(0))
        records.write_process(self._folder, process)
        beat = records.HeartbeatWriter(self._folder)
        with RunWriter.open(self._folder) as writer:
            epoch = writer.last_epoch
            beat.beat("training", epoch + 1, 1, batches=100)
            while not self._ended.wait(1.0):
                epoch += 1
                measured(writer, epoch, random, self._classes)
                beat.beat("training", epoch + 1, 1, batches=100)

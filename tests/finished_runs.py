"""Run folders as a trainer leaves them, made without one: small, and every figure is known."""

import hashlib
from pathlib import Path

import numpy as np
import tomli_w

from wbtui.config import RunConfig
from wbtui.presets import resolve
from wbtui.store import atomic
from wbtui.store import format as run_format
from wbtui.store.format import Metric, Result
from wbtui.store.predictions import Classifier, PredictionsMeta, SplitPredictions
from wbtui.store.records import write_result
from wbtui.store.writer import RunWriter

COUNTS = (100, 65, 42, 27, 18, 11, 7, 5, 3, 2)
CLASSES = len(COUNTS)
EPOCHS = 20
GROUPS = ("all", "many", "medium", "few")
_IMAGES_PER_CLASS = {"validation": 20, "test": 50}


def config_of(variant: str = "wd", seed: int = 0, *settings: str) -> RunConfig:
    return resolve(
        "digits_lt", variant, settings=[f"stages.0.epochs={EPOCHS}", *settings], options={"seed": seed}
    ).config


def predictions_of(split: str, seed: int, tail_bias: float = 1.0) -> SplitPredictions:
    """Positive logits of a net that leans to frequent classes; labels in order, so equal between runs."""
    rng = np.random.default_rng([seed, len(split)])
    labels = np.repeat(np.arange(CLASSES), _IMAGES_PER_CLASS[split])
    logits = rng.gamma(4.0, 1.0, (len(labels), CLASSES)) + tail_bias * np.log(COUNTS)
    logits[np.arange(len(labels)), labels] += 4.0
    return SplitPredictions(logits.astype(np.float32), labels)


def accuracies(split: SplitPredictions) -> dict[str, float]:
    """All and the groups, computed here on their own: thresholds 30 and 8 of the digits preset."""
    right = split.logits.argmax(axis=1) == split.labels
    by_class = np.array([right[split.labels == k].mean() for k in range(CLASSES)])
    counts = np.array(COUNTS)
    of = {"all": counts > 0, "many": counts > 30, "medium": (counts >= 8) & (counts <= 30), "few": counts < 8}
    return {group: float(by_class[mask].mean()) for group, mask in of.items()}


def make_run(
    runs: Path,
    variant: str = "wd",
    seed: int = 0,
    *settings: str,
    digits: str = "",
    validation: bool = True,
    finished: bool = True,
    tail_bias: float = 1.0,
) -> Path:
    """A run that has come to its end (or stands in epoch 7); returns its folder."""
    config = config_of(variant, seed, *settings)
    tail = digits or hashlib.sha256(repr((variant, seed, settings, validation)).encode()).hexdigest()[:8]
    folder = runs / f"20261123-11450{seed % 10}-digits_lt-{variant}-s{seed}-{tail}"
    folder.mkdir(parents=True)
    (folder / run_format.CONFIG).write_text(tomli_w.dumps(config.model_dump(mode="json")))
    atomic.write_json(folder / run_format.PROVENANCE, _provenance(config))
    splits = {name: predictions_of(name, seed, tail_bias) for name in ("validation", "test")}
    if not validation:
        del splits["validation"]
    with RunWriter.open(folder) as writer:
        _write_epochs(writer, splits, EPOCHS if finished else 7)
        if finished:
            final = _figures(splits, 1.0) | {"train.fdr": 300.0 + seed, "test.fdr": 80.0 + seed}
            checkpoint = b"x" * 5000
            (folder / run_format.CHECKPOINT).write_bytes(checkpoint)
            meta = PredictionsMeta("last", EPOCHS, "none", class_names=tuple("0123456789"))
            writer.predictions(splits, classifier(), meta)
            writer.event(
                "end", outcome="finished", reason="all epochs done", final=final, best={}, best_epoch=None
            )
    if finished:
        result = Result(1, "finished", "all epochs done", 0, None, 1e9, 1e9 + 65, EPOCHS, final)
        write_result(folder, result)
    return folder


def classifier() -> Classifier:
    norms = np.linspace(2.0, 1.0, CLASSES).astype(np.float32)
    return Classifier(
        np.array(COUNTS), np.linspace(1, 2, CLASSES).astype(np.float32), norms, np.zeros(CLASSES, np.float32)
    )


def _figures(splits: dict[str, SplitPredictions], share: float) -> dict[str, float]:
    return {
        f"{name}.accuracy.{group}": share * value
        for name, split in splits.items()
        for group, value in accuracies(split).items()
    }


def _write_epochs(writer: RunWriter, splits: dict[str, SplitPredictions], epochs: int) -> None:
    writer.event("start", epochs=EPOCHS, classes=CLASSES)
    for name in splits:
        for group in GROUPS:
            writer.define(Metric(f"{name}.accuracy.{group}", "accuracy", "fraction", "higher", group))
        writer.define(Metric(f"{name}.fdr", "fdr", better="higher"))
        writer.define(Metric(f"{name}.feature_norm@class", "feature_norm", axis="class", width=CLASSES))
        writer.define(Metric(f"{name}.cosine", "cosine", axis="matrix", width=CLASSES))
    for name in ("train.fdr", "running.loss", "bn.scale.mean"):
        writer.define(Metric(name, {"train.fdr": "fdr", "running.loss": "loss"}.get(name, "bn_scale")))
    for epoch in range(1, epochs + 1):
        scalars = _figures(splits, epoch / EPOCHS) | {
            "running.loss": 2.0 / epoch,
            "bn.scale.mean": 1.0 - 0.01 * epoch,
        }
        scalars |= {f"{name}.fdr": 4.0 * epoch for name in splits} | {"train.fdr": 10.0 * epoch}
        vectors = {f"{name}.feature_norm@class": np.arange(CLASSES) + epoch for name in splits}
        if epoch == epochs:
            for name in splits:
                writer.matrix(f"{name}.cosine", epoch, np.eye(CLASSES))
        writer.epoch(epoch, 0, scalars, vectors)


def _provenance(config: RunConfig) -> dict[str, object]:
    return {
        "version": 1,
        "identity": {"device": "cpu", "precision": "fp32", "threads": 1, "processor": "test"},
        "versions": {"wbtui": "0.1.0", "python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6", "cuda": ""},
        "data": {
            "fingerprint": f"{config.data.source}-{config.data.split_rule}-{config.data.imbalance_factor}",
            "split_rule": config.data.split_rule,
            "description": "exponential, IF 50",
            "train_counts": list(COUNTS),
            "images": {"train": 280, "validation": 200, "test": 500},
            "many_above": config.data.many_above,
            "few_below": config.data.few_below,
        },
    }

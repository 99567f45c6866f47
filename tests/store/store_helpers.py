"""What a small run measures, for tests that need one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from wbtui.store.format import Metric
from wbtui.store.predictions import Classifier, PredictionsMeta, SplitPredictions
from wbtui.store.writer import RunWriter

C, LAYERS = 4, 3
CONFIG = """
preset = "tiny"
variant = "wd"
seed = 7
name = "mine"
[data]
imbalance_factor = 10.0
[model]
name = "mlp"
[[stages]]
epochs = 6
weight_decay = 0.005
"""
METRICS = (
    Metric("test.accuracy.all", "accuracy", "fraction", "higher", "all"),
    Metric("test.accuracy.few", "accuracy", "fraction", "higher", "few"),
    Metric("validation.accuracy.all", "accuracy", "fraction", "higher", "all"),
    Metric("test.fdr", "fdr", better="higher"),
    Metric("test.accuracy@class", "accuracy", axis="class", width=C, names=("a", "b", "c", "d")),
    Metric("bn.scale@layer", "bn_scale", axis="layer", width=LAYERS),
    Metric("test.cosine", "cosine", axis="matrix", width=C),
)

Make = Callable[..., Path]
Opened = Callable[[], AbstractContextManager[list[str]]]
"""Collects the names of the files and folders that are opened meanwhile."""


def measure(writer: RunWriter, epoch: int, seed: int = 0) -> None:
    """Epoch `epoch` of a run that depends on nothing but `seed`."""
    rng = np.random.default_rng((seed, epoch))
    if epoch % 2 == 0:
        writer.matrix("test.cosine", epoch, rng.random((C, C)))
    vectors = {"test.accuracy@class": rng.random(C)}
    if epoch != 2:
        vectors["bn.scale@layer"] = rng.random(LAYERS)
    writer.epoch(
        epoch,
        0,
        {
            "test.accuracy.all": epoch / 10,
            "test.accuracy.few": epoch / 20,
            "validation.accuracy.all": 1 - abs(epoch - 3) / 10,
            "test.fdr": float("nan") if epoch == 1 else float(epoch),
        },
        vectors,
    )


def predict(writer: RunWriter) -> PredictionsMeta:
    rng = np.random.default_rng(1)
    splits = {
        name: SplitPredictions(rng.normal(size=(n, C)).astype(np.float32), rng.integers(0, C, n))
        for name, n in (("test", 20), ("validation", 8))
    }
    classifier = Classifier(np.array([40, 20, 8, 4]), rng.random(C), rng.random(C), rng.random(C))
    return writer.predictions(
        splits, classifier, PredictionsMeta("last", 6, "none", class_names=tuple("abcd"))
    )

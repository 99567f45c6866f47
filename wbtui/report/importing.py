"""How do somebody else's predictions become a finished run that can be adjusted and compared?"""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

import wbtui
from wbtui.config import flatten
from wbtui.errors import UsageError
from wbtui.metrics import Groups, assign_groups, summarise_accuracy
from wbtui.metrics.accuracy import accuracy_by_class
from wbtui.presets.layers import Layer, overlay
from wbtui.report.figures import accuracy_figures
from wbtui.report.imported import Imported
from wbtui.store import atomic
from wbtui.store.errors import StoreWriteError
from wbtui.store.format import CONFIG, FORMAT_VERSION, PROVENANCE, Metric, Result
from wbtui.store.ids import new_id
from wbtui.store.notes import edit_tags
from wbtui.store.predictions import PredictionsMeta
from wbtui.store.records import write_result
from wbtui.store.setting import IMPORTED
from wbtui.store.writer import RunWriter

_SAID_BY = {
    "variant": "--variant",
    "name": "--name",
    "seed": "--seed",
    "data.root": "--logits",
    "data.many_above": "--groups",
    "data.few_below": "--groups",
}


@dataclass(frozen=True)
class Labels:
    """How the run is called and grouped."""

    variant: str
    """Its method."""

    seed: int = 0
    name: str = ""
    tags: Sequence[str] = field(default=())
    many_above: int = 100
    few_below: int = 20
    tta: str = "none"


def make_imported_run(runs: Path, imported: Imported, labels: Labels, command: Sequence[str] = ()) -> Path:
    """Make a finished run folder of predictions.

    Args:
        runs: the folder of runs; made if missing.
        imported: see `read_predictions`.
        labels: what it is called.
        command: the command line, for provenance.

    Returns:
        The run folder.

    Raises:
        UsageError: thresholds that overlap, a tag, or a name, seed or path that no run's configuration takes; no folder
            is left behind.
        StoreWriteError: the folder cannot be written; none is left behind.
    """
    counts = imported.classifier.train_counts
    try:
        groups = assign_groups(counts, labels.many_above, labels.few_below)
    except ValueError as error:
        raise UsageError(f"--groups: {error}") from None
    config = _config(imported, labels)
    overlay(Layer(_SAID_BY.get(key, str(imported.origin)), {key: value}) for key, value in flatten(config))
    folder = runs / new_id(IMPORTED, labels.variant, labels.seed)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise StoreWriteError(folder, error) from error
    try:
        _fill(folder, imported, labels, config, groups, command)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _fill(
    folder: Path,
    imported: Imported,
    labels: Labels,
    config: Mapping[str, Any],
    groups: Groups,
    command: Sequence[str],
) -> None:
    atomic.write_bytes(folder / CONFIG, tomli_w.dumps(config).encode())
    atomic.write_json(folder / PROVENANCE, _provenance(imported, labels, command))
    figures: dict[str, float] = {}
    for split, found in imported.splits.items():
        classes = len(imported.classifier.train_counts)
        by_class = accuracy_by_class(found.labels, found.logits.argmax(axis=1), classes)
        summary = summarise_accuracy(by_class, groups)
        figures |= accuracy_figures(split, summary)
    started = time.time()
    _write(folder, imported, labels, figures)
    reason = f"imported from {imported.origin.name}"
    write_result(folder, Result(1, "finished", reason, 0, None, started, time.time(), 1, figures))
    edit_tags(folder, add=[IMPORTED, *labels.tags])


def _config(imported: Imported, labels: Labels) -> dict[str, Any]:
    """Only what is known: nothing is said of a net or of stages."""
    return {
        "preset": IMPORTED,
        "variant": labels.variant,
        "name": labels.name,
        "seed": labels.seed,
        "data": {
            "source": "npz",
            "root": str(imported.origin.absolute()),
            "profile": "natural",
            "split_rule": "holdout" if "validation" in imported.splits else "full",
            "classes": len(imported.classifier.train_counts),
            "many_above": labels.many_above,
            "few_below": labels.few_below,
        },
        "evaluation": {"tta": labels.tta},
    }


def _provenance(imported: Imported, labels: Labels, command: Sequence[str]) -> dict[str, Any]:
    return {
        "version": FORMAT_VERSION,
        "command": list(command),
        "made": time.time(),
        "imported": str(imported.origin.absolute()),
        "code": {"version": wbtui.__version__},
        "data": {
            "description": "imported predictions",
            "train_counts": imported.classifier.train_counts.tolist(),
            "images": {name: len(split.labels) for name, split in imported.splits.items()},
            "many_above": labels.many_above,
            "few_below": labels.few_below,
        },
    }


def _write(folder: Path, imported: Imported, labels: Labels, figures: Mapping[str, float]) -> None:
    with RunWriter.open(folder) as writer:
        writer.event("start", epochs=1, classes=len(imported.classifier.train_counts))
        for name in figures:
            writer.define(Metric(name, "accuracy", "fraction", "higher", name.rsplit(".", 1)[-1]))
        writer.epoch(1, 0, figures)
        meta = PredictionsMeta(weights="last", epoch=1, tta=labels.tta, class_names=imported.class_names)
        writer.predictions(imported.splits, imported.classifier, meta)
        writer.event("end", outcome="finished", reason="imported", final=figures, best={}, best_epoch=None)

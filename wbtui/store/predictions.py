"""What of a trained net is kept so that its logits can be adjusted without torch?"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wbtui.store import arrays, atomic, bounded
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import FORMAT_VERSION, PREDICTIONS, PREDICTIONS_META, SPLIT_NAME

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SplitPredictions:
    """Logits and labels of one split, rows in the split's own order."""

    logits: Floats
    """(N, C) float32."""
    labels: Integers
    """(N,) int64, class ids."""


@dataclass(frozen=True)
class Classifier:
    """What logit adjustment needs of the training data and of the classifier."""

    train_counts: Integers
    """(C,) n_k, training images of each class."""
    class_mean_feature_norms: Floats
    """(C,) ‖μ_k‖, norm of the mean training feature of each class."""
    norms: Floats
    """(C,) ‖w_k‖."""
    bias: Floats | None
    """(C,) b_k; None for a classifier without bias."""


@dataclass(frozen=True)
class PredictionsMeta:
    """Which weights made the predictions; predictions/meta.json."""

    weights: str
    """last or best_validation."""
    epoch: int
    """The epoch after which these weights stood."""
    tta: str
    """none or flip."""
    splits: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    fingerprint: str = ""
    """sha256 over the arrays, by name: what a derived result was computed from. The writer fills it in."""


def write_predictions(
    folder: Path, splits: Mapping[str, SplitPredictions], classifier: Classifier, meta: PredictionsMeta
) -> PredictionsMeta:
    """Write predictions/*.npy, each in one step, and meta.json last: it says that the set is complete.

    Args:
        folder: The run folder.
        splits: validation and test, where the run has them.
        classifier: What adjustment needs beside the logits.
        meta: Which weights these are of; `splits` and `fingerprint` are filled in.

    Returns:
        The meta that was written.

    Raises:
        ValueError: shapes that do not fit each other.
        StoreWriteError: meta.json is then absent; the call may be repeated.
    """
    named = _arrays(splits, classifier)
    digest = hashlib.sha256()
    atomic.make_folder(folder / PREDICTIONS)
    try:
        (folder / PREDICTIONS_META).unlink(missing_ok=True)
        if classifier.bias is None:
            (folder / PREDICTIONS / "classifier_bias.npy").unlink(missing_ok=True)
    except OSError as error:
        raise StoreWriteError(folder / PREDICTIONS, error) from error
    for name, array in sorted(named.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data if array.size else b"")
        with atomic.replacing(folder / PREDICTIONS / f"{name}.npy") as file:
            np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
    written = PredictionsMeta(
        meta.weights, meta.epoch, meta.tta, tuple(sorted(splits)), meta.class_names, digest.hexdigest()
    )
    atomic.write_json(folder / PREDICTIONS_META, {"version": FORMAT_VERSION, **vars(written)})
    return written


def _arrays(splits: Mapping[str, SplitPredictions], classifier: Classifier) -> dict[str, npt.NDArray[Any]]:
    counts = np.ascontiguousarray(classifier.train_counts, dtype="<i8")
    C = len(counts)
    named: dict[str, npt.NDArray[Any]] = {
        "train_counts": counts,
        "class_mean_feature_norms": np.ascontiguousarray(classifier.class_mean_feature_norms, dtype="<f4"),
        "classifier_norms": np.ascontiguousarray(classifier.norms, dtype="<f4"),
    }
    if classifier.bias is not None:
        named["classifier_bias"] = np.ascontiguousarray(classifier.bias, dtype="<f4")
    for name, array in named.items():
        if array.shape != (C,):
            raise ValueError(f"{name}: shape {array.shape}; expected ({C},)")
    for split, given in splits.items():
        if not SPLIT_NAME.fullmatch(split):
            raise ValueError(f"split name {split!r}: expected a-z, 0-9, _")
        logits = np.ascontiguousarray(given.logits, dtype="<f4")
        labels = np.ascontiguousarray(given.labels, dtype="<i8")
        if logits.ndim != 2 or logits.shape[1] != C or labels.shape != logits.shape[:1]:
            raise ValueError(
                f"{split}: logits {logits.shape} and labels {labels.shape} do not fit {C} classes"
            )
        named[f"{split}_logits"], named[f"{split}_labels"] = logits, labels
    return named


def read_meta(folder: Path) -> PredictionsMeta:
    """predictions/meta.json.

    Raises:
        StoreReadError: absent (no complete predictions) or broken.
    """
    try:
        value = bounded.read_json(folder, PREDICTIONS_META)
    except FileNotFoundError:
        raise StoreReadError(
            f"{bounded.shown(folder)}: no predictions yet; they are written when a run finishes"
        ) from None
    texts = {key: value.get(key) for key in ("weights", "tta", "fingerprint")}
    epoch = value.get("epoch")
    names = {key: value.get(key, []) for key in ("splits", "class_names")}
    if (
        type(epoch) is not int
        or not all(isinstance(item, str) for item in texts.values())
        or not all(
            isinstance(item, list) and all(isinstance(name, str) for name in item) for item in names.values()
        )
    ):
        raise StoreReadError(
            f"{bounded.shown(folder, PREDICTIONS_META)}: a field is missing or of another type"
        )
    return PredictionsMeta(
        weights=str(texts["weights"]),
        epoch=epoch,
        tta=str(texts["tta"]),
        splits=tuple(names["splits"]),
        class_names=tuple(names["class_names"]),
        fingerprint=str(texts["fingerprint"]),
    )


def read_split(folder: Path, split: str) -> SplitPredictions:
    """Logits and labels of a split.

    Raises:
        StoreReadError: absent, broken, or not fitting each other.
    """
    if not SPLIT_NAME.fullmatch(split):
        raise StoreReadError(f"{bounded.shown(folder)}: {split!r} is no name of a split")
    logits = arrays.read_npy(folder, f"{PREDICTIONS}/{split}_logits.npy", np.float32, 2)
    labels = arrays.read_npy(folder, f"{PREDICTIONS}/{split}_labels.npy", np.int64, 1)
    if len(logits) != len(labels):
        raise StoreReadError(
            f"{bounded.shown(folder, PREDICTIONS)}: {split}: {len(logits)} logits, {len(labels)} labels"
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < logits.shape[1]:
        raise StoreReadError(f"{bounded.shown(folder, PREDICTIONS)}: {split} has labels outside its classes")
    return SplitPredictions(logits, labels)


def read_classifier(folder: Path) -> Classifier:
    """Counts, norms and bias.

    Raises:
        StoreReadError: absent, broken, or not fitting each other.
    """
    counts = arrays.read_npy(folder, f"{PREDICTIONS}/train_counts.npy", np.int64, 1)
    floats = {
        name: arrays.read_npy(folder, f"{PREDICTIONS}/{name}.npy", np.float32, 1)
        for name in ("class_mean_feature_norms", "classifier_norms", "classifier_bias")
        if name != "classifier_bias" or os.path.lexists(folder / PREDICTIONS / "classifier_bias.npy")
    }
    for name, array in floats.items():
        if len(array) != len(counts):
            raise StoreReadError(
                f"{bounded.shown(folder, PREDICTIONS)}: {name} has {len(array)} entries, not {len(counts)}"
            )
    return Classifier(
        counts, floats["class_mean_feature_norms"], floats["classifier_norms"], floats.get("classifier_bias")
    )

"""How are somebody else's predictions read: arrays of .npz and .npy files, checked and held against each other?"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wbtui.data.source_images import printable
from wbtui.errors import UsageError
from wbtui.store import arrays
from wbtui.store.predictions import Classifier, SplitPredictions
from wbtui.store.text import plain

Arrays = Mapping[str, npt.NDArray[Any]]
Floats = npt.NDArray[np.float32]

_LOGITS = ("test_logits", "logits")
_LABELS = ("test_labels", "labels")
_COUNTS = ("train_counts", "counts", "cls_num_list")
_VALIDATION_LOGITS = ("validation_logits", "val_logits")
_VALIDATION_LABELS = ("validation_labels", "val_labels")
_NORMS = ("class_mean_feature_norms", "classifier_norms")
_BY_CLASS = (*_NORMS, "classifier_bias")
_NAMES = "class_names"
_KNOWN = {*_LOGITS, *_LABELS, *_COUNTS, *_VALIDATION_LOGITS, *_VALIDATION_LABELS, *_BY_CLASS, _NAMES}
_OF_NUMBERS = set("0123456789+-., ")
_MOST_COUNTS = 1_000_000
_MOST_TEXT = 16 << 20  # bytes
_UTF_32 = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"  # how numpy holds text
_MOST_IMAGES = 2**53  # of a class: more a float does not count one by one


@dataclass(frozen=True)
class Sources:
    """Where each array is: .npz or .npy files; for counts also numbers apart by commas, for names lines of text."""

    logits: Path
    labels: Path | None = None
    counts: str = ""
    validation_logits: Path | None = None
    validation_labels: Path | None = None
    class_names: Path | None = None


@dataclass(frozen=True, eq=False)
class Imported:
    """Predictions as they were read and checked."""

    splits: Mapping[str, SplitPredictions]
    classifier: Classifier
    origin: Path
    unknown: Sequence[str] = ()
    """Arrays beside the logits whose names mean nothing here."""

    class_names: tuple[str, ...] = ()
    """Of each column of the logits; empty: nobody named them."""


def read_predictions(sources: Sources) -> Imported:
    """Read and check arrays; nothing is unpickled, and sizes are bounded before memory is taken.

    The archive of the logits may hold everything: test_logits or logits (N, C), test_labels or labels (N,),
    train_counts or counts (C,), validation_logits and validation_labels (or val_logits and val_labels),
    classifier_norms, classifier_bias, class_mean_feature_norms and class_names, each (C,).

    Raises:
        UsageError: a file or an array is missing, or shapes, types or values do not fit each other.
    """
    archive = arrays.safe_arrays(sources.logits, texts=(_NAMES,))
    logits = _logits(_array(archive, _LOGITS, sources.logits, alone=True), sources.logits)
    C = logits.shape[1]
    counts = _counts(sources, archive, C)
    labels = _labels(_from(sources.labels, archive, _LABELS, sources.logits), logits, "test")
    splits = {"test": SplitPredictions(logits, labels)}
    validation = _validation(sources, archive, C)
    if validation is not None:
        splits["validation"] = validation
    classifier = Classifier(
        train_counts=counts,
        class_mean_feature_norms=_by_class(archive, "class_mean_feature_norms", C, np.nan),
        norms=_by_class(archive, "classifier_norms", C, np.nan),
        bias=_by_class(archive, "classifier_bias", C, 0.0) if "classifier_bias" in archive else None,
    )
    unknown = sorted(set(archive) - _KNOWN) if len(archive) > 1 else []
    return Imported(splits, classifier, sources.logits, unknown, _class_names(sources, archive, C))


def passed_over(imported: Imported) -> str:
    """Which arrays beside the logits nothing was made of; empty: every one was known."""
    if not imported.unknown:
        return ""
    some = ", ".join(map(plain, imported.unknown[:10])) + (", ..." if len(imported.unknown) > 10 else "")
    return (
        f"not taken from {plain(imported.origin.name)}: {some} (`wbtui import -h` says which names are known)"
    )


def without_images(imported: Imported) -> list[str]:
    """A sentence on each split that lacks images of some class."""
    said = []
    C = imported.classifier.train_counts.size
    for split, predictions in imported.splits.items():
        there = np.bincount(predictions.labels, minlength=C) > 0
        missing = np.flatnonzero(~there)
        if missing.size:
            called = [imported.class_names[k] if imported.class_names else str(k) for k in missing[:10]]
            some = plain(", ".join(called)) + (", ..." if missing.size > 10 else "")
            said.append(
                f"{split} has no image of class {some}: All is the mean over the other {there.sum()} of {C}"
            )
    return said


def _from(path: Path | None, archive: Arrays, names: Sequence[str], where: Path) -> npt.NDArray[Any]:
    return (
        _array(archive, names, where)
        if path is None
        else _array(arrays.safe_arrays(path), names, path, alone=True)
    )


def _array(archive: Arrays, names: Sequence[str], where: Path, *, alone: bool = False) -> npt.NDArray[Any]:
    """The array of one of these names; `alone`: or the only one there is, whatever its name."""
    for name in names:
        if name in archive:
            return archive[name]
    if alone and len(archive) == 1:
        return next(iter(archive.values()))
    there = ", ".join(plain(name) for name in list(archive)[:20]) or "nothing"
    raise UsageError(
        f"{plain(str(where))}: no array {' or '.join(names)}; it holds {there}; expected it there or in a file "
        "of its own (--labels, --counts, --val-labels)"
    )


def _logits(values: npt.NDArray[Any], where: Path) -> Floats:
    fits = values.ndim == 2 and values.shape[0] >= 1 and values.shape[1] >= 2
    if not fits or not np.issubdtype(values.dtype, np.floating):
        raise UsageError(
            f"{plain(str(where))}: logits are {values.dtype} of shape {values.shape}; expected floats (N, C), "
            "N >= 1 images of C >= 2 classes"
        )
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(values, dtype=np.float32)
    wrong = ~np.isfinite(found).all(axis=1)
    if wrong.any():
        raise UsageError(
            f"{plain(str(where))}: logits hold NaN, infinity or more than float32 takes; the first image with one "
            f"is {int(wrong.argmax())}"
        )
    return found


def _labels(values: npt.NDArray[Any], logits: Floats, split: str) -> npt.NDArray[np.int64]:
    values = values[:, 0] if values.shape == (len(logits), 1) else values
    if values.shape != logits.shape[:1] or not np.issubdtype(values.dtype, np.integer):
        raise UsageError(
            f"{split} labels are {values.dtype} of shape {values.shape}; expected integers of shape "
            f"({logits.shape[0]},), one for each row of logits"
        )
    if values.size and not 0 <= int(values.min()) <= int(values.max()) < logits.shape[1]:
        raise UsageError(
            f"{split} labels run from {values.min()} to {values.max()}; expected 0..{logits.shape[1] - 1}"
        )
    return values.astype(np.int64)


def _counts(sources: Sources, archive: Arrays, C: int) -> npt.NDArray[np.int64]:
    text = sources.counts
    if text and (not Path(text).suffix or set(text) <= _OF_NUMBERS):
        try:
            values = np.array([int(word) for word in text.split(",")[:_MOST_COUNTS]])
        except ValueError:
            raise UsageError(
                f"--counts {plain(text)[:80]}: expected a .npz or .npy file or whole numbers, e.g. 500,300,5"
            ) from None
    else:
        path = Path(text) if text else None
        values = _from(path, archive, _COUNTS, sources.logits)
    expected = f"expected {C} whole numbers from 1 on, training images of each column of the logits"
    if values.shape != (C,) or not np.issubdtype(values.dtype, np.integer):
        raise UsageError(f"training counts: {values.dtype} of shape {values.shape}; {expected}")
    wrong = (values < 1) | (values > _MOST_IMAGES)
    if wrong.any():
        first = int(wrong.argmax())
        raise UsageError(f"training counts: class {first} has {values[first]}; {expected}")
    return values.astype(np.int64)


def _validation(sources: Sources, archive: Arrays, C: int) -> SplitPredictions | None:
    if sources.validation_logits is None and not set(archive) & set(_VALIDATION_LOGITS):
        return None
    where = sources.validation_logits or sources.logits
    found = _from(sources.validation_logits, archive, (*_VALIDATION_LOGITS, "logits"), where)
    logits = _logits(found, where)
    if logits.shape[1] != C:
        raise UsageError(f"{plain(str(where))}: validation has {logits.shape[1]} classes and test {C}")
    names = (*_VALIDATION_LABELS, "labels")
    if sources.validation_labels is not None:
        labels = _array(
            arrays.safe_arrays(sources.validation_labels), names, sources.validation_labels, alone=True
        )
    elif sources.validation_logits is not None:
        labels = _array(arrays.safe_arrays(where), names, where)
    else:  # what is called `labels` beside the test logits belongs to them
        labels = _array(archive, _VALIDATION_LABELS, where)
    return SplitPredictions(logits, _labels(labels, logits, "validation"))


def _by_class(archive: Arrays, name: str, C: int, missing: float) -> Floats:
    if name not in archive:
        return np.full(C, missing, dtype=np.float32)
    values = archive[name]
    with np.errstate(over="ignore"):
        fits = values.shape == (C,) and np.issubdtype(values.dtype, np.number)
        found = values.astype(np.float32) if fits else None
    if found is None or not np.isfinite(found).all():
        raise UsageError(
            f"{name}: {values.dtype} of shape {values.shape}; expected {C} finite numbers that float32 takes"
        )
    if name in _NORMS and (found < 0).any():
        first = int((found < 0).argmax())
        raise UsageError(f"{name}: class {first} has {found[first]:g}; expected norms, 0 or more")
    return found


def _class_names(sources: Sources, archive: Arrays, C: int) -> tuple[str, ...]:
    path = sources.class_names
    if path is not None:
        names, where = _lines(path), str(path)
    elif _NAMES in archive:
        names, where = _texts(archive[_NAMES]), f"{sources.logits}: {_NAMES}"
    else:
        return ()
    if len(names) != C:
        raise UsageError(
            f"{plain(where)}: {len(names)} class names; expected {C}, one for each column of the logits"
        )
    return tuple(map(printable, names))


def _lines(path: Path) -> list[str]:
    """The lines of a text file; those that are empty at its end are none."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_TEXT + 1)
    except OSError as error:
        raise UsageError(f"--class-names {plain(str(path))}: cannot be read: {error.strerror}") from error
    if len(data) > _MOST_TEXT or b"\0" in data:
        raise UsageError(f"--class-names {plain(str(path))}: expected a text file, a name a line")
    return [line.strip() for line in data.decode("utf-8-sig", "replace").rstrip().splitlines()]


def _texts(values: npt.NDArray[Any]) -> list[str]:
    """The texts of a row of bytes or characters, what is no character of Unicode replaced."""
    if values.ndim != 1:
        raise UsageError(f"{_NAMES}: {values.dtype} of shape {values.shape}; expected a name for each column")
    if values.dtype.kind == "S":
        return [name.decode("utf-8", "replace") for name in values.tolist()]
    data, size = values.tobytes(), values.dtype.itemsize  # as bytes: numpy refuses what is no character
    return [data[at : at + size].decode(_UTF_32, "replace").rstrip("\0") for at in range(0, len(data), size)]

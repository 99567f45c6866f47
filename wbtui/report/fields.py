"""By which words can runs be filtered and sorted, and what does each mean of a run?"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from wbtui.store.summary import RunSummary

Kind = Literal["word", "text", "number", "percent", "flag"]
"""word: compared as a whole, `*` and `?` stand for anything; text: looked for anywhere; number; percent: a
fraction that people read and type in percent; flag: yes or no."""

Reading = str | tuple[str, ...] | float | bool | None


@dataclass(frozen=True)
class Field:
    """One word of the filter language."""

    kind: Kind
    read: Callable[[RunSummary], Reading]
    means: str
    """For help."""


def _last(name: str) -> Callable[[RunSummary], float | None]:
    return lambda row: row.last.get(name)


FIELDS: dict[str, Field] = {
    "id": Field("word", lambda row: (row.id, row.id.rsplit("-", 1)[-1]), "run id, or its last 8 digits"),
    "state": Field("word", lambda row: row.state, "queued, running, stalled, finished, failed ..."),
    "preset": Field("word", lambda row: row.preset, "data preset"),
    "variant": Field("word", lambda row: row.variant, "method"),
    "model": Field("word", lambda row: row.model, "net"),
    "device": Field("word", lambda row: row.device, "device as configured"),
    "tag": Field("word", lambda row: row.tags, "one of its tags"),
    "name": Field("text", lambda row: row.name, "name of the user's own"),
    "note": Field("text", lambda row: row.note, "note"),
    "star": Field("flag", lambda row: row.star, "yes or no"),
    "seed": Field("number", lambda row: row.seed, "seed"),
    "wd": Field("number", lambda row: row.weight_decay, "weight decay of the first stage"),
    "if": Field("number", lambda row: row.imbalance_factor, "imbalance factor"),
    "epoch": Field("number", lambda row: row.epoch, "epochs done"),
    "epochs": Field("number", lambda row: row.total_epochs, "epochs of all stages"),
    "all": Field("percent", _last("test.accuracy.all"), "test accuracy of all classes, percent"),
    "many": Field("percent", _last("test.accuracy.many"), "test accuracy of Many (head) classes, percent"),
    "medium": Field("percent", _last("test.accuracy.medium"), "test accuracy of Medium classes, percent"),
    "few": Field("percent", _last("test.accuracy.few"), "test accuracy of Few (tail) classes, percent"),
    "val": Field("percent", _last("validation.accuracy.all"), "validation accuracy, percent"),
    "fdr": Field("number", _last("test.fdr"), "Fisher's discriminant ratio, test"),
    "bn": Field("number", _last("bn.scale.mean"), "mean BatchNorm scale"),
    "loss": Field("number", _last("test.loss"), "test loss, nats"),
    "derived": Field("number", lambda row: row.derived, "saved adjustments"),
    "size": Field("number", lambda row: row.size, "bytes on disk"),
    "time": Field("number", lambda row: row.started, "Unix seconds of the start"),
}

ALIASES = {
    "weight_decay": "wd",
    "imbalance_factor": "if",
    "run": "id",
    "head": "many",
    "med": "medium",
    "tail": "few",
    "tags": "tag",
    "net": "model",
    "starred": "star",
    "started": "time",
}


def field_named(name: str) -> Field | None:
    """The field of that name or alias, in any case; None: there is none."""
    key = name.lower()
    return FIELDS.get(ALIASES.get(key, key))


def number_of(reading: Reading) -> float:
    """A reading as a number; NaN where there is none."""
    return float(reading) if isinstance(reading, int | float) else math.nan


def sort_key(field: Field, row: RunSummary) -> tuple[bool, float | str]:
    """Whether a row has no value of this field, and what it is ordered by."""
    reading = field.read(row)
    if isinstance(reading, str):
        return reading == "", reading.lower()
    if isinstance(reading, tuple):
        words = " ".join(reading).strip().lower()
        return words == "", words
    value = number_of(reading)
    return math.isnan(value), value


def sorted_rows(rows: list[RunSummary], field: Field, *, descending: bool) -> list[RunSummary]:
    """Rows in the order of a field, stable; those without a value last whichever way."""
    keyed = [(sort_key(field, row), row) for row in rows]
    there = [(key[1], row) for key, row in keyed if not key[0]]
    there.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in there] + [row for key, row in keyed if key[0]]

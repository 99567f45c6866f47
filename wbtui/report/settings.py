"""Which runs are seeds of one setting, and in what do settings differ?"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wbtui.report.table import Column, Table, text_cell
from wbtui.store.reader import Run
from wbtui.store.setting import configuration, is_imported, setting_key, setting_of
from wbtui.store.text import plain

_ABSENT = "-"
_FEW = 3
"""Differing keys that a label names of every setting, if that suffices to tell them apart."""


@dataclass(frozen=True, eq=False)
class Setting:
    """Runs that differ in nothing but their seed."""

    label: str
    """Its variant or name; with the keys that tell it from others of the same variant."""

    values: Mapping[str, Any]
    """Configuration by dotted key, defaults filled in."""

    runs: tuple[Run, ...]

    @property
    def n(self) -> int:
        """Seeds."""
        return len(self.runs)


def fold_seeds(runs: Iterable[Run]) -> list[Setting]:
    """Put seeds of one setting together, settings in the order of their first run.

    Raises:
        StoreReadError: a configuration cannot be read.
    """
    return fold_configured([(run, configuration(run)) for run in runs])


def fold_configured(runs: Iterable[tuple[Run, Mapping[str, Any]]]) -> list[Setting]:
    """The same of runs whose configurations have been read: by dotted key, defaults filled in."""
    folded: dict[str, tuple[dict[str, Any], list[Run]]] = {}
    for run, whole in runs:
        values = setting_of(whole)
        folded.setdefault(setting_key(whole), (values, []))[1].append(run)
    found = list(folded.values())
    labels = _labels([values for values, _ in found])
    return [Setting(label, values, tuple(runs)) for label, (values, runs) in zip(labels, found, strict=True)]


def _labels(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The variant of each setting, with the preset where several stand beside each other, and with what differs."""
    presets = {values.get("preset") for values in settings}
    short = [
        " ".join(
            str(values[key])
            for key in (("preset", "variant") if len(presets) > 1 else ("variant",))
            if values.get(key)
        )
        or "custom"
        for values in settings
    ]
    labels = [""] * len(settings)
    for own in dict.fromkeys(short):
        places = [place for place, label in enumerate(short) if label == own]
        for place, words in zip(places, _telling([settings[place] for place in places]), strict=True):
            labels[place] = plain(f"{own} ({words})" if words else own)
    return labels


def _telling(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """What of each setting tells it from the others: the first keys that differ, where these do.

    Else all in which it has not the value that most have; a setting that is as most are has nothing to say then.
    """
    keys = [key for key in differing_keys(settings) if key not in ("preset", "variant")]
    leaves = Counter(map(_leaf, keys))
    called = {key: _leaf(key) if leaves[_leaf(key)] == 1 else key for key in keys}

    def words(values: Mapping[str, Any], said: Iterable[str]) -> str:
        return ", ".join(f"{called[key]} {shown_value(values.get(key))}" for key in said)

    first = [words(values, keys[:_FEW]) for values in settings]
    if len(set(first)) == len(first):
        return first
    usual = {key: Counter(repr(values.get(key)) for values in settings).most_common(1)[0][0] for key in keys}
    return [
        words(values, (key for key in keys if repr(values.get(key)) != usual[key])) for values in settings
    ]


def _leaf(key: str) -> str:
    return key.rsplit(".", 1)[-1]


def differing_keys(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys of configurations whose values are not the same in all; labels last."""
    found = keys_that_differ(settings, [*map(is_imported, settings)])
    return sorted(found, key=lambda key: key in ("preset", "variant"))


def keys_that_differ(told: Sequence[Mapping[str, Any]], imported: Sequence[bool]) -> list[str]:
    """Keys whose values are not the same in all.

    Args:
        told: What is told of each, by key.
        imported: Which are of predictions that another program made: what was not given with those is not known, and
            no difference.
    """
    known = [*zip(told, imported, strict=True)]
    return [
        key
        for key in dict.fromkeys(key for one in told for key in one)
        if len({repr(one.get(key, _ABSENT)) for one, foreign in known if key in one or not foreign}) > 1
    ]


def _unknown_of(settings: Sequence[Setting]) -> tuple[str, ...]:
    """A note on those settings that are known only as far as somebody said it; empty: there are none."""
    imported = [setting.label for setting in settings if is_imported(setting.values)]
    if not imported or len(imported) == len(settings):
        return ()
    return (f"of {', '.join(imported)} only what was given with the predictions is known",)


def shown_value(value: object) -> str:
    """A value of a configuration for people."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        return ", ".join(shown_value(item) for item in value) or "[]"
    return _ABSENT if value is None or value == "" else plain(str(value))


def difference_table(settings: Sequence[Setting]) -> Table:
    """Differing configuration only: a row a key, a column a setting."""
    values = [setting.values for setting in settings]
    columns = (
        Column("key", "configuration", right=False),
        *(
            Column(setting.label, setting.label, right=False, drop=max(0, index - 1), wrap=True)
            for index, setting in enumerate(settings)
        ),
    )
    rows = tuple(
        (text_cell(key), *(text_cell(shown_value(one.get(key))) for one in values))
        for key in differing_keys(values)
        if key not in ("preset", "variant")
    )
    same = () if rows else ("the configurations are the same",)
    return Table(columns, rows, notes=(*same, *_unknown_of(settings)))

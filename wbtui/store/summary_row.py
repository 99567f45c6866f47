"""How does a run's summary become a row of the index, and back, whoever wrote the index?"""

import math
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from wbtui.store.format import STATES
from wbtui.store.jsonio import number, numbers
from wbtui.store.summary import KEY_FIGURES, RunSummary


def to_row(summary: RunSummary) -> dict[str, Any]:
    """The JSON object of a row; fields at their default are left out."""
    return {
        item.name: getattr(summary, item.name) for item in fields(summary) if _differs(summary, item.name)
    }


_EMPTY = RunSummary(id="", path="")


def _differs(summary: RunSummary, name: str) -> bool:
    return bool(getattr(summary, name) != getattr(_EMPTY, name))


def from_row(row: object, runs: Path) -> RunSummary:
    """The row of a JSON object from an index that anybody may have written.

    Raises:
        ValueError: a field is of another type.
    """
    if not isinstance(row, dict):
        raise ValueError("a row is no object")
    values: dict[str, Any] = {}
    for name, value in row.items():
        check = _CHECKS.get(name)
        if check is None or not check(value):
            raise ValueError(f"{name}: {value!r:.60}")
        values[name] = tuple(value) if type(value) is list else value
    for name in ("last", "best"):
        if name in values:
            values[name] = numbers(values[name])
    run_id = values.get("id", "")
    if not run_id or "/" in run_id or run_id in (".", ".."):
        raise ValueError(f"id: {run_id!r:.60}")
    values["path"] = _beginning(runs) + run_id
    return RunSummary(**values)


@lru_cache(maxsize=8)
def _beginning(runs: Path) -> str:
    """What all paths in a folder begin with; joining a thousand of them one by one is slow."""
    return str(runs / "_").removesuffix("_")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _is_count(value: object) -> bool:
    return type(value) is int and abs(value) < 2**63


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_real(value: object) -> bool:
    return (type(value) is float or type(value) is int) and math.isfinite(cast(float, value))


def _is_reals(value: object) -> bool:
    return isinstance(value, list) and (
        ({*map(type, value)} == {float} and math.isfinite(sum(value)))  # nearly all are so
        or all(map(_is_real, value))
    )


def _is_figures(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= _KEY_FIGURES
        and ({*map(type, value.values())} == {float} or all(map(_is_figure, value.values())))
    )


def _is_figure(value: object) -> bool:
    return value is not None and number(value) is not None


_KEY_FIGURES = frozenset(KEY_FIGURES)


_CHECKS: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(
        ("id", "path", "evidence", "preset", "variant", "name", "device", "model", "setting", "note"),
        _is_text,
    ),
    **dict.fromkeys(("end_outcome", "end_reason", "problem"), _is_text),
    **dict.fromkeys(
        ("seed", "attempt", "epoch", "total_epochs", "taken_over", "best_epoch", "non_finite_epoch"),
        _is_count,
    ),
    **dict.fromkeys(("derived", "size", "bad_lines"), _is_count),
    **dict.fromkeys(("settled", "star"), _is_flag),
    **dict.fromkeys(("weight_decay", "imbalance_factor", "started", "updated"), _is_real),
    **dict.fromkeys(("last", "best"), _is_figures),
    "state": lambda value: isinstance(value, str) and value in STATES,
    **dict.fromkeys(("tags", "typed"), _is_texts),
    "trend": _is_reals,
}

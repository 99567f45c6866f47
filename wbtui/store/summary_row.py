"""How does a run's summary become a row of the index, and back, whoever wrote the index?"""

import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

from wbtui.store.format import STATES
from wbtui.store.jsonio import number
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
        if name not in _CHECKS or not _CHECKS[name](value):
            raise ValueError(f"{name}: {value!r:.60}")
        values[name] = tuple(value) if isinstance(value, list) else value
    for name in ("last", "best"):
        if name in values:
            values[name] = {key: number(item) for key, item in values[name].items()}
    run_id = values.get("id", "")
    if not run_id or "/" in run_id or run_id in (".", ".."):
        raise ValueError(f"id: {run_id!r:.60}")
    return RunSummary(**(values | {"path": str(runs / run_id)}))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return type(value) is int and abs(value) < 2**63


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_real(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(cast(float, value))


def _is_figures(value: object) -> bool:
    return isinstance(value, dict) and all(
        key in KEY_FIGURES and item is not None and number(item) is not None for key, item in value.items()
    )


_CHECKS: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(
        ("id", "path", "evidence", "preset", "variant", "name", "device", "model", "note"), _is_text
    ),
    **dict.fromkeys(("end_outcome", "end_reason", "problem"), _is_text),
    **dict.fromkeys(("seed", "attempt", "epoch", "total_epochs", "best_epoch"), _is_count),
    **dict.fromkeys(("derived", "size", "bad_lines"), _is_count),
    **dict.fromkeys(("settled", "star"), _is_flag),
    **dict.fromkeys(("weight_decay", "imbalance_factor", "started", "updated"), _is_real),
    **dict.fromkeys(("last", "best"), _is_figures),
    "state": lambda value: isinstance(value, str) and value in STATES,
    "tags": lambda value: isinstance(value, list) and all(isinstance(tag, str) for tag in value),
    "trend": lambda value: isinstance(value, list) and all(_is_real(item) for item in value),
}

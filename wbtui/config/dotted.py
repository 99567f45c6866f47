"""Which dotted keys has a nested table?"""

import re
from collections.abc import Iterator, Mapping
from typing import Any


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of a nested table by dotted key; tables in a list by their index, lists of plain values are leaves.

    An empty table in a list is a leaf too: it sets nothing, but that it is there says how long the list is.
    """
    for key, value in table.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flatten(value, dotted + ".")
        elif isinstance(value, (list, tuple)) and value and all(isinstance(item, Mapping) for item in value):
            for index, item in enumerate(value):
                yield from flatten(item, f"{dotted}.{index}.") if item else [(f"{dotted}.{index}", {})]
        else:
            yield dotted, tuple(value) if isinstance(value, list) else value


def stage_of(key: str) -> int | None:
    """Index of the stage that a dotted key belongs to, 0 of `stages.0.loss.name`; None where it belongs to none."""
    found = re.match(r"stages\.(\d+)(?:\.|$)", key)
    return int(found[1]) if found else None

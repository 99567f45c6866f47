"""What is wrong in a run's config.toml: a few words a key, with its value and what was expected."""

from typing import TYPE_CHECKING

from wbtui.errors import expectation

if TYPE_CHECKING:
    from pydantic import ValidationError

_MOST = 3
"""Mistakes named one by one."""
_LONGEST = 60
"""Characters of a value."""


def mistakes(error: "ValidationError") -> str:
    """`seed = 'abc': expected a valid integer; ...`, in pydantic's order.

    Of a list with a wrong value inside pydantic may say that it is too short without it: only the value is named.
    """
    said = []
    found = error.errors(include_url=False)
    inside = {item["loc"][:depth] for item in found for depth in range(1, len(item["loc"]))}
    for item in found:
        if item["loc"] in inside:
            continue
        key = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            said.append(f"{key}: no such key in this version")
        elif item["type"] in ("value_error", "missing"):
            said.append(f"{key}: {message}" if key else message)
        else:
            value = repr(item["input"])
            value = value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
            said.append(f"{key} = {value}: {expectation(item['type'], item['msg'])}")
    said = list(dict.fromkeys(said))
    more = f"; and {len(said) - _MOST} more" if len(said) > _MOST else ""
    return "; ".join(said[:_MOST]) + more

"""How do numbers become JSON and strangers' JSON become values?

Written JSON never holds NaN or Infinity: NaN is null, infinities are the strings "inf" and "-inf".
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from wbtui.store.format import MAX_DEPTH

_INFINITIES = {"inf": math.inf, "-inf": -math.inf}


def encode(value: object) -> bytes:
    """One line of compact JSON, without its newline.

    Raises:
        TypeError: something in `value` is no JSON (numpy scalars are taken).
    """
    try:
        text = json.dumps(
            value, allow_nan=False, separators=(",", ":"), ensure_ascii=True, default=_plain_number
        )
    except ValueError:  # somewhere a NaN or an infinity; rare, so only then walk through
        text = json.dumps(
            _finite(value), allow_nan=False, separators=(",", ":"), ensure_ascii=True, default=_plain_number
        )
    return text.encode("ascii")


def _plain_number(value: object) -> object:
    item = getattr(value, "item", None)  # numpy scalars, 0-d tensors
    if item is None:
        raise TypeError(f"{type(value).__name__} is no JSON value")
    return _finite(item())


def _finite(value: object) -> object:
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def decode(data: bytes) -> Any:
    """The value of JSON bytes from anywhere.

    Raises:
        ValueError: not UTF-8, not JSON, NaN or Infinity, or nested deeper than MAX_DEPTH.
    """
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH}") from None
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    return value


def _check_depth(value: object) -> None:
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return
    raise ValueError(f"nested deeper than {MAX_DEPTH}")


def number(value: object) -> float | None:
    """The float that `encode` wrote (null is NaN, "inf" and "-inf" infinities); None if it is no number."""
    if value is None:
        return math.nan
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return _INFINITIES.get(value) if isinstance(value, str) else None


def numbers(value: object) -> dict[str, float]:
    """A JSON object's numbers by name; what is no number is left out."""
    if not isinstance(value, dict):
        return {}
    found: dict[str, float] = {}
    for key, item in value.items():
        real = item if type(item) is float else number(item)  # nearly all are, and there are very many
        if real is not None:
            found[key] = real
    return found

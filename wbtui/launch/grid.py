"""Which runs does one command line with lists in it mean? Every list multiplies."""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wbtui.errors import UsageError

MOST_RUNS = 2_000
_OPENING, _CLOSING, _QUOTES = "[{(", "]})", "\"'"


@dataclass(frozen=True)
class Point:
    """One run of a grid."""

    variant: str
    seed: str
    """As typed; empty: not given."""

    settings: tuple[str, ...]
    """`KEY=VALUE` texts."""

    source: str = ""
    """The run whose stages are taken over, as typed; empty: none is."""


def split_list(text: str) -> list[str]:
    """The parts of `a,b,c`; commas inside brackets or quotes do not split, so a list-valued key stays whole."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif character == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += character
    return [part.strip() for part in parts]


def split_seeds(text: str) -> list[str]:
    """The parts of `0,2-4`, ranges one by one: 0, 2, 3, 4. What is no range stays as it is."""
    seeds: list[str] = []
    for part in split_list(text):
        found = re.fullmatch(r"([0-9]{1,9})-([0-9]{1,9})", part)
        first, last = map(int, found.groups()) if found else (1, 0)
        seeds += map(str, range(first, min(last, first + MOST_RUNS) + 1)) if first <= last else [part]
    return seeds


def expand(variant: str, seed: str, settings: Iterable[str], source: str = "") -> list[Point]:
    """Every combination, seeds (and runs that have them) innermost, so that the seeds of one setting stand together.

    Raises:
        UsageError: an empty part, a value named twice, or more than 2,000 runs.
    """
    axes = [
        _values("--variant", variant, split_list(variant)),
        *(_setting_values(text) for text in settings),
        _values("--seed", seed, split_seeds(seed)),
        _values("--from", source, split_list(source)),
    ]
    size = 1
    for axis in axes:
        size *= len(axis)
    if size > MOST_RUNS:
        raise UsageError(f"these lists multiply to at least {size} runs; expected at most {MOST_RUNS}")
    return [
        Point(variant, seed, tuple(settings), source)
        for variant, *settings, seed, source in itertools.product(*axes)
    ]


def _values(option: str, text: str, values: Sequence[str]) -> Sequence[str]:
    if text and not all(values):
        raise UsageError(f"{option} {text}: a value is missing between the commas")
    if len(set(values)) < len(values):
        raise UsageError(f"{option} {text}: a value stands there twice")
    return values


def _setting_values(text: str) -> Sequence[str]:
    key, equals, value = text.partition("=")
    if not equals:
        return [text]
    return [f"{key}={part}" for part in _values(f"--set {key}", value, split_list(value))]

"""What is said of a configuration that cannot be: where it stands, what was expected, what was meant?"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any

from pydantic import BaseModel, ValidationError

from wbtui.catalog import nearest
from wbtui.config import RunConfig, flatten
from wbtui.errors import expectation

_SHORT = {
    "lr": "learning_rate",
    "wd": "weight_decay",
    "decay": "weight_decay",
    "bs": "batch_size",
    "batch": "batch_size",
    "epoch": "epochs",
    "if": "imbalance_factor",
    "imbalance": "imbalance_factor",
    "dataset": "source",
    "net": "model",
}
"""What people write for the last part of a key."""

_MOST_MEANT = 4  # keys that a hint names


def misnumbered(
    stages: Iterable[str], wanted: Sequence[str], values: Mapping[str, Any], origins: Mapping[str, str]
) -> str:
    """What to say of stages that are not numbered as wanted: the first odd one, and which key is meant."""
    odd = next(key for key in stages if key not in wanted)
    leaf = next(key for key in values if f"{key}.".startswith(f"stages.{odd}."))
    meant = "" if odd.isdigit() else _meant(leaf, values)
    return f"{origins[leaf]}: stages.{odd}: stages are numbered from 0 without a gap; " + (
        meant or f"the stages here are {', '.join(sorted(stages))}"
    )


def explained(error: ValidationError, values: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    """What to say of everything that pydantic refused: a line each, with the layer to blame before it.

    Args:
        error: what pydantic found.
        values: what was set, by dotted key.
        origins: where each value came from.
    """
    lines = []
    items = error.errors(include_url=False)
    broken = [item["loc"] for item in items]
    for item in items:
        key = ".".join(str(part) for part in item["loc"])
        if item["type"] == "too_short" and any(loc[:1] == item["loc"] and len(loc) > 1 for loc in broken):
            continue  # pydantic counts only stages without a mistake of their own
        where = _origin_of(key, item["msg"], origins)
        prefix = f"{where}: " if where else ""
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            lines.append(f"{prefix}{_no_such_key(item['loc'], values)}")
        elif item["type"] == "value_error" and key not in values:
            lines.append(f"{prefix}{key + ': ' if key else ''}{message}")
        else:
            message = (
                "expected [[stages]], a table a stage"
                if (key, item["type"]) == ("stages", "tuple_type")
                else expectation(item["type"], item["msg"])
            )
            if item["type"] == "literal_error" and isinstance(item["input"], str):
                message += nearest(item["input"], re.findall(r"'([^']+)'", item["msg"]))
            lines.append(f"{prefix}{key} = {shown(item['input'])}: {message}")
    return "\n".join(dict.fromkeys(lines))


def _origin_of(key: str, message: str, origins: Mapping[str, str]) -> str:
    """The layer to blame: that of the key, of the keys a message names, or of the section's values."""
    whole = re.sub(r"\.\d+$", "", key)  # of a number in a list
    if key in origins or whole in origins:
        return origins.get(key) or origins[whole]
    inside = [where for dotted, where in origins.items() if key and dotted.startswith(key + ".")]
    if key and "." not in key and key not in RunConfig.model_fields:
        return ", ".join(dict.fromkeys(inside))
    named = [where for dotted, where in origins.items() if "." in dotted and dotted in message]
    if not named and (stage := re.match(r"Value error, (stages\.\d+)\.", message)):
        named = [where for dotted, where in origins.items() if dotted.startswith(stage[1] + ".")]
    named = named or [
        where
        for dotted, where in origins.items()
        if key and dotted.startswith(key + ".") and dotted.rsplit(".", 1)[1] in message
    ]
    if not named and message.startswith("Tuple should have"):  # nothing is wrong but how many there are
        named = inside
    return ", ".join(dict.fromkeys(named))


def _no_such_key(loc: tuple[int | str, ...], values: Mapping[str, Any]) -> str:
    """What to say of an unknown key: the key that is meant, else the nearest, with all that the section has."""
    key = ".".join(str(part) for part in loc)
    names = _section_fields(loc[:-1])
    near = nearest(str(loc[-1]), names)
    whole = next((name for name in values if name.startswith(f"{key}.")), key)
    if meant := _meant(key, values) or ("" if near else _meant(whole, values)):
        return f"{whole}: no such key; {meant}"
    return f"{key}: no such key{near}" + (f"; expected one of {', '.join(names)}" if names else "")


def _meant(key: str, values: Mapping[str, Any]) -> str:
    """Which deeper keys a key may stand for whose last part, or what it is short for, ends theirs; or nothing.

    Args:
        key: the unknown key, e.g. `epochs` or `stages.0.lr`.
        values: what was set, by dotted key: it tells how many stages there are.
    """
    section, _, last = key.rpartition(".")
    leaf = last.lower().replace("-", "_")
    endings = (f".{_SHORT.get(leaf, leaf)}", f".{_SHORT.get(leaf, leaf)}.name")
    numbers = [re.match(r"stages\.(\d{1,3})\.", name) for name in values]
    stages = sorted({int(number[1]) for number in numbers if number})
    known = [name for name, _ in flatten(RunConfig().model_dump())]
    every = [
        name.replace("stages.0.", f"stages.{stage}.", 1)
        for name in known
        for stage in (stages or [0])
        if name.startswith("stages.") or stage == (stages or [0])[0]
    ]
    found = [name for name in every if f".{name}".endswith(endings)]
    inside = [name for name in found if section and name.startswith(f"{section}.")]
    shown = inside or found
    if not shown:
        return ""
    more = " ..." if len(shown) > _MOST_MEANT else ""
    return f"did you mean {' or '.join(shown[:_MOST_MEANT])}{more}?"


def _section_fields(loc: tuple[int | str, ...]) -> list[str]:
    section: Any = RunConfig
    for part in loc:
        if isinstance(part, int):
            continue
        annotation = section.model_fields[part].annotation
        inner = getattr(annotation, "__args__", (annotation,))[0]
        section = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None
        if section is None:
            return []
    return list(section.model_fields)


def shown(value: Any) -> str:
    """As it stands in a file, where Python writes it otherwise."""
    text = str(value).lower() if isinstance(value, bool) else repr(_listed(value))
    text = str(value) if isinstance(value, date | time) else text
    return text if len(text) <= 80 else text[:77] + "..."


def _listed(value: Any) -> Any:
    """With brackets as TOML writes lists; they are tuples here."""
    return [_listed(item) for item in value] if isinstance(value, tuple) else value

"""How is a configuration written as TOML that explains itself?

Each value stands below its docstring, which names its unit, what else it may be, and its default. Reading the text
back gives the same configuration.
"""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import tomli_w
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from wbtui.config import RunConfig
from wbtui.store.text import plain

_WIDTH = 100
_BOUNDS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
    ("maxLength", "at most {} characters"),
)


def commented_toml(config: RunConfig, origins: Mapping[str, str] | None = None) -> str:
    """A configuration as TOML with comments.

    Args:
        config: what to write.
        origins: where values came from, by dotted key; the others are said to be the default.
    """
    head = [
        "# A run of wbtui. Every value stands below what it means; those at their default may be left out.",
        "# Use: wbtui run --config FILE",
        "",
    ]
    return "\n".join([*head, *_section(config, "", origins or {})]).rstrip() + "\n"


def _section(section: BaseModel, prefix: str, origins: Mapping[str, str]) -> Iterator[str]:
    """Plain values first: in TOML they end where the first table begins."""
    fields = type(section).model_fields
    schema = type(section).model_json_schema()
    later = []
    for name, field in fields.items():
        value = getattr(section, name)
        if _is_table(value):
            later.append((name, field, value))
            continue
        yield from _comment(field.description or "")
        yield from _comment(_allowed(field, schema["properties"][name]))
        yield f"# {_default(field)}" + _origin(origins, f"{prefix}{name}")
        yield _assignment(name, value)
        yield ""
    for name, field, value in later:
        for index, inner in enumerate(value if isinstance(value, tuple) else (value,)):
            path = f"{prefix}{name}"
            yield from _comment(field.description or "")
            yield f"[[{path}]]" if isinstance(value, tuple) else f"[{path}]"
            yield ""
            # Values of a table below a list are told from those of its siblings by the list's index.
            yield from _inner(
                inner, path, f"{path}.{index}." if isinstance(value, tuple) else f"{path}.", origins
            )


def _inner(section: BaseModel, table: str, dotted: str, origins: Mapping[str, str]) -> Iterator[str]:
    below = {key.removeprefix(dotted): origin for key, origin in origins.items() if key.startswith(dotted)}
    for line in _section(section, "", below):
        opening = line.startswith("[")
        yield line.replace("[", f"[{table}.", 1) if opening and not line.startswith("[[") else line


def _is_table(value: object) -> bool:
    return isinstance(value, BaseModel) or (
        isinstance(value, tuple) and bool(value) and isinstance(value[0], BaseModel)
    )


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"


def _allowed(field: FieldInfo, schema: Mapping[str, Any]) -> str:
    """What a value may be, from its JSON schema."""
    if "enum" in schema:
        return "One of: " + ", ".join(str(choice) for choice in schema["enum"]) + "."
    limits = [words.format(schema[key]) for key, words in _BOUNDS if key in schema]
    kind = {"integer": "Whole number", "number": "Number", "string": "Text", "boolean": "true or false"}
    word = kind.get(str(schema.get("type")), "List of numbers" if _is_list(field) else "")
    return f"{word}{', ' if word and limits else ''}{', '.join(limits)}." if word or limits else ""


def _is_list(field: FieldInfo) -> bool:
    return bool(get_args(field.annotation))


def _default(field: FieldInfo) -> str:
    return f"Default: {_assignment('x', field.default).removeprefix('x = ')}"


def _origin(origins: Mapping[str, str], key: str) -> str:
    # Plain: a line break in it would end the comment.
    return f"; from {plain(origins[key])}" if key in origins else ""


def _assignment(name: str, value: object) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    return " ".join(tomli_w.dumps({name: plain}).split("\n")).strip()

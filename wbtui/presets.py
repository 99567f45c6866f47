"""Where are presets and variants found, and how do they overlay into one configuration?

A preset (`NAME.toml`) says which data and recipe, a variant (`variants/NAME.toml`) which method; both hold the keys of
`RunConfig`. Layers, later ones win: defaults, the preset and what it extends, the variant and what it extends (after
each of them the preset's own strengths for it, `[variants.NAME]`), `--config FILE`, `--set KEY=VALUE` and the options
that stand for one key. Every value remembers the layer it came from.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ValidationError

from wbtui.catalog import nearest
from wbtui.config import RunConfig, flatten
from wbtui.errors import UsageError, expectation

MAX_TOML_BYTES = 1_000_000
_HEADER = ("extends", "summary", "default_variant", "variants")
_PACKAGE = Path(__file__).parent
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


@dataclass(frozen=True)
class Layer:
    """The values of one file or option, by dotted key, and where they stand."""

    origin: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class PresetFile:
    """One TOML file of a preset or variant, read but not yet overlaid."""

    name: str
    path: Path
    place: str
    """here (./presets), user (the user's configuration folder) or shipped."""

    summary: str
    extends: str
    default_variant: str
    values: Mapping[str, Any]
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """A data preset's own strengths, by variant."""


@dataclass(frozen=True)
class Resolved:
    """A configuration and, for each key that was set, where its value came from."""

    config: RunConfig
    origins: Mapping[str, str]


def places() -> list[tuple[str, Path]]:
    """The folders that presets are looked for in, first found wins."""
    beside_source, inside_wheel = _PACKAGE.parent / "presets", _PACKAGE / "_presets"
    shipped = inside_wheel if inside_wheel.is_dir() else beside_source
    user = platformdirs.user_config_path("wbtui") / "presets"
    here = Path.cwd() / "presets"
    found = [("here", here), ("user", user), ("shipped", shipped)]
    return found[1:] if here.resolve() == shipped.resolve() else found


def preset_paths() -> dict[str, tuple[str, Path]]:
    """Every data preset: name -> (place, file)."""
    return _paths(".")


def variant_paths() -> dict[str, tuple[str, Path]]:
    """Every variant: name -> (place, file)."""
    return _paths("variants")


def _paths(folder: str) -> dict[str, tuple[str, Path]]:
    found: dict[str, tuple[str, Path]] = {}
    for place, root in places():
        for path in sorted((root / folder).glob("*.toml")):
            found.setdefault(path.stem, (place, path))
    return found


def load_preset(name: str) -> PresetFile:
    """The data preset of that name; UsageError names the nearest one."""
    return _load("preset", name, preset_paths())


def load_variant(name: str) -> PresetFile:
    """The variant of that name; UsageError names the nearest one."""
    return _load("variant", name, variant_paths())


def resolve(
    preset: str = "",
    variant: str = "",
    config_file: Path | None = None,
    settings: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Resolved:
    """The configuration that these layers make.

    Args:
        preset: name of a data preset; empty with `config_file` alone.
        variant: name of a variant; empty: the preset's default one.
        config_file: a TOML of `RunConfig` keys, for example the `config.toml` of a run.
        settings: `KEY=VALUE` texts, VALUE as in TOML, quotes around a plain word may be left out.
        options: values of options that stand for one key, by dotted key (`{"seed": 1}`).

    Raises:
        UsageError: a name, key, type, range or combination that cannot be, with file, key and what was expected.
    """
    layers = list(_preset_layers(preset, variant))
    if config_file is not None:
        layers.append(Layer(str(config_file), dict(flatten(read_toml(config_file)))))
    layers.extend(_setting(text) for text in settings)
    for key, value in (options or {}).items():
        layers.append(Layer(f"--{key.rsplit('.', 1)[-1].replace('_', '-')}", {key: value}))
    return overlay(layers)


def overlay(layers: Iterable[Layer]) -> Resolved:
    """Lay layers over one another and validate what results."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for key, value in layer.values.items():
            values[key], origins[key] = value, layer.origin
    data = _nest(values, origins)
    try:
        return Resolved(RunConfig.model_validate(data), origins)
    except ValidationError as error:
        raise UsageError(_explain(error, values, origins)) from None


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file of the user's; UsageError says what is wrong with it, with its line."""
    try:
        if path.stat().st_size > MAX_TOML_BYTES:
            raise UsageError(f"{path}: larger than {MAX_TOML_BYTES} bytes; expected a TOML of settings")
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; expected a TOML of settings") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None


def _load(kind: str, name: str, paths: Mapping[str, tuple[str, Path]]) -> PresetFile:
    if name not in paths:
        raise UsageError(
            f"no {kind} is called {name!r}{nearest(name, paths)}; expected one of {', '.join(sorted(paths))} "
            "(`wbtui presets` lists them)"
        )
    place, path = paths[name]
    table = read_toml(path)
    header = {key: table.pop(key, "") for key in _HEADER[:3]}
    variants = table.pop("variants", {})
    for key, value in header.items():
        if not isinstance(value, str):
            raise UsageError(f"{path}: {key} = {value!r}; expected a text")
    if not isinstance(variants, dict) or not all(isinstance(value, dict) for value in variants.values()):
        raise UsageError(f"{path}: variants; expected one table a variant, [variants.NAME]")
    return PresetFile(
        name=name,
        path=path,
        place=place,
        summary=header["summary"],
        extends=header["extends"],
        default_variant=header["default_variant"],
        values=dict(flatten(table)),
        variants={key: dict(flatten(value)) for key, value in variants.items()},
    )


def _lineage(kind: str, name: str, paths: Mapping[str, tuple[str, Path]]) -> list[PresetFile]:
    """The file of that name and all it extends, the eldest first."""
    chain: list[PresetFile] = []
    while name:
        if any(file.name == name for file in chain):
            names = " -> ".join([*(file.name for file in chain), name])
            raise UsageError(f"{chain[-1].path}: extends = {name!r} goes round in a circle: {names}")
        chain.append(_load(kind, name, paths))
        name = chain[-1].extends
    return chain[::-1]


def _preset_layers(preset: str, variant: str) -> Iterator[Layer]:
    chain = _lineage("preset", preset, preset_paths()) if preset else []
    for file in chain:
        yield Layer(str(file.path), file.values)
    variant = variant or next((file.default_variant for file in reversed(chain) if file.default_variant), "")
    known = variant_paths()
    for file in chain:
        for name in file.variants:
            if name not in known:
                raise UsageError(f"{file.path}: [variants.{name}]: no such variant{nearest(name, known)}")
    for method in _lineage("variant", variant, known) if variant else []:
        yield Layer(str(method.path), method.values)
        for file in chain:
            if method.name in file.variants:
                yield Layer(f"{file.path} [variants.{method.name}]", file.variants[method.name])
    labels = {"preset": preset, "variant": variant}
    yield Layer("--preset and --variant", {key: value for key, value in labels.items() if value})


def _setting(text: str) -> Layer:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {text}: expected KEY=VALUE, for example --set stages.0.epochs=40")
    return Layer(f"--set {text}", {key.strip(): parse_value(value.strip())})


def parse_value(text: str) -> Any:
    """A value as TOML reads it; anything TOML does not know is taken as a plain text."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    value = parsed["value"] if len(parsed) == 1 else text
    return tuple(value) if isinstance(value, list) else value


def _nest(values: Mapping[str, Any], origins: Mapping[str, str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for dotted, value in values.items():
        *parents, leaf = dotted.split(".")
        table = root
        for parent in parents:
            table = table.setdefault(parent, {})
            if not isinstance(table, dict):
                raise UsageError(f"{origins[dotted]}: {dotted}: {parent} is a value, not a section")
        if isinstance(table.get(leaf), dict):
            raise UsageError(f"{origins[dotted]}: {dotted} = {value!r}: expected a section, got a value")
        table[leaf] = value
    stages = root.get("stages")
    if isinstance(stages, dict):
        wanted = [str(i) for i in range(len(stages))]
        if sorted(stages) != sorted(wanted):
            odd = next(key for key in stages if key not in wanted)
            origin = next(origins[key] for key in values if key.startswith(f"stages.{odd}"))
            leaf = next(key for key in values if key.startswith(f"stages.{odd}"))
            meant = "" if odd.isdigit() else _meant(leaf, values)
            raise UsageError(
                f"{origin}: stages.{odd}: stages are numbered from 0 without a gap; "
                + (meant or f"the stages here are {', '.join(sorted(stages))}")
            )
        root["stages"] = tuple(stages[key] for key in wanted)
    return root


def _explain(error: ValidationError, values: Mapping[str, Any], origins: Mapping[str, str]) -> str:
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
            message = expectation(item["type"], item["msg"])
            if item["type"] == "literal_error" and isinstance(item["input"], str):
                message += nearest(item["input"], re.findall(r"'([^']+)'", item["msg"]))
            lines.append(f"{prefix}{key} = {_shown(item['input'])}: {message}")
    return "\n".join(dict.fromkeys(lines))


def _origin_of(key: str, message: str, origins: Mapping[str, str]) -> str:
    """The layer to blame: that of the key, of the keys a message names, or of the section's values."""
    if key in origins:
        return origins[key]
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


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

"""How do presets, variants, files and options overlay into one configuration?"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wbtui.catalog import nearest
from wbtui.config import RunConfig, flatten
from wbtui.errors import UsageError
from wbtui.presets.files import PRESET_ONLY, lineage, preset_paths, read_toml, variant_paths
from wbtui.presets.mistakes import explained, misnumbered, shown


@dataclass(frozen=True)
class Layer:
    """The values of one file or option, by dotted key, and where they stand."""

    origin: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Resolved:
    """A configuration and, for each key that was set, where its value came from."""

    config: RunConfig
    origins: Mapping[str, str]
    after: Path | None = None
    """The folder of a finished run whose stages are taken over; None: all are trained."""


def resolve(
    preset: str = "",
    variant: str = "",
    config_file: Path | Layer | None = None,
    settings: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Resolved:
    """The configuration that these layers make.

    A file that says which preset or variant it came from goes before one that is given, down to the last value where it
    is a run's own; so another one is refused.

    Args:
        preset: name of a data preset; empty with `config_file` alone.
        variant: name of a variant; empty: the preset's default one.
        config_file: a TOML of `RunConfig` keys, for example the `config.toml` of a run; or what was read of one.
        settings: `KEY=VALUE` texts, VALUE as in TOML, quotes around a plain word may be left out.
        options: values of options that stand for one key, by dotted key (`{"seed": 1}`).

    Raises:
        UsageError: a name, key, type, range or combination that cannot be, with file, key and what was expected.
    """
    layers = list(_preset_layers(preset, variant))
    if config_file is not None:
        layer = config_file if isinstance(config_file, Layer) else read_layer(config_file)
        _refuse_another("preset", preset, layer)
        _refuse_another("variant", variant, layer)
        layers.append(layer)
    layers.extend(_setting(text) for text in settings)
    for key, value in (options or {}).items():
        layers.append(Layer(f"--{key.replace('.', '-')}", {key: value}))
    return overlay(layers)


def read_layer(config_file: Path) -> Layer:
    """The values of a TOML of `RunConfig` keys; UsageError says what is wrong with it."""
    table = read_toml(config_file)
    if of_preset := [key for key in PRESET_ONLY if key in table]:
        raise UsageError(
            f"{config_file}: {of_preset[0]}: no such key but in a preset or variant; expected a TOML of settings, "
            "or the file in ./presets (a variant in ./presets/variants) and its name with --preset or --variant"
        )
    return Layer(str(config_file), dict(flatten(table)))


def _refuse_another(label: str, given: str, file: Layer) -> None:
    said = file.values.get(label)
    if given and said and said != given:
        raise UsageError(
            f"--{label} {given}: {file.origin} says {label} = {said!r}, and its values go before those of a {label}; "
            f"leave out --{label} or the file, or take from the file what belongs to {said!r}"
        )


def overlay(layers: Iterable[Layer]) -> Resolved:
    """Lay layers over one another and validate what results."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for key, value in layer.values.items():
            values[key], origins[key] = value, layer.origin
    data = _nest(values, origins)
    values = {key: value for key, value in values.items() if value != {}}
    origins = {key: origins[key] for key in values}
    try:
        return Resolved(RunConfig.model_validate(data), origins)
    except ValidationError as error:
        raise UsageError(explained(error, values, origins)) from None


def _preset_layers(preset: str, variant: str) -> Iterator[Layer]:
    chain = lineage("preset", preset, preset_paths()) if preset else []
    for file in chain:
        yield Layer(str(file.path), file.values)
    chooses = next((file for file in reversed(chain) if file.default_variant), None)
    asked_by = f"{chooses.path}: default_variant: " if chooses and not variant else ""
    variant = variant or (chooses.default_variant if chooses else "")
    known = variant_paths()
    for file in chain:
        for name in file.variants:
            if name not in known:
                raise UsageError(f"{file.path}: [variants.{name}]: no such variant{nearest(name, known)}")
    for method in lineage("variant", variant, known, asked_by) if variant else []:
        yield Layer(str(method.path), method.values)
        for file in chain:
            if method.name in file.variants:
                yield Layer(f"{file.path} [variants.{method.name}]", file.variants[method.name])
    labels = {"preset": preset, "variant": variant}
    yield Layer("--preset and --variant", {key: value for key, value in labels.items() if value})


def _setting(text: str) -> Layer:
    key, equals, value = text.partition("=")
    if not equals or not all(part.strip() for part in key.split(".")):
        raise UsageError(f"--set {text}: expected KEY=VALUE, for example --set stages.0.epochs=40")
    return Layer(f"--set {text}", {key.strip(): parse_value(value.strip())})


def parse_value(text: str) -> Any:
    """A value as TOML reads it; anything TOML does not know is taken as a plain text."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # a number of 5,000 digits is none of TOML's own errors
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
        if value == {}:  # an empty table sets nothing
            value = table.get(leaf, {})
        elif isinstance(table.get(leaf), dict):
            inside = next(key for key in values if key.startswith(f"{dotted}."))
            raise UsageError(
                f"{origins[dotted]}: {dotted} = {shown(value)}: expected a section, got a value; its keys are set one "
                f"by one, such as {inside}"
            )
        table[leaf] = value
    stages = root.get("stages")
    if isinstance(stages, dict):
        wanted = [str(i) for i in range(len(stages))]
        if sorted(stages) != sorted(wanted):
            raise UsageError(misnumbered(stages, wanted, values, origins))
        root["stages"] = tuple(stages[key] for key in wanted)
    return root

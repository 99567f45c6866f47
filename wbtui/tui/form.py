"""What does the start form mean: which runs, what is wrong with them, which command is the same? Pure but for presets.

Everything typed goes through `presets.resolve`, as the words of `wbtui run` do; what it refuses is told to the field
that is to blame.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wbtui.config import RunConfig
from wbtui.errors import UsageError
from wbtui.launch.grid import expand, split_list
from wbtui.presets import Resolved, flatten, load_preset, load_variant, parse_value, resolve
from wbtui.store.text import plain

FIELDS = ("preset", "variant", "seed", "device", "settings", "name", "tags", "note")
"""The fields of the form, in order."""


@dataclass(frozen=True)
class FormValues:
    """The form as it is typed."""

    preset: str = ""
    variant: str = ""
    """One method, or several by comma."""
    seed: str = ""
    """One seed, or several by comma."""
    device: str = ""
    settings: str = ""
    """KEY=VALUE words, as in a shell."""
    name: str = ""
    tags: str = ""
    note: str = ""
    config_file: Path | None = None
    """A run's config.toml to begin from; then preset and variant may be empty."""


@dataclass(frozen=True)
class FormAnswer:
    """What the form means."""

    resolved: tuple[Resolved, ...] = ()
    """The runs; none where something is wrong."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """Field → what is wrong with it."""
    difference: tuple[tuple[str, str, str], ...] = ()
    """Key, value of the preset, value of the first run; where they differ."""
    command: str = ""
    """The same on the command line."""


def answer(values: FormValues) -> FormAnswer:
    """What the form means, with everything that is wrong told beside its field."""
    wrong = _names_wrong(values)
    settings: list[str] = []
    try:
        settings = shlex.split(values.settings)
    except ValueError as error:
        wrong["settings"] = f"{error}; quotes come in pairs"
    if not values.preset.strip() and values.config_file is None and "preset" not in wrong:
        wrong["preset"] = "which data? For example digits_lt"
    if wrong:
        return FormAnswer(wrong=wrong)
    try:
        points = expand(values.variant.strip(), values.seed.strip(), settings)
        resolved = tuple(_resolve(values, point.variant, point.seed, point.settings) for point in points)
        base = resolve(values.preset.strip(), "", values.config_file)
    except UsageError as error:
        return FormAnswer(wrong=blamed(plain(str(error), lines=True)))
    return FormAnswer(
        resolved, {}, difference(base.config, resolved[0].config), command_of(values, len(resolved))
    )


def _names_wrong(values: FormValues) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for name, text, load in (
        ("preset", values.preset, load_preset),
        ("variant", values.variant, load_variant),
    ):
        for part in filter(None, split_list(text.strip())):
            try:
                load(part)
            except UsageError as error:
                wrong[name] = plain(str(error), lines=True)
    for part in filter(None, split_list(values.seed.strip())):
        if not part.isascii() or not part.isdigit():
            wrong["seed"] = f"{plain(part)!r}: expected whole numbers from 0, e.g. 0 or 0,1,2"
    return wrong


def _resolve(values: FormValues, variant: str, seed: str, settings: Sequence[str]) -> Resolved:
    options: dict[str, Any] = {
        "seed": parse_value(seed) if seed else None,
        "device": values.device.strip() or None,
        "name": values.name.strip() or None,
    }
    given = {key: value for key, value in options.items() if value is not None}
    return resolve(values.preset.strip(), variant, values.config_file, settings, given)


def blamed(message: str) -> dict[str, str]:
    """The field that each line of a message is about; `settings` where it says none."""
    wrong: dict[str, str] = {}
    for line in message.splitlines():
        found = next((name for name in FIELDS if line.startswith(f"--{name}")), "settings")
        wrong[found] = f"{wrong[found]}\n{line}" if found in wrong else line
    return wrong


def difference(base: RunConfig, config: RunConfig) -> tuple[tuple[str, str, str], ...]:
    """Keys whose values differ, with both values as text; labels and the seed do not count."""
    before, after = dict(flatten(base.model_dump())), dict(flatten(config.model_dump()))
    keys = [key for key in {**before, **after} if key not in ("preset", "variant", "name")]
    return tuple(
        (key, _text(before.get(key)), _text(after.get(key)))
        for key in keys
        if before.get(key) != after.get(key)
    )


def _text(value: object) -> str:
    return "-" if value is None else plain(str(value))


def command_of(values: FormValues, count: int) -> str:
    """The command line that does the same."""
    words = ["wbtui", "run"] if count == 1 else ["wbtui", "queue", "add"]
    options = {
        "--preset": values.preset,
        "--config": str(values.config_file or ""),
        "--variant": values.variant,
        "--seed": values.seed,
        "--device": values.device,
        "--name": values.name,
        "--note": values.note,
    }
    for option, text in options.items():
        words += [option, text.strip()] if text.strip() else []
    for setting in shlex.split(values.settings):
        words += ["--set", setting]
    for tag in values.tags.split():
        words += ["--tag", tag]
    return shlex.join(words)


def setting_keys() -> dict[str, str]:
    """Every key that may be set, in a configuration of one stage, with its docstring and its default."""
    return dict(_described(RunConfig()))


def _described(section: Any, prefix: str = "") -> "list[tuple[str, str]]":
    found: list[tuple[str, str]] = []
    for name, info in type(section).model_fields.items():
        value = getattr(section, name)
        if hasattr(type(value), "model_fields"):
            found += _described(value, f"{prefix}{name}.")
        elif name == "stages":
            found += _described(value[0], f"{prefix}stages.0.")
        elif f"{prefix}{name}" not in ("preset", "variant", "name", "seed", "device"):
            found.append((f"{prefix}{name}", f"{info.description} Default: {value!r}."))
    return found

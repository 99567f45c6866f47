"""Where are presets and variants found, and what stands in their files?"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from wbtui.catalog import nearest
from wbtui.config import flatten
from wbtui.errors import UsageError

MAX_TOML_BYTES = 1_000_000
PRESET_ONLY = ("extends", "summary", "default_variant", "variants")
"""Keys of a preset or variant that no configuration has."""
_HEADER = PRESET_ONLY[:-1]
_PACKAGE = Path(__file__).parent.parent


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
        for path in sorted((root / folder).glob("[!.]*.toml")):  # what editors and macOS leave is hidden
            found.setdefault(path.stem, (place, path))
    return found


def load_preset(name: str) -> PresetFile:
    """The data preset of that name; UsageError names the nearest one."""
    return _load("preset", name, preset_paths(), "")


def load_variant(name: str) -> PresetFile:
    """The variant of that name; UsageError names the nearest one."""
    return _load("variant", name, variant_paths(), "")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file of the user's; UsageError says what is wrong with it, with its line."""
    try:
        with path.open(encoding="utf-8-sig") as file:  # Windows' editors begin one with a mark
            text = file.read(MAX_TOML_BYTES + 1)  # no size is known of a pipe or a device
        if len(text) > MAX_TOML_BYTES:
            raise UsageError(f"{path}: larger than {MAX_TOML_BYTES} bytes; expected a TOML of settings")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; expected a TOML of settings") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is none of TOML's own errors
        raise UsageError(f"{path}: not valid TOML: {error}") from None


def _load(kind: str, name: str, paths: Mapping[str, tuple[str, Path]], where: str) -> PresetFile:
    if name not in paths:
        raise UsageError(
            f"{where}no {kind} is called {name!r}{nearest(name, paths)}; expected one of {', '.join(sorted(paths))} "
            "(`wbtui presets` lists them)"
        )
    place, path = paths[name]
    table = read_toml(path)
    for label, instead in (("preset", "extends"), ("variant", "default_variant")):
        if label in table:
            raise UsageError(f"{path}: {label} is a label, which loads nothing; expected {instead}")
    header = {key: table.pop(key, "") for key in _HEADER}
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


def lineage(kind: str, name: str, paths: Mapping[str, tuple[str, Path]], where: str = "") -> list[PresetFile]:
    """The file of that name and all it extends, the eldest first.

    Args:
        kind: `preset` or `variant`, for messages.
        name: whose.
        paths: every file of that kind.
        where: the file and key that name it, `FILE: KEY: `; empty: it was typed.
    """
    chain: list[PresetFile] = []
    while name:
        if any(file.name == name for file in chain):
            names = " -> ".join([*(file.name for file in chain), name])
            raise UsageError(
                f"{chain[-1].path}: extends = {name!r} goes round in a circle: {names}; expected another one (a file "
                "hides those of its own name in other places: to extend one of them it needs another name)"
            )
        chain.append(_load(kind, name, paths, where))
        name, where = chain[-1].extends, f"{chain[-1].path}: extends: "
    return chain[::-1]

"""Which presets, variants and nets are there, and which file does each come from?"""

from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

from wbtui import catalog
from wbtui.errors import UsageError
from wbtui.presets import PresetFile, load_preset, load_variant, preset_paths, variant_paths
from wbtui.report.table import Column, Table, count_cell, figure_cell, text_cell

_FILES = (
    Column("name", "name", right=False),
    Column("place", "from", right=False, drop=2),
    Column("summary", "summary", right=False, wrap=True),
    Column("file", "file", right=False, drop=3),
)
_NETS = (
    Column("name", "net", right=False),
    Column("feature_size", "D"),
    Column("width", "width", drop=2),
    Column("depth", "depth", drop=2),
    Column("mflop", "MFLOP", drop=1),
    Column("at", "at", drop=1),
    Column("summary", "summary", right=False, drop=3, wrap=True),
)


def preset_tables() -> list[Table]:
    """Data presets, then variants; a file that cannot be read says why in its row."""
    tables = []
    for title, names, load in (
        ("Data presets: --preset", sorted(preset_paths().items()), load_preset),
        ("Variants: --variant", sorted(variant_paths().items()), load_variant),
    ):
        rows = []
        for name, (place, path) in names:
            summary = _summary(name, load)
            rows.append(
                (text_cell(name, "bold"), text_cell(place), text_cell(summary), text_cell(shown_path(path)))
            )
        tables.append(Table(_FILES, tuple(rows), title))
    return tables


def _summary(name: str, load: Any) -> str:
    try:
        file: PresetFile = load(name)
    except UsageError as error:
        return f"cannot be read: {error}"
    words = [file.summary, f"extends {file.extends}" if file.extends and not file.summary else ""]
    return " ".join(word for word in words if word)


def shown_path(path: Path) -> str:
    """A path as a person finds it: relative to here where it lies below, ~ for home."""
    for base, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(base):
            return f"{prefix}{path.relative_to(base)}"
    return str(path)


def presets_json() -> dict[str, Any]:
    """The same with all values of each file."""
    return {
        "presets": [_as_json(name, path, load_preset) for name, (_, path) in sorted(preset_paths().items())],
        "variants": [
            _as_json(name, path, load_variant) for name, (_, path) in sorted(variant_paths().items())
        ],
    }


def _as_json(name: str, path: Path, load: Any) -> dict[str, Any]:
    """One file; of one that cannot be read what is wrong with it, so that the others can be used."""
    try:
        file: PresetFile = load(name)
    except UsageError as error:
        return {"name": name, "file": str(path), "problem": str(error)}
    return {
        "name": file.name,
        "place": file.place,
        "file": str(file.path),
        "summary": file.summary,
        "extends": file.extends,
        "default_variant": file.default_variant,
        "values": _json_value(file.values),
        "variants": _json_value(file.variants),
    }


def _json_value(value: Any) -> Any:
    """What TOML has and JSON has not, dates and times, as text: no setting is one, but a mistaken file holds it."""
    if isinstance(value, Mapping):
        return {key: _json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    return str(value) if isinstance(value, date | time) else value


def nets_table() -> Table:
    """Every net with its feature size and cost."""
    rows = tuple(
        (
            text_cell(net.name, "bold"),
            count_cell(net.feature_size()),
            count_cell(net.width),
            text_cell(str(net.depth) if net.depth else "-"),
            figure_cell(net.mflop),
            text_cell(f"{net.flop_size} px" if net.flop_size else "-"),
            text_cell(net.summary),
        )
        for net in catalog.nets().values()
    )
    notes = ("D: length of the feature h; MFLOP: one image forward, a multiply-add counts two",)
    return Table(_NETS, rows, "Nets: --set model.name=", notes)


def nets_json() -> list[dict[str, Any]]:
    """Every net with what its file declares."""
    return [{**vars(net), "feature_size": net.feature_size()} for net in catalog.nets().values()]

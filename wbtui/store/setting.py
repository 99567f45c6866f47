"""Which runs are seeds of one setting? Those whose whole configurations differ in nothing but seed, labels and place.

The table of runs, comparisons, adjustments and reports all fold seeds by this.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from wbtui.store.errors import StoreReadError
from wbtui.store.reader import Run
from wbtui.store.text import plain

IMPORTED = "imported"
"""Preset label of runs made of somebody else's predictions; each of their seeds comes from a file of its own."""

_NOT_A_SETTING = ("seed", "name", "device", "threads")
_NOT_A_SETTING_SECTION = ("checkpoint.",)
"""What does not make another setting: the seed, a label, where it ran and how often it was saved."""

_TYPED = "--set "
"""What the origin of a typed value begins with."""

_MOST_TYPED, _LONGEST_TYPED = 16, 80


def configuration(run: Run) -> dict[str, Any]:
    """A run's configuration by dotted key, defaults filled in where it is one of this version.

    Of imported predictions nothing but what their config.toml says is known: no default is theirs.

    Raises:
        StoreReadError: it cannot be read.
    """
    from wbtui.config import flatten  # with pydantic, which a listing of known runs does without

    if is_imported(run.config):
        return dict(flatten(run.config))
    try:
        return dict(flatten(run.run_config().model_dump()))
    except StoreReadError:
        return dict(flatten(run.config))


def is_imported(values: Mapping[str, Any]) -> bool:
    """Whether a configuration is that of predictions that another program made."""
    return values.get("preset") == IMPORTED


def setting_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of a configuration makes its setting.

    Args:
        values: a configuration by dotted key, defaults filled in.
    """
    return {key: value for key, value in values.items() if _matters(key, values)}


def setting_key(values: Mapping[str, Any]) -> str:
    """What configurations have in common that differ in nothing but their seed, and where and how they ran.

    Args:
        values: a configuration by dotted key, defaults filled in.
    """
    return repr(sorted(setting_of(values).items()))


def setting_digest(run: Run) -> str:
    """`setting_key` of a run in 16 characters, for the index.

    Raises:
        StoreReadError: its configuration cannot be read.
    """
    return hashlib.sha256(setting_key(configuration(run)).encode("utf-8", "replace")).hexdigest()[:16]


def typed_settings(run: Run) -> tuple[str, ...]:
    """What somebody typed for this run, beyond preset and variant: `stages.0.weight_decay=0.001` of `--set`.

    Seed, labels and where it ran are left out; empty where the provenance does not say or cannot be read.
    """
    try:
        origins = run.provenance.get("origins")
    except StoreReadError:
        return ()
    found = [
        plain(text.removeprefix(_TYPED))[:_LONGEST_TYPED]
        for key, text in (origins.items() if isinstance(origins, dict) else ())
        if isinstance(text, str) and text.startswith(f"{_TYPED}{key}=")
        if key != "data.root" and _is_setting(key)
    ]
    return tuple(found[:_MOST_TYPED])


def _matters(key: str, values: Mapping[str, Any]) -> bool:
    if key == "data.root":  # for other sources it only says where this machine keeps them
        return values.get("data.source") in ("npz", "folder") and not is_imported(values)
    return _is_setting(key)


def _is_setting(key: str) -> bool:
    return key not in _NOT_A_SETTING and not key.startswith(_NOT_A_SETTING_SECTION)

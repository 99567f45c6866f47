"""How does a runs folder look when it is opened again: panels, pins, colours, order, filter?

views.json stands beside the runs (in the user's cache where the folder cannot be written or is only looked at). It is
replaced in one step; a broken one is set aside, said, and forgotten. Of two dashboards on one folder each writes what
was changed in it.
"""

import hashlib
import math
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from wbtui.store import atomic, bounded
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.text import plain

VIEWS = "views.json"
VERSION = 1
_MOST = 200  # entries of a list
_LONGEST = 1_000  # characters of a text
_MOST_TOLD = 10_000  # entries of `told`


@dataclass(frozen=True)
class Views:
    """What of the screen outlives it."""

    panels: tuple[str, ...] = ()
    """Keys of the panels that are wanted, in order; empty: all, in their own order."""
    hidden: tuple[str, ...] = ()
    """Keys of the panels that are not shown."""
    columns: tuple[str, ...] = ()
    """Keys of the columns of the table, in order; empty: in their own."""
    hidden_columns: tuple[str, ...] = ()
    """Keys of the columns that are not shown."""
    pinned: tuple[str, ...] = ()
    """Ids of pinned runs."""
    colours: Mapping[str, int] = field(default_factory=dict)
    """Run id → index of its style, of pinned runs."""
    baseline: str = ""
    """Id of the run that others are measured against."""
    filter: str = ""
    sort: str = ""
    """A key of `report.fields`, with a minus before it descending; empty: living runs first, then the newest."""
    group: bool = False
    """Whether seeds of one setting are folded."""
    smoothing: float = 0.0
    x_axis: str = "epoch"
    log_y: tuple[str, ...] = ()
    """Keys of panels with a logarithmic y axis."""
    splits: Mapping[str, int] = field(default_factory=dict)
    """Panel key → which of its splits is shown."""
    class_views: Mapping[str, str] = field(default_factory=dict)
    """Panel key → bars, curves or heatmap."""
    theme: str = ""
    """Name of the colours that were chosen; empty: wbtui's own."""
    told: tuple[str, ...] = ()
    """Alerts that somebody has been told of, see `alerts.key_of`."""


def views_path(runs: Path, *, readonly: bool = False) -> Path:
    """Where the views of a runs folder stand."""
    if not readonly and (not runs.exists() or os.access(runs, os.W_OK | os.X_OK)):
        return runs / VIEWS
    name = hashlib.sha256(os.fsencode(runs.resolve())).hexdigest()[:16]
    return user_cache_path("wbtui") / "views" / f"{name}.json"


def load_views(path: Path) -> tuple[Views, str]:
    """The views, and what was wrong with them in words; empty: nothing."""
    try:
        stored = bounded.read_json(path.parent, path.name)
    except FileNotFoundError:
        return Views(), ""
    except StoreReadError as error:
        return Views(), _set_aside(path, str(error))
    if stored.get("version") != VERSION:
        return Views(), _set_aside(path, f"{path.name}: version {plain(str(stored.get('version')))[:40]}")
    values = {item.name: stored[item.name] for item in fields(Views) if item.name in stored}
    return Views(**{name: _typed(name, value) for name, value in values.items() if _fits(name, value)}), ""


def _set_aside(path: Path, why: str) -> str:
    aside = path.with_name(f"{path.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        path.replace(aside)
    except OSError:
        return f"{why}; the view begins anew"
    return f"{why}; set aside as {aside.name}, the view begins anew"


def with_others(path: Path, views: Views, before: Views) -> Views:
    """The views to keep where another dashboard may have kept its own: of what was not changed here, its own stay.

    Args:
        path: Of the file.
        views: As they are here.
        before: As they were here when they were last kept or loaded.
    """
    if not path.exists():
        return views
    theirs, problem = load_views(path)
    if problem:
        return views
    here = {item.name: (getattr(views, item.name), getattr(before, item.name)) for item in fields(Views)}
    return replace(theirs, **{name: now for name, (now, old) in here.items() if now != old})


def save_views(path: Path, views: Views, *, made: bool = False) -> str:
    """Replace the file; what went wrong in words, empty: nothing.

    Args:
        path: The file.
        views: What to keep.
        made: Whether its folder was there: one that is gone may come back, and would find another in its place.
    """
    try:
        if not made:
            path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_json(path, {"version": VERSION, **asdict(views)}, durable=False)
    except (OSError, StoreWriteError) as error:
        return f"the view is not kept: {plain(str(error))}"
    return ""


class KeptViews:
    """The views of one dashboard, and what of them its file holds.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.now, self.problem = load_views(path)
        """As they are here, and what was wrong with the file when it was read; empty: nothing."""
        self._kept = self._written = self.now
        self._made = path.parent.is_dir()

    def change(self, **changes: Any) -> None:
        """Change some of them here."""
        self.now = replace(self.now, **changes)

    @property
    def due(self) -> bool:
        """Whether somebody has changed them since the last `write` began."""
        return self.now != self._kept

    def write(self) -> str:
        """Bring the file up to date, leaving what only other dashboards have changed.

        Returns:
            What went wrong in words; empty: nothing.
        """
        views = self._kept = self.now
        theirs_too = with_others(self._path, views, self._written)
        problem = save_views(self._path, theirs_too, made=self._made)
        if not problem:
            self._written, self._made = views, True
        return problem


def _is_texts(value: object, most: int = _MOST) -> bool:
    return isinstance(value, list) and len(value) <= most and all(_is_text(item) for item in value)


def _is_told(value: object) -> bool:
    return _is_texts(value, _MOST_TOLD)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


def _is_counts(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= _MOST
        and all(_is_text(key) and type(item) is int and 0 <= item < 64 for key, item in value.items())
    )


def _is_words(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= _MOST
        and all(_is_text(key) and item in ("bars", "curves", "heatmap") for key, item in value.items())
    )


def _is_factor(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and 0 <= value < 1


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _fits(name: str, value: object) -> bool:
    if name == "x_axis":
        return value in ("epoch", "time", "images")
    checks = {
        **dict.fromkeys(("panels", "hidden", "columns", "hidden_columns", "pinned", "log_y"), _is_texts),
        **dict.fromkeys(("baseline", "filter", "sort", "theme"), _is_text),
        **dict.fromkeys(("colours", "splits"), _is_counts),
        "class_views": _is_words,
        "told": _is_told,
        "smoothing": _is_factor,
        "group": _is_flag,
    }
    return checks[name](value)


def _typed(name: str, value: Any) -> Any:
    return tuple(dict.fromkeys(value)) if isinstance(value, list) else value

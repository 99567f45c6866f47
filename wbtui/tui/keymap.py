"""Which keys did the user put on which actions, and what is wrong with that?

The file is `dashboard.toml` in the user's configuration folder:

    [keys]
    "runs.filter" = "ctrl+f"
    "runs.up" = "up,w"
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from wbtui.catalog import nearest
from wbtui.errors import UsageError
from wbtui.store import bounded
from wbtui.store.errors import StoreReadError
from wbtui.store.text import plain
from wbtui.tui.actions import ACTIONS, Action
from wbtui.tui.key_names import LOOKS_LIKE, key_name, meant_instead

FILE = "dashboard.toml"


@dataclass(frozen=True)
class Keymap:
    """The keys that count."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """Action id → keys apart by comma, of the actions whose keys the user chose."""
    problems: tuple[str, ...] = ()
    """What of the file does not count, and why."""

    def keys_of(self, action: Action) -> tuple[str, ...]:
        """The keys of an action, by Textual's names."""
        return tuple(self.keys.get(action.id, action.keys).split(","))

    def shown(self, action: Action) -> str:
        """The first key of an action, as people write it."""
        return display(self.keys_of(action)[0])


_LEAVES = "ctrl+q"
"""Textual's own way out, which no action of a screen can have."""


def keymap_file() -> Path:
    """Where the user's keys stand."""
    return platformdirs.user_config_path("wbtui") / FILE


def load_keymap(path: Path) -> Keymap:
    """The keys of a file; what is wrong in it is reported and leaves the default."""
    try:
        table = bounded.read_toml(path.parent, path.name)
    except FileNotFoundError:
        return Keymap()
    except (StoreReadError, UsageError) as error:
        return Keymap(problems=(f"{plain(str(error))}; the default keys are used",))
    wanted = table.get("keys", {})
    if not isinstance(wanted, dict):
        return Keymap(problems=(f"{path.name}: keys: expected a table, [keys]",))
    return resolve_keys(wanted, path.name)


def resolve_keys(wanted: Mapping[str, object], where: str) -> Keymap:
    """The keys that a table asks for, conflicts left out.

    Args:
        wanted: Action id → keys apart by comma.
        where: Name of the file, for messages.
    """
    known = {action.id: action for action in ACTIONS}
    keys: dict[str, str] = {}
    problems: list[str] = []
    for name, value in wanted.items():
        if name not in known:
            problems.append(f"{where}: no action is called {plain(name)!r}{nearest(name, known)}")
        elif not isinstance(value, str) or not all(parts := _apart(value)):
            problems.append(f"{where}: {name} = {_short(value)}: expected keys, e.g. 'ctrl+f' or 'up,w'")
        elif wrong := [part for part in parts if not key_name(part)]:
            named = ", ".join(f"{_short(part)}{meant_instead(part, _SHOWN)}" for part in wrong[:2])
            problems.append(
                f"{where}: {name}: no key is called {named}; {LOOKS_LIKE}; {name} keeps {display(known[name].keys)}"
            )
        elif _LEAVES in map(key_name, parts) and name != "app.leave":
            problems.append(
                f"{where}: {name} = {_short(value)}: {_LEAVES} always leaves the dashboard; "
                f"{name} keeps {display(known[name].keys)}"
            )
        else:
            keys[name] = ",".join(key_name(part) for part in parts)
    for name in list(keys):
        if taken := _conflict(known[name], keys, known):
            problems.append(
                f"{where}: {name} = {keys[name]!r}: {taken} has that key; {name} keeps {display(known[name].keys)}"
            )
            del keys[name]
    return Keymap(keys, tuple(problems))


def _conflict(action: Action, keys: Mapping[str, str], known: Mapping[str, Action]) -> str:
    """The action of the same screen (or of all) that has one of its keys; empty: none."""
    own = set(keys[action.id].split(","))
    for other in known.values():
        together = other.screen == action.screen or "app" in (other.screen, action.screen)
        if other.id != action.id and together and own & set(keys.get(other.id, other.keys).split(",")):
            return other.id
    return ""


def _apart(text: str) -> list[str]:
    """Keys that stand apart by comma; a comma by itself is a key."""
    return [part.strip() for part in text.split(",")] if text != "," else ["comma"]


def _short(value: object) -> str:
    """A value as it stands in a message: harmless, and no longer than a line bears."""
    text = repr(value)
    return plain(text if len(text) <= 40 else text[:39] + "…")


_SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "asterisk": "*",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "comma": ",",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


def display(keys: str) -> str:
    """Keys as people write them: `ctrl+p` → `^p`, `up,k` → `up k`."""
    return " ".join(
        "^" + key.removeprefix("ctrl+") if key.startswith("ctrl+") else _SHOWN.get(key, key)
        for key in keys.split(",")
    )

"""What does the user want of every dashboard, and what can this terminal show?

The file is the one that keys stand in, `dashboard.toml` in the user's configuration folder:

    theme = "nord"
    mouse = false
    ascii = true
"""

import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wbtui.catalog import nearest
from wbtui.errors import UsageError
from wbtui.store import bounded
from wbtui.store.errors import StoreReadError
from wbtui.store.text import plain

_WITHOUT_UNICODE = ("linux", "dumb", "vt")
"""How TERM begins where fonts have no braille: the Linux console has 512 glyphs at most."""


@dataclass(frozen=True)
class Preferences:
    """What the user's file says; None: nothing."""

    theme: str | None = None
    """A name among Textual's themes, or `wbtui`."""
    mouse: bool | None = None
    ascii: bool | None = None
    problems: tuple[str, ...] = ()
    """What of the file does not count, and why."""


_KINDS: Mapping[str, tuple[type, str]] = {
    "theme": (str, "the name of a theme"),
    "mouse": (bool, "true or false"),
    "ascii": (bool, "true or false"),
}


def load_preferences(path: Path) -> Preferences:
    """The preferences of a file; what is wrong in it is reported and does not count.

    A file that cannot be read is reported by whoever reads its keys.
    """
    try:
        table = bounded.read_toml(path.parent, path.name)
    except (FileNotFoundError, StoreReadError, UsageError):
        return Preferences()
    found: dict[str, object] = {}
    problems: list[str] = []
    for name, value in table.items():
        if name == "keys":
            continue
        if name not in _KINDS:
            problems.append(
                f"{path.name}: {plain(name)!r} is no setting{nearest(name, _KINDS)}; "
                f"there are {', '.join(_KINDS)} and [keys]"
            )
            continue
        kind, expected = _KINDS[name]
        if isinstance(value, kind):
            found[name] = value
        else:
            problems.append(f"{path.name}: {name} = {plain(repr(value))}: expected {expected}")
    return Preferences(**found, problems=tuple(problems))  # type: ignore[arg-type]


def draws_ascii(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a terminal is one that shows ASCII alone, by what it is called and by the language it speaks."""
    served = "TEXTUAL_DRIVER" in environment  # in a browser
    utf8 = locale.getpreferredencoding(do_setlocale=False).lower().replace("-", "") == "utf8"
    return not served and (not utf8 or environment.get("TERM", "").startswith(_WITHOUT_UNICODE))

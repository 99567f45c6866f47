"""Is it the dashboard alone that a command line asks for?

Answered here without Typer: its way of reading options loads pydantic, which the first picture does not need. Whatever
is not plainly the dashboard's own is left to Typer, mistakes too.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wbtui.cli.options import RUNS_DEFAULT, RUNS_VARIABLE

_FLAGS: dict[str, dict[str, Any]] = {
    "--readonly": {"readonly": True},
    "--ascii": {"ascii_only": True},
    "--no-ascii": {"ascii_only": False},
    "--mouse": {"mouse": True},
    "--no-mouse": {"mouse": False},
}
_COMPLETION = "_WBTUI_COMPLETE"
"""Set where a shell asks how a line may go on."""


@dataclass(frozen=True)
class DashboardOptions:
    """How the dashboard is to be opened; see `tui.app.run_dashboard`."""

    runs: Path = RUNS_DEFAULT
    readonly: bool = False
    ascii_only: bool | None = None
    mouse: bool | None = None


def dashboard_options(arguments: Sequence[str]) -> DashboardOptions | None:
    """The dashboard's options; None where there is a command, a mistake or anything else among the arguments."""
    if _COMPLETION in os.environ:
        return None
    runs = os.environ.get(RUNS_VARIABLE)
    options = DashboardOptions(Path(runs) if runs else RUNS_DEFAULT)
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name in _FLAGS and not equals:
            options = replace(options, **_FLAGS[name])
        elif name == "--runs" and (equals or rest):
            value = value if equals else rest.pop(0)
            if not value or value.startswith("-"):
                return None
            options = replace(options, runs=Path(value))
        else:
            return None
    return options

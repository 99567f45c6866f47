"""Is it the dashboard alone that a command line asks for, and how is it opened?

Answered here without Typer: the first picture needs neither it nor what it loads (`benchmarks/ui_speed.py` measures
a start). Whatever is not plainly the dashboard's own is left to Typer, mistakes too.
"""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wbtui.errors import UsageError
from wbtui.store.runs_folder import RUNS_DEFAULT, RUNS_VARIABLE, expanded

_FLAGS: dict[str, dict[str, Any]] = {
    "--readonly": {"readonly": True},
    "--ascii": {"ascii_only": True},
    "--no-ascii": {"ascii_only": False},
    "--mouse": {"mouse": True},
    "--no-mouse": {"mouse": False},
}
_COMPLETION = "_WBTUI_COMPLETE"
"""Set where a shell asks how a line may go on."""
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"


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
    options = DashboardOptions(expanded(Path(runs)) if runs else RUNS_DEFAULT)
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name in _FLAGS and not equals:
            options = replace(options, **_FLAGS[name])
        elif name == "--runs" and (equals or rest):
            value = value if equals else rest.pop(0)
            if not value or value.startswith("-"):
                return None
            options = replace(options, runs=expanded(Path(value)))
        else:
            return None
    return options


@contextmanager
def _no_threads_for_numpy() -> Iterator[None]:
    """Import numpy so that OpenBLAS makes no threads: they cost 50 ms of a start, and nothing here multiplies
    matrices. The variable is gone again before anything is started that might inherit it."""
    if _BLAS_THREADS in os.environ:
        yield
        return
    os.environ[_BLAS_THREADS] = "1"
    try:
        yield
    finally:
        del os.environ[_BLAS_THREADS]


def open_dashboard(options: DashboardOptions) -> None:
    """Open it, until somebody closes it.

    Raises:
        UsageError: There is no terminal to draw on.
    """
    served = "TEXTUAL_DRIVER" in os.environ  # by `wbtui serve`: a browser is the terminal
    if not served and not (sys.stdin.isatty() and sys.stderr.isatty()):  # textual draws on stderr
        raise UsageError("the dashboard needs a terminal; `wbtui --help` lists the commands that do without")
    gc.disable()  # of its imports a sixth would be collections; the dashboard turns it on with its first rows
    with _no_threads_for_numpy():
        from wbtui.tui.app import run_dashboard

    run_dashboard(options.runs, readonly=options.readonly, ascii_only=options.ascii_only, mouse=options.mouse)

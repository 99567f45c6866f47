"""Which commands are there, and what becomes of a mistake? Each group is a file, imported when asked for."""

import gc
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from wbtui.cli.bare import DashboardOptions, dashboard_options
from wbtui.cli.options import RUNS_DEFAULT, Runs, typed
from wbtui.errors import RunFailedError, UsageError
from wbtui.store.errors import StoreWriteError
from wbtui.store.text import plain

GROUPS: dict[str, tuple[str, ...]] = {
    "wbtui.cli.run": ("run",),
    "wbtui.cli.control": ("attach", "stop", "resume", "rm", "restore"),
    "wbtui.cli.queue": ("queue",),
    "wbtui.cli.ls": ("ls", "reindex"),
    "wbtui.cli.show": ("show",),
    "wbtui.cli.adjust": ("adjust",),
    "wbtui.cli.compare": ("compare",),
    "wbtui.cli.report": ("report",),
    "wbtui.cli.importing": ("import",),
    "wbtui.cli.export": ("export",),
    "wbtui.cli.notes": ("note", "tag", "star"),
    "wbtui.cli.prune": ("prune",),
    "wbtui.cli.presets": ("presets",),
    "wbtui.cli.config": ("config",),
    "wbtui.cli.doctor": ("doctor",),
    "wbtui.cli.serve": ("serve",),
}
"""Module → its commands, in the order of `wbtui --help`. A module has `app`, a Typer with those commands;
what they need they import inside."""

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""

_BLAS_THREADS = "OPENBLAS_NUM_THREADS"


class _Commands(TyperGroup):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for names in GROUPS.values() for name in names]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        for module, names in GROUPS.items():
            if cmd_name in names:
                commands: typer.Typer = importlib.import_module(module).app
                commands.rich_markup_mode = None  # as below: --help looks alike everywhere
                return typer.main.get_group(commands).commands[cmd_name]
        return None


app = typer.Typer(
    name="wbtui",
    cls=_Commands,
    invoke_without_command=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _wbtui(
    context: typer.Context,
    readonly: Annotated[
        bool, typer.Option("--readonly", help="Dashboard: start, stop and write nothing.")
    ] = False,
    ascii_only: Annotated[
        bool | None,
        typer.Option(
            "--ascii/--no-ascii", help="Dashboard: draw with ASCII alone, or not. Without: as TERM says."
        ),
    ] = None,
    mouse: Annotated[
        bool | None, typer.Option("--mouse/--no-mouse", help="Dashboard: whether it takes the mouse. [yes]")
    ] = None,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Start, watch, re-score and compare experiments on long-tailed recognition.

    Without a command: open the dashboard.
    """
    if context.invoked_subcommand is None:
        _open_dashboard(DashboardOptions(runs, readonly, ascii_only, mouse))
    elif context.invoked_subcommand != "serve":
        for name, option in (("readonly", "--readonly"), ("ascii_only", "--ascii"), ("mouse", "--mouse")):
            if typed(context, name):
                raise UsageError(
                    f"{option} is the dashboard's, and `{context.invoked_subcommand}` does not open it; leave it out"
                )


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


def _open_dashboard(options: DashboardOptions) -> None:
    served = "TEXTUAL_DRIVER" in os.environ  # by `wbtui serve`: a browser is the terminal
    if not served and not (sys.stdin.isatty() and sys.stderr.isatty()):  # textual draws on stderr
        raise UsageError("the dashboard needs a terminal; `wbtui --help` lists the commands that do without")
    gc.disable()  # of its imports a sixth would be collections; the dashboard turns it on with its first rows
    with _no_threads_for_numpy():
        from wbtui.tui.app import run_dashboard

    run_dashboard(options.runs, readonly=options.readonly, ascii_only=options.ascii_only, mouse=options.mouse)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code. A user's mistake is a message, never a traceback."""
    typed_words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        bare = dashboard_options(typed_words)
        if bare is not None:
            _open_dashboard(bare)
        else:
            app(args=typed_words, prog_name="wbtui")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else DONE if end.code is None else FAILED
    except UsageError as error:
        return _say(error, USAGE)
    except RunFailedError as error:
        return _say(error, FAILED)
    except StoreWriteError as error:
        return _say(error, FAILED if error.disk_full else USAGE)
    return DONE


def _say(error: Exception, code: int) -> int:
    print(f"wbtui: {plain(str(error), lines=True)}", file=sys.stderr)
    return code

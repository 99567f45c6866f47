"""Which commands are there, and in what order? Each group is a file, imported when asked for."""

import importlib
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from wbtui.cli.bare import DashboardOptions, open_dashboard
from wbtui.cli.options import Runs, typed
from wbtui.errors import UsageError
from wbtui.store.runs_folder import RUNS_DEFAULT

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
    "wbtui.cli.presets": ("presets", "new-preset"),
    "wbtui.cli.config": ("config",),
    "wbtui.cli.doctor": ("doctor",),
    "wbtui.cli.serve": ("serve",),
}
"""Module → its commands, in the order of `wbtui --help`. A module has `app`, a Typer with those commands;
what they need they import inside."""


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


def _print_version(asked: bool) -> None:
    if asked:
        from wbtui import __version__

        print(f"wbtui {__version__}")
        raise typer.Exit


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
    version: Annotated[
        bool, typer.Option("--version", help="Print it and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Start, watch, re-score and compare experiments on long-tailed recognition.

    Without a command: open the dashboard.
    """
    if context.invoked_subcommand is None:
        open_dashboard(DashboardOptions(runs, readonly, ascii_only, mouse))
    elif context.invoked_subcommand != "serve":
        for name, option in (("readonly", "--readonly"), ("ascii_only", "--ascii"), ("mouse", "--mouse")):
            if typed(context, name):
                raise UsageError(
                    f"{option} is the dashboard's, and `{context.invoked_subcommand}` does not open it; leave it out"
                )

"""`wbtui show`: everything about one run."""

from typing import Annotated

import typer

from wbtui.cli.options import Runs, check_plot_size
from wbtui.store.runs_folder import RUNS_DEFAULT

app = typer.Typer()


@app.command()
def show(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The shortest unique part of its id, or @last.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all of it; accuracies are fractions.")
    ] = False,
    epochs: Annotated[bool, typer.Option("--epochs", help="Every epoch in the table, not twelve.")] = False,
    plot: Annotated[
        str,
        typer.Option(
            metavar="NAMES", help="Draw instead: accuracy,fdr or feature_norm@class or test.cosine."
        ),
    ] = "",
    width: Annotated[int, typer.Option(help="Columns of a plot; 0: those of the terminal.")] = 0,
    height: Annotated[int, typer.Option(help="Lines of a plot.")] = 14,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Show a run in full.

    Configuration, provenance, notes, state and why, final figures, epochs, saved adjustments.
    """
    from wbtui.errors import UsageError
    from wbtui.report import overview, terminal
    from wbtui.report.values import json_text
    from wbtui.store.ids import resolve_run
    from wbtui.store.reader import open_run

    check_plot_size(context)
    if plot and as_json:
        raise UsageError("--plot draws and --json prints for programs; expected one of them")
    if plot and epochs:
        raise UsageError("--plot draws in place of the tables that --epochs is about; expected one of them")
    found = open_run(resolve_run(runs, run))
    if plot:
        from wbtui.report.plots import plots

        for canvas in plots(found, plot, terminal.look(width, height)):
            terminal.print_picture(canvas)
    elif as_json:
        print(json_text(overview.overview_json(found)))
    else:
        terminal.show(*overview.overview_tables(found, all_epochs=epochs, how_all=" (--epochs shows all)"))

"""`wbtui export`: how do measurements leave for other tools?"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from wbtui.cli.run import RUNS_DEFAULT, Runs

app = typer.Typer()


@app.command()
def export(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN...]", help="Only these; all runs otherwise.")
    ] = None,
    filter_text: Annotated[
        str, typer.Option("--filter", "-f", metavar="WORDS", help="Only runs that `wbtui ls --filter` shows.")
    ] = "",
    final: Annotated[bool, typer.Option("--final", help="Final figures alone, not every epoch.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A new file; otherwise stdout.")
    ] = None,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Write all scalars of chosen runs as tidy CSV: run, preset, variant, name, seed, stage, epoch, metric, value."""
    from wbtui.errors import UsageError
    from wbtui.report.chosen import some_folders
    from wbtui.report.exporting import write_scalars
    from wbtui.report.terminal import say
    from wbtui.store.reader import open_run

    found = [open_run(folder) for folder in some_folders(runs, run or [], filter_text)]
    if output is None:
        write_scalars(found, sys.stdout, final=final)
        return
    try:
        with output.open("x", newline="", encoding="utf-8") as file:
            count = write_scalars(found, file, final=final)
    except OSError as error:
        raise UsageError(
            f"{output}: cannot be written: {error.strerror}; expected a name that is free"
        ) from None
    say(f"{output}: {count} rows of {len(found)} runs")

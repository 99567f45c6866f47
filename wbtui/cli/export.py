"""`wbtui export`: how do measurements and weights leave for other tools?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wbtui.cli.options import Filter, Runs, expanded_folder
from wbtui.store.runs_folder import RUNS_DEFAULT

if TYPE_CHECKING:
    from wbtui.store.reader import Run

app = typer.Typer()


@app.command()
def export(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN...]", help="Only these; all runs otherwise.")
    ] = None,
    filter_text: Filter = "",
    final: Annotated[
        bool, typer.Option("--final", help="CSV: final figures alone, not every epoch.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="CSV: into a new file; otherwise, or -: stdout."),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            callback=expanded_folder,
            help="Scalars as TensorBoard's event files, a folder a run, not as CSV.",
        ),
    ] = None,
    safetensors: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            callback=expanded_folder,
            help="Backbone and classifier as safetensors, a folder a run; no CSV.",
        ),
    ] = None,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Write figures or weights for other programs.

    By itself all scalars as tidy CSV: run, preset, variant, name, seed, stage, epoch, metric, value.

    With --tensorboard or --safetensors: those instead. They need extras: pip install 'wbtui[tensorboard]' and
    'wbtui[export]'.
    """
    from wbtui.errors import UsageError
    from wbtui.report.chosen import some_folders
    from wbtui.report.event_files import write_event_files
    from wbtui.report.terminal import say
    from wbtui.report.values import counted
    from wbtui.store.reader import open_run
    from wbtui.store.text import plain

    instead = {"--tensorboard": tensorboard, "--safetensors": safetensors}
    for option, folder in instead.items():
        for of_csv, given in {"--final": final, "--output": output}.items():
            if folder and given:
                raise UsageError(
                    f"{of_csv} is about the CSV, and {option} writes something else in its place; leave one of them out"
                )
        if folder and folder.exists() and not folder.is_dir():
            raise UsageError(
                f"{option} {plain(str(folder))}: this is a file; expected a folder, which is made if missing"
            )
    found = [open_run(folder) for folder in some_folders(runs, run or [], filter_text)]
    if tensorboard:
        count = write_event_files(found, tensorboard)
        what = f"{counted(count, 'scalar')} of {counted(len(found), 'run')}"
        say(f"{plain(str(tensorboard))}: {what}; `tensorboard --logdir` shows them")
    if safetensors:
        _export_weights(found, safetensors)
    if not (tensorboard or safetensors):
        _export_csv(found, output, final)


def _export_csv(found: list["Run"], output: Path | None, final: bool) -> None:
    from wbtui.errors import UsageError
    from wbtui.report.exporting import without_figures, write_scalars
    from wbtui.report.terminal import say, write_utf8
    from wbtui.report.values import counted
    from wbtui.store.errors import StoreWriteError
    from wbtui.store.text import plain

    if final:
        for run in without_figures(found):
            say(f"{plain(run.id)} has no final figures; what its epochs measured is there without --final")
    if output is None or str(output) == "-":
        write_utf8()
        write_scalars(found, sys.stdout, final=final)
        return
    try:
        file = output.open("x", newline="", encoding="utf-8")
    except FileExistsError:
        what = "this is a folder" if output.is_dir() else "is there already"
        raise UsageError(f"--output {plain(str(output))}: {what}; expected the name of a new file") from None
    except OSError as error:
        raise UsageError(f"--output {plain(str(output))}: cannot be made: {error.strerror}") from None
    try:
        with file:
            count = write_scalars(found, file, final=final)
    except BaseException as error:
        output.unlink(missing_ok=True)  # half a table looks like a whole one
        if isinstance(error, OSError):
            raise StoreWriteError(output, error) from error
        raise
    say(f"{plain(str(output))}: {counted(count, 'row')} of {counted(len(found), 'run')}")


def _export_weights(found: list["Run"], folder: Path) -> None:
    """Torch reads them in a process of its own; what it says is said here."""
    import subprocess

    from wbtui.launch.environment import child_environment

    command = [sys.executable, "-P", "-m", "wbtui.training.export", str(folder)]
    done = subprocess.run(
        [*command, *(str(run.path) for run in found)],
        env=child_environment(),
        process_group=0,  # Ctrl-C is for this process alone, which ends the other: torch's would be a traceback
        check=False,
    )
    if done.returncode:
        raise typer.Exit(done.returncode)

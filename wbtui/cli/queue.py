"""`wbtui queue`: runs that wait for their turn."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wbtui.cli import options
from wbtui.cli.options import OneRun, Runs, SomeRuns
from wbtui.store.runs_folder import RUNS_DEFAULT, runs_words

if TYPE_CHECKING:
    from wbtui.config import RunConfig
    from wbtui.launch.queue_files import Entry

app = typer.Typer()
queue_app = typer.Typer(rich_markup_mode=None)
app.add_typer(queue_app, name="queue")

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Retry = Annotated[int, typer.Option(min=0, max=100, help="Starts after a crash, from the checkpoint.")]
Slots = Annotated[
    str,
    typer.Option(
        metavar="LIST", help="Runs at once by device, e.g. cuda:0=2,cpu=1; a number: on any device."
    ),
]
Place = Annotated[
    Path | None,
    typer.Option(
        "--runs",
        metavar="DIR",
        help="The folder of all runs.",
        parser=options.named_folder,
        callback=options.expanded_folder,
    ),
]
"""May stand before or behind the command's name."""


@queue_app.callback(invoke_without_command=True)
def queue(context: typer.Context, runs: Runs = RUNS_DEFAULT) -> None:
    """List the queue; its commands change it.

    Without one: shows the runs that wait, and those of the queue that are at work.
    """
    context.obj = runs
    if context.invoked_subcommand is None:
        from wbtui.cli.queue_table import print_queue

        print_queue(runs)


@queue_app.command()
@options.asks_for_runs
def add(
    context: typer.Context,
    asked: options.Asked,
    retry: Retry = 0,
    yes: Yes = False,
    runs: Place = None,
) -> None:
    """Put runs at the end of the queue.

    Lists (a,b,c) in --variant, --seed and --set multiply. Number and estimated time of the runs are shown first. They
    start as slots become free, unless the queue is paused.
    """
    from wbtui.cli.follow import counted_interrupts
    from wbtui.cli.requests import check_all, make_all, resolve_all, say_notices, say_paused
    from wbtui.launch.stages_before import epochs_left
    from wbtui.launch.worker import queue_up

    place: Path = runs or context.obj
    resolved = resolve_all(asked, place)
    say_notices(resolved)
    _confirm(place, [(one.config, epochs_left(one)) for one in resolved], yes)
    check_all(resolved, asked.download)
    folders = make_all(place, resolved, asked)
    with counted_interrupts():  # of folders that are made but not queued nobody takes care
        works = queue_up(place, folders, retry)
    print(*(folder.name for folder in folders), sep="\n")
    if not works:
        say_paused(place)


def _confirm(runs: Path, wanted: list[tuple["RunConfig", int]], yes: bool) -> None:
    import sys

    from wbtui.launch.estimate import estimated_seconds
    from wbtui.launch.queue_files import read_settings
    from wbtui.report.values import counted, duration

    parallel = read_settings(runs).parallel
    seconds = estimated_seconds(runs, wanted, parallel)
    guess = (
        f"about {duration(seconds)}" if seconds is not None else "time unknown, no such run has finished here"
    )
    epochs = sum(epochs for _, epochs in wanted)
    size = f"{counted(len(wanted), 'run')}, {counted(epochs, 'epoch')}, {parallel} at once"
    print(f"{size}: {guess}", file=sys.stderr)
    if len(wanted) > 1 and not yes and sys.stdin.isatty() and not typer.confirm("Add them?", default=True):
        raise typer.Exit(130)


@queue_app.command()
def move(
    context: typer.Context,
    run: OneRun,
    position: Annotated[int, typer.Argument(min=1, help="Its new place among those that wait; 1: next.")],
    runs: Place = None,
) -> None:
    """Give a waiting run another place."""
    from wbtui.launch.queue_files import editing, reorder
    from wbtui.launch.worker import look
    from wbtui.store.ids import resolve_run

    place: Path = runs or context.obj
    folder = resolve_run(place, run)  # before a folder of runs is made that is not there
    with editing(place):
        _, waiting = look(place)
        reorder(waiting, _waiting(folder, waiting), position)


@queue_app.command()
def remove(context: typer.Context, run: SomeRuns, runs: Place = None) -> None:
    """Take waiting runs out of the queue.

    A run that was never started goes to the bin, `wbtui restore` brings it back; one that was stays where it is. So
    does one of another host that is not heard of any more: its slot is free then.
    """
    import sys

    from wbtui.cli.main import USAGE
    from wbtui.launch.queue_files import editing, take_out
    from wbtui.launch.worker import look
    from wbtui.store.ids import resolve_runs, run_words
    from wbtui.store.reader import open_run

    place: Path = runs or context.obj
    folders = resolve_runs(place, run)
    with editing(place):
        working, waiting = look(place)
    silent = [entry for entry in working if open_run(entry.folder).state().name == "unknown"]
    started = False
    for entry in [_waiting(folder, [*waiting, *silent]) for folder in folders]:
        name = entry.folder.name
        command = run_words(entry.folder)
        binned = take_out(entry.folder)
        if binned is None:
            why = (
                "a process holds its lock, so it is at work"
                if entry in silent
                else f"has been started meanwhile; `wbtui stop {command}` ends it"
            )
            print(f"wbtui: {name}: {why}", file=sys.stderr)
            started = True
        elif binned:
            print(f"{name}: in the bin; `wbtui restore {command}` brings it back")
        else:
            print(f"{name}: out of the queue; `wbtui resume {command}` goes on with it")
    if started:
        raise typer.Exit(USAGE)


def _waiting(folder: Path, waiting: list["Entry"]) -> "Entry":
    from wbtui.errors import UsageError
    from wbtui.store.ids import run_words
    from wbtui.store.reader import open_run
    from wbtui.store.text import plain

    for entry in waiting:
        if entry.folder.name == folder.name:
            return entry
    state = open_run(folder).state()
    if state.living:
        raise UsageError(f"{folder.name}: {state.name}; `wbtui stop {run_words(folder)}` ends it")
    command = f"`wbtui queue{plain(runs_words(folder.parent))}`"
    raise UsageError(f"{folder.name}: does not wait in the queue; {command} lists those that do")


@queue_app.command()
def pause(context: typer.Context, runs: Place = None) -> None:
    """Start no more runs; those at work go on."""
    from dataclasses import replace

    from wbtui.launch.queue_files import editing, read_settings, write_settings

    place: Path = runs or context.obj
    with editing(place):
        write_settings(place, replace(read_settings(place), paused=True))
    print("the queue is paused; runs at work go on")


@queue_app.command()
def start(context: typer.Context, slots: Slots = "", runs: Place = None) -> None:
    """Let waiting runs start, and say how many may run at once."""
    from dataclasses import replace

    from wbtui.cli.queue_table import print_queue
    from wbtui.launch.probe import check_slots
    from wbtui.launch.queue_files import editing, read_settings, write_settings
    from wbtui.launch.slots import parse_slots
    from wbtui.launch.worker import ensure_worker, look

    place: Path = runs or context.obj
    wanted = parse_slots(slots) if slots else None
    check_slots(wanted or {})
    with editing(place):
        settings = read_settings(place)
        write_settings(place, replace(settings, paused=False, slots=wanted or settings.slots))
        anything = any(look(place))
    if anything:
        ensure_worker(place)
    print_queue(place)

"""`wbtui attach`, `stop`, `resume`, `rm`, `restore`: what is done to runs that are there."""

from pathlib import Path
from typing import Annotated

import typer

from wbtui.cli.options import AsJson, Detach, OneRun, Quiet, Runs, SomeRuns
from wbtui.store.runs_folder import RUNS_DEFAULT, runs_words

__all__ = ["OneRun", "SomeRuns", "app"]

app = typer.Typer()


@app.command()
def attach(
    run: OneRun,
    watch: Annotated[bool, typer.Option("--watch", help="Only look: Ctrl-C leaves the run at work.")] = False,
    as_json: AsJson = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Follow a run that is at work, or replay one that has ended.

    As under `wbtui run`, Ctrl-C asks the run to stop; --watch only looks.
    """
    from wbtui.cli.follow import follow_to_end
    from wbtui.store.ids import resolve_run

    raise typer.Exit(follow_to_end([resolve_run(runs, run)], as_json=as_json, watch=watch))


@app.command()
def stop(
    run: SomeRuns,
    now: Annotated[bool, typer.Option("--now", help="Begin with SIGTERM.")] = False,
    kill: Annotated[
        bool, typer.Option("--kill", help="Begin with SIGKILL: work since the checkpoint is lost.")
    ] = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Stop runs.

    They are asked first; SIGTERM follows after 20 s, SIGKILL 10 s later.
    """
    from wbtui.cli.climb import climb
    from wbtui.launch.stop import Rung
    from wbtui.store.ids import resolve_runs

    first = Rung.TERMINATE if now else Rung.ASK
    raise typer.Exit(climb(resolve_runs(runs, run), Rung.KILL if kill else first))


@app.command()
def resume(
    run: OneRun,
    detach: Detach = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Go on with a stopped, failed or crashed run.

    It begins at its last checkpoint and ends as if it had never been interrupted.
    """
    from wbtui.cli.follow import counted_interrupts, follow_to_end
    from wbtui.launch.resume import resume_run
    from wbtui.store.ids import resolve_run

    folder = resolve_run(runs, run)
    with counted_interrupts():  # from the half second on in which a run would go on that nobody follows
        resume_run(folder)
        if detach:
            print(folder.name)
            return
        raise typer.Exit(follow_to_end([folder], quiet, as_json))


@app.command()
def rm(run: SomeRuns, runs: Runs = RUNS_DEFAULT) -> None:
    """Move runs into the bin; `wbtui restore` brings them back.

    The bin is a hidden folder beside them.
    """
    from wbtui.store.housekeeping import remove_run
    from wbtui.store.ids import resolve_runs

    for folder in resolve_runs(runs, run):
        print(f"{folder.name} -> {remove_run(folder.parent, folder.name)}")


@app.command()
def restore(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN...]", help="Runs of the bin, as for other commands.")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Say what lies in the bin; bring nothing back.")
    ] = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Bring removed runs back; --list says which there are."""
    from wbtui.errors import UsageError
    from wbtui.store.housekeeping import in_bin, restore_run
    from wbtui.store.text import plain

    if listed and run:
        raise UsageError("--list shows the whole bin; leave it or the runs out")
    if listed:
        _print_bin(runs)
    elif not run:
        command = f"`wbtui restore --list{plain(runs_words(runs))}`"
        raise UsageError(f"which runs? {command} says what lies in the bin")
    for name in dict.fromkeys([in_bin(runs, text) for text in run or ()]):
        print(restore_run(runs, name).name)


def _print_bin(runs: Path) -> None:
    from wbtui.report.listing import listing_table
    from wbtui.report.terminal import say, show
    from wbtui.store.format import BIN
    from wbtui.store.ids import run_ids
    from wbtui.store.reader import Run
    from wbtui.store.summary import summarise
    from wbtui.store.text import plain

    names = run_ids(runs / BIN)
    if names:
        show(listing_table([summarise(Run(runs / BIN / name)) for name in names], names))
    else:
        say(f"{plain(str(runs))}: the bin is empty")

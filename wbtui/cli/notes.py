"""`wbtui note`, `tag`, `star`: what does a person write about a run?"""

from typing import Annotated

import typer

from wbtui.cli.control import OneRun
from wbtui.cli.options import Runs
from wbtui.store.runs_folder import RUNS_DEFAULT

app = typer.Typer()


@app.command()
def note(
    run: OneRun,
    text: Annotated[str, typer.Argument(help="The note; an empty text takes it away.")],
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Replace the note of a run."""
    from wbtui.store.ids import resolve_run
    from wbtui.store.notes import set_note

    folder = resolve_run(runs, run)
    set_note(folder, text)
    print(f"{folder.name}: note {'set' if text else 'taken away'}")


@app.command(context_settings={"ignore_unknown_options": True})
def tag(
    run: OneRun,
    tags: Annotated[list[str], typer.Argument(metavar="[+-]TAG...", help="+base adds, -old removes.")],
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Add and remove tags: wbtui tag 7f3a +base -old."""
    from wbtui.errors import UsageError
    from wbtui.store.ids import resolve_run
    from wbtui.store.notes import edit_tags
    from wbtui.store.text import plain

    if wrong := [one for one in tags if one[:1] not in ("+", "-") or len(one) < 2]:
        raise UsageError(f"tag {plain(wrong[0])!r}: expected +TAG to add or -TAG to remove, e.g. +base")
    add = [one[1:] for one in tags if one.startswith("+")]
    remove = [one[1:] for one in tags if one.startswith("-")]
    folder = resolve_run(runs, run)
    notes = edit_tags(folder, add, remove)
    print(f"{folder.name}: {' '.join(plain(one) for one in notes.tags) or 'no tags'}")


@app.command()
def star(
    run: OneRun,
    off: Annotated[bool, typer.Option("--off", help="Take the star away.")] = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Give a run a star."""
    from wbtui.store.ids import resolve_run
    from wbtui.store.notes import set_star

    folder = resolve_run(runs, run)
    set_star(folder, not off)
    print(f"{folder.name}: star {'taken away' if off else 'given'}")

"""`wbtui ls` and `wbtui reindex`: which runs are there?"""

from typing import Annotated

import typer

from wbtui.cli.options import Runs
from wbtui.store.runs_folder import RUNS_DEFAULT, runs_words

app = typer.Typer()


@app.command()
def ls(
    filter_text: Annotated[
        str,
        typer.Option(
            "--filter",
            "-f",
            metavar="WORDS",
            help="e.g. 'preset:cifar10_lt wd>=1e-3 tag:base -state:failed' or '/re/'.",
        ),
    ] = "",
    sort: Annotated[
        str, typer.Option(metavar="KEY", help="e.g. all, fdr, seed; -all begins with the largest.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every field; accuracies are fractions.")
    ] = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """List the runs, or those that a filter finds.

    With state, method, epoch, test accuracy in percent, FDR and size.

    A filter is words apart by spaces, all of which must hold:

    \b
    word              somewhere in id, name, preset, variant, model or tags
    /re/              a regular expression found there or in the note
    key:value         is that; several by comma: state:running,stalled
                      * and ? stand for anything: variant:wd*
    key>=number       also > <= < = !=; accuracies in percent: few<20
    -anything         not that
    "two words"       quotes keep spaces: note:"two words"

    Keys, for --sort too:

    \b
    id state preset variant model device tag name note star
    seed wd if epoch epochs fdr bn loss derived size time
    all many medium few val                      (percent)
    """
    from wbtui.report.filters import parse_filter
    from wbtui.report.listing import listing_json, listing_table, ordered
    from wbtui.report.terminal import say, show
    from wbtui.report.values import counted, json_text
    from wbtui.store.index import RunIndex
    from wbtui.store.text import plain

    wanted = parse_filter(filter_text)
    listing = RunIndex(runs).listing()
    rows = ordered(wanted.of(listing.rows), sort)
    for message in listing.messages:
        say(message)
    if as_json:
        print(json_text(listing_json(rows)))
    elif rows:
        show(listing_table(rows, (row.id for row in listing.rows)))
    elif listing.rows:
        say(f"none of {counted(len(listing.rows), 'run')} in {plain(str(runs))} is {plain(filter_text)}")
    else:
        command = f"`wbtui run --preset digits_lt{plain(runs_words(runs))}`"
        say(f"no runs in {plain(str(runs))}; {command} makes one")


@app.command()
def reindex(runs: Runs = RUNS_DEFAULT) -> None:
    """Make the index of the runs anew from their folders."""
    from wbtui.report.chosen import rebuild_index
    from wbtui.report.terminal import say
    from wbtui.store.text import plain

    listing = rebuild_index(runs)
    for row in listing.rows:
        if row.problem:
            say(f"{plain(row.id)}: {row.problem}")
    print(f"{plain(str(runs))}: {len(listing.rows)} runs")

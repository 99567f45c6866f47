"""`wbtui report`: a study as the papers' table and figures."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from wbtui.cli.options import Runs, expanded_folder
from wbtui.store.runs_folder import RUNS_DEFAULT

app = typer.Typer()


@app.command()
def report(
    study: Annotated[
        str,
        typer.Argument(
            metavar="[WORDS]", help="Which runs: a filter, e.g. 'preset:cifar100_lt tag:paper'; without: all."
        ),
    ] = "",
    format_: Annotated[
        Literal["table", "markdown", "latex", "csv"], typer.Option("--format", help="How it is written.")
    ] = "table",
    adjust: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD",
            help="A row more a setting: adjusted; also several: additive,tau_norm.",
        ),
    ] = None,
    choose: Annotated[
        Literal["val", "published"] | None,
        typer.Option(
            help="Strength of an adjustment: val, the default, on validation; or the papers' value."
        ),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            callback=expanded_folder,
            help="Write figures as SVG too: FDR over epochs, norms over classes, cosine similarity, accuracy over "
            "the strength of each --adjust, else of multiplicative.",
        ),
    ] = None,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Print a table of methods, as papers do.

    Many, Medium, Few, All, FDR train and test: mean ± std over seeds; the best is bold where seeds tell it apart.

    Only finished runs count; a table for each data preset. Figures need matplotlib: pip install 'wbtui[plots]'.
    """
    from wbtui.adjustment import CRITERIA
    from wbtui.errors import UsageError
    from wbtui.report.adjusting import Request, methods_named
    from wbtui.report.chosen import finished, some_folders
    from wbtui.report.drawing import save_figures
    from wbtui.report.printing import print_tables
    from wbtui.report.study import study_csv_table, study_entries, study_problems, study_tables
    from wbtui.report.study_figures import study_figures
    from wbtui.report.terminal import say
    from wbtui.store.reader import open_run
    from wbtui.store.text import plain

    if choose and not (adjust or figures):
        raise UsageError("--choose belongs to --adjust or --figures")
    requests = [Request(one, CRITERIA["all"], choose or "val") for one in methods_named(adjust or [])]
    kept, left_out = finished([open_run(folder) for folder in some_folders(runs, [], study)])
    for sentence in left_out:
        say(sentence)
    if not kept:
        which = f"the runs that are {plain(study)!r}" if study else f"the runs in {plain(str(runs))}"
        raise UsageError(f"none of {which} is finished")
    entries = study_entries(kept, requests)
    if figures:  # before the table, whose reader may leave after a few lines
        (multiplicative,) = methods_named(["multiplicative"])
        drawn = study_figures(
            entries, requests or [Request(multiplicative, CRITERIA["all"], choose or "val")]
        )
        for path in save_figures(drawn, figures):
            say(f"saved {plain(str(path))}")
    tables = [study_csv_table(entries)] if format_ == "csv" else study_tables(entries)
    print_tables(tables, format_, study_problems(entries))

"""`wbtui compare`: which setting is better, by how much, and what differs between them?"""

from typing import Annotated, Literal

import typer

from wbtui.cli.options import Runs
from wbtui.store.runs_folder import RUNS_DEFAULT

app = typer.Typer()

Format = Literal["table", "markdown", "latex", "csv", "json"]


@app.command()
def compare(
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN...]", help="Runs, or RUN:NAME for a saved adjustment; seeds of a setting fold."
        ),
    ] = None,
    filter_text: Annotated[
        str,
        typer.Option(
            "--filter",
            "-f",
            metavar="WORDS",
            help="In place of RUN...: finished ones of `wbtui ls --filter`.",
        ),
    ] = "",
    baseline: Annotated[
        str, typer.Option(metavar="RUN", help="What the others are held against; the first otherwise.")
    ] = "",
    diff: Annotated[
        bool, typer.Option("--diff", help="Only what differs in configuration and provenance.")
    ] = False,
    format_: Annotated[Format, typer.Option("--format", help="How it is written.")] = "table",
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Compare settings side by side, with intervals.

    Shows test figures with differences to a baseline, and where configuration and provenance differ.

    Seeds of one setting fold into mean ± sample standard deviation. Runs that may not be compared (other split,
    other test set, other groups) are said at the top.
    """
    from wbtui.errors import UsageError
    from wbtui.report import compare as comparing
    from wbtui.report import compare_tables as told
    from wbtui.report.entries import entries, filtered_entries
    from wbtui.report.printing import print_tables
    from wbtui.report.terminal import say
    from wbtui.report.values import counted, json_text

    if bool(run) == bool(filter_text):
        raise UsageError(
            "which runs? expected RUN..., or --filter WORDS as in `wbtui ls --filter`, and not both"
        )
    if filter_text:
        found, left_out = filtered_entries(runs, filter_text, baseline)
        for sentence in left_out:
            say(sentence)
    else:
        found = entries(runs, list(dict.fromkeys([*([baseline] if baseline else []), *(run or ())])))
    if len(found) < 2:
        number = sum(len(entry.every_member) for entry in found)
        raise UsageError(
            f"{counted(number, 'run')} {'makes' if number == 1 else 'make'} 1 setting: "
            "seeds of one setting fold; expected two settings to compare"
        )
    comparison = comparing.compare(found)
    if format_ == "json":
        print(json_text(told.comparison_json(comparison, only_differences=diff)))
        return
    differing = told.difference_tables(comparison)
    if format_ == "csv":
        tables = differing if diff else [told.long_table(comparison)]
    else:
        tables = differing if diff else [told.metric_table(comparison), *differing]
    print_tables(tables, format_, comparison.problems)

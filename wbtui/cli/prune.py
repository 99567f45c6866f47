"""`wbtui prune`: which disk space can finished runs give back?"""

from typing import Annotated, Literal

import typer

from wbtui.cli.options import Filter, Runs
from wbtui.store.runs_folder import RUNS_DEFAULT

app = typer.Typer()


@app.command()
def prune(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN...]", help="Only these; all runs otherwise.")
    ] = None,
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="Delete checkpoints of finished runs.")
    ] = False,
    keep: Annotated[
        Literal["best", "none"], typer.Option(help="best: best.pt stays; none: it goes too.")
    ] = "best",
    unfinished: Annotated[
        bool,
        typer.Option(
            "--unfinished", help="Of stopped, failed and crashed runs too: they cannot be resumed then."
        ),
    ] = False,
    filter_text: Filter = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Delete checkpoints of finished runs.

    Says what that frees, and asks first.

    Figures, series, predictions and logs stay; adjusting and comparing go on as before. What needs the weights does
    not: `wbtui run --from`, and `wbtui export --safetensors` of a run that predicts with its last ones.
    """
    from wbtui.cli.follow import is_terminal
    from wbtui.errors import UsageError
    from wbtui.report.chosen import chosen_folders, rebuild_index
    from wbtui.report.pruning import plan_table
    from wbtui.report.terminal import show
    from wbtui.report.values import counted, size
    from wbtui.store import housekeeping

    if not checkpoints:
        raise UsageError("nothing to prune: expected --checkpoints")
    folders = chosen_folders(runs, run or [], filter_text)
    plan = housekeeping.plan_prune(folders, keep_best=keep == "best", unfinished=unfinished)
    show(plan_table(plan))
    if not plan.files:
        return
    if not yes:
        if not is_terminal():
            raise UsageError(
                "nothing was deleted: this is no terminal to ask in; --yes deletes without asking"
            )
        if not typer.confirm(f"Delete {counted(len(plan.files), 'file')}, {size(plan.bytes)}?"):
            return
    freed = housekeeping.prune(plan, unfinished=unfinished)
    rebuild_index(runs)  # its sizes are those from before
    print(f"freed {size(freed)}")

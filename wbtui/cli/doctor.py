"""`wbtui doctor`: could training start here?"""

from typing import Annotated

import typer

from wbtui.cli.options import Runs
from wbtui.store.runs_folder import RUNS_DEFAULT

app = typer.Typer()


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Check what this machine can do.

    Looks at versions, devices, data sets, the terminal and the runs folder.

    Exit codes: 0 training could start, 1 it could not.
    """
    from wbtui.cli.main import DONE, FAILED
    from wbtui.launch.environment import child_environment
    from wbtui.report import doctor as checks
    from wbtui.report.machine import ask_torch
    from wbtui.report.terminal import show
    from wbtui.report.values import json_text

    findings = [
        *checks.versions(),
        *checks.devices(ask_torch(child_environment())),
        *checks.data_sets(),
        *checks.terminal(),
        *checks.runs_folder(runs),
    ]
    if as_json:
        print(json_text([vars(one) for one in findings]))
    else:
        show(checks.findings_table(findings))
    raise typer.Exit(DONE if checks.can_train(findings) else FAILED)

"""Where are the runs when no option says it?"""

import contextlib
import os
import shlex
from pathlib import Path

RUNS_DEFAULT = Path("runs")
RUNS_VARIABLE = "WBTUI_RUNS"
"""The environment's word, which goes before the default."""


def expanded(place: Path) -> Path:
    """A folder as typed, its ~ made home where no shell has: in `--runs=~/x`, or in the environment of a service.

    Else a folder is made here that is called ~.
    """
    with contextlib.suppress(RuntimeError):  # the ~ of nobody stays as it is
        return place.expanduser()
    return place


def runs_words(runs: Path) -> str:
    """What a command typed next needs so that it finds this runs folder too: ` --runs DIR`, or nothing."""
    found_anyway = expanded(Path(os.environ.get(RUNS_VARIABLE) or RUNS_DEFAULT))
    return "" if runs.resolve() == found_anyway.resolve() else f" --runs {shlex.quote(str(runs))}"

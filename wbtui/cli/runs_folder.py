"""Where are the runs when no option says it?"""

import os
import shlex
from pathlib import Path

RUNS_DEFAULT = Path("runs")
RUNS_VARIABLE = "WBTUI_RUNS"
"""The environment's word, which goes before the default."""


def runs_words(runs: Path) -> str:
    """What a command typed next needs so that it finds this runs folder too: ` --runs DIR`, or nothing."""
    found_anyway = Path(os.environ.get(RUNS_VARIABLE) or RUNS_DEFAULT)
    return "" if runs.resolve() == found_anyway.resolve() else f" --runs {shlex.quote(str(runs))}"

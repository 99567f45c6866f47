"""Where are the runs when no option says it?"""

from pathlib import Path

RUNS_DEFAULT = Path("runs")
RUNS_VARIABLE = "WBTUI_RUNS"
"""The environment's word, which goes before the default."""

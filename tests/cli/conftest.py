"""Real runs for these tests, and finished ones."""

from pathlib import Path

import pytest
from finished_runs import make_run
from living_runs import runs, start

__all__ = ["runs", "start"]


@pytest.fixture
def four_runs() -> Path:
    """The default runs folder, with four runs in it."""
    folder = Path("runs")
    make_run(folder, "wd", 0, digits="aaaa0000")
    make_run(folder, "wd", 1, digits="aabb1111")
    make_run(folder, "ce", 0, digits="cccc2222")
    make_run(folder, "ce", 1, digits="dddd3333", finished=False)
    return folder

"""Real runs for these tests, and an uninterrupted one to hold the others against."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from living_runs import runs, start, wait_until_over
from reliable import Whole, make, outcome_files

from wbtui.launch.start import start_run

__all__ = ["runs", "start", "whole"]

SECONDS_TAKEN = "seconds"
MOST_SECONDS = 20.0  # on a machine that other work holds up, no test waits longer for its moment


@pytest.fixture(scope="session")
def whole(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Whole:
    """What a run leaves that nobody disturbed, and the seconds that it took."""
    place = made_once("undisturbed", _run_undisturbed)
    (folder,) = (path for path in place.iterdir() if path.is_dir())
    return Whole(outcome_files(folder), float((place / SECONDS_TAKEN).read_text()))


def _run_undisturbed(place: Path) -> None:
    folder, config = make(place)
    began = time.monotonic()
    start_run(folder, config)
    assert wait_until_over(folder).name == "finished"
    (place / SECONDS_TAKEN).write_text(str(min(MOST_SECONDS, time.monotonic() - began)))

"""Real runs for these tests, and an uninterrupted one to hold the others against."""

import time

import pytest
from living_runs import runs, start, wait_until_over
from reliable import Whole, make, outcome_files

from wbtui.launch.start import start_run

__all__ = ["runs", "start", "whole"]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """What a run leaves that nobody disturbed, and the seconds that it took."""
    folder, config = make(tmp_path_factory.mktemp("whole"))
    began = time.monotonic()
    start_run(folder, config)
    assert wait_until_over(folder).name == "finished"
    return Whole(outcome_files(folder), time.monotonic() - began)

"""The benchmarks of a GPU, dry on the CPU: their modules, and a part in a process of its own."""

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
GPU = BENCHMARKS / "gpu.py"
needs_benchmarks = pytest.mark.skipif(not GPU.exists(), reason="benchmarks are not part of this copy")

ON_A_BARE_MACHINE = """
import runpy, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("textual", "tinydb", "typer", "rich", "torchvision", "PIL"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
script, *sys.argv = sys.argv[1:][:1] + sys.argv[1:]
sys.path.insert(0, script.rpartition("/")[0])
runpy.run_path(script, run_name="__main__")
"""


@pytest.fixture(scope="module")
def gpu() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WBTUI_GPU_DRY", "1")
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module("gpu")


@pytest.fixture(autouse=True)
def in_time(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpu_ways.STARTED", time.monotonic())


def run_part(results: Path, *arguments: str, **variables: str) -> dict:
    """A part in a process of its own, as on a machine with torch, numpy and the light dependencies alone."""
    here = {"WBTUI_GPU_DRY": "1", "RESULTS": str(results), "PYTHONPATH": str(BENCHMARKS.parent), **variables}
    done = subprocess.run(
        [sys.executable, "-c", ON_A_BARE_MACHINE, str(GPU), *arguments],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
        env={**os.environ, **here},
        cwd=results,
    )
    assert done.returncode == 0, done.stderr
    found: dict = json.loads((results / f"gpu_{arguments[0]}.json").read_text("utf-8"))
    return found

"""What does a command take before it says anything, beside the bare start of the libraries that it is made of?

    OMP_NUM_THREADS=1 python -m benchmarks.cli_speed | tee benchmarks/results/cli_speed.txt

A start is a process of its own and its time the processor seconds of that process, user and system, so that a busy
machine disturbs them little; on an idle one they are what the clock shows. All commands take turns with
`python -c "import typer, rich"`, which every one of them must pay, so that what disturbs one side disturbs the other;
ratios are against its median. Below, what the commands rest on, in this process: a listing of runs and the writing of
an epoch. Budgets stand beside what was measured; no test asserts them.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.ui_speed import make_run
from wbtui.store.format import Metric
from wbtui.store.index import INDEX, RunIndex
from wbtui.store.writer import RunWriter

BARE = [sys.executable, "-c", "import typer, rich"]
WBTUI = [sys.executable, "-m", "wbtui"]
SCALARS, VECTORS, CLASSES = 60, 10, 100
Work = Callable[[], float]


@dataclass(frozen=True)
class Case:
    """Something whose time has a budget."""

    name: str
    work: Work
    """Does it once and tells its processor seconds."""
    budget: float | None = None
    """Processor seconds."""


def started(command: Sequence[str], runs: Path) -> float:
    """Processor seconds of a command from start to end."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"WBTUI_RUNS": str(runs), "OMP_NUM_THREADS": "1"},
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def cold(runs: Path) -> float:
    """Processor seconds of a first `wbtui ls`: there is no index, every run is read."""
    (runs / INDEX).unlink(missing_ok=True)
    return started([*WBTUI, "ls"], runs)


def worked(work: Callable[[], object]) -> float:
    """Processor seconds of some work in this process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def many_runs(runs: Path, count: int) -> None:
    """Make so many finished runs, copies of one but for their names."""
    template = make_run(runs, 0, 8, 8, finished=True)
    for number in range(1, count):
        shutil.copytree(template, runs / f"{template.name[:-8]}{number:08x}")


def epoch_writer(folder: Path) -> Work:
    """Write the next epoch of a run of many metrics, again and again."""
    folder.mkdir()
    (folder / "config.toml").touch()
    writer = RunWriter.open(folder)
    scalars = {f"test.s{number}": number / 7 for number in range(SCALARS)}
    vectors = {f"test.v{number}@class": np.linspace(0, 1, CLASSES) for number in range(VECTORS)}
    for name in scalars:
        writer.define(Metric(name, "s"))
    for name in vectors:
        writer.define(Metric(name, "v", axis="class", width=CLASSES))
    return lambda: worked(lambda: writer.epoch(writer.last_epoch + 1, 0, scalars, vectors))


def measured(cases: Sequence[Case], times: int) -> list[list[float]]:
    """Processor seconds of each case, so many times in turn, after once to warm up."""
    found: list[list[float]] = [[] for _ in cases]
    for turn in range(times + 1):
        for case, seconds in zip(cases, found, strict=True):
            taken = case.work()
            if turn:
                seconds.append(taken)
    return found


def table(cases: Sequence[Case], times: int) -> None:
    """Measure and print; the first case is the one that the others are held against."""
    found = measured(cases, times)
    bare = statistics.median(found[0])
    print(f"{'':42} {'median s':>9} {'worst s':>9} {'ratio':>7}   budget s    n")
    for case, seconds in zip(cases, found, strict=True):
        median, worst = statistics.median(seconds), max(seconds)
        budget = (
            "" if case.budget is None else f"{case.budget:g} {'held' if median < case.budget else 'OVER'}"
        )
        print(
            f"{case.name:42} {median:9.4f} {worst:9.4f} {median / bare:7.2f}   {budget:10} {len(seconds):3}"
        )


def main() -> None:
    """Measure starts, then what they rest on, and print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1000, help="runs in the full folder")
    parser.add_argument("--times", type=int, default=15, help="starts of each command, in turn")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="wbtui-cli-"))
    try:
        empty, full = place / "empty", place / "full"
        empty.mkdir()
        full.mkdir()
        many_runs(full, options.runs)
        print(f"command: python -m benchmarks.cli_speed {' '.join(sys.argv[1:])}".rstrip())
        print(
            f"hardware: {processor_name()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
        )
        packages = ", ".join(f"{name} {version(name)}" for name in ("typer", "rich", "tinydb", "numpy"))
        print(f"versions: Python {platform.python_version()}, {packages}")
        print(f"load average at the start: {os.getloadavg()[0]:.1f}")
        print("processor seconds of a process, from start to end; ratio to the first row\n")
        starts = [
            Case('python -c "import typer, rich"', lambda: started(BARE, empty)),
            Case("wbtui --help", lambda: started([*WBTUI, "--help"], empty), 0.5),
            Case("wbtui ls, no runs", lambda: started([*WBTUI, "ls"], empty), 0.5),
            Case(f"wbtui ls, {options.runs:,} runs, no index yet", lambda: cold(full)),
            Case(f"wbtui ls, {options.runs:,} runs", lambda: started([*WBTUI, "ls"], full), 0.8),
        ]
        table(starts, options.times)
        index = RunIndex(full)
        index.listing()
        print("\nprocessor seconds in one process; ratio to the first row\n")
        inside = [
            Case("stat of events.jsonl of each run", lambda: worked(lambda: stats(full))),
            Case(f"listing, {options.runs:,} runs", lambda: worked(lambda: RunIndex(full).listing()), 0.3),
            Case(f"poll, {options.runs:,} runs", lambda: worked(index.poll), 0.15),
            Case(
                f"epoch of {SCALARS} scalars, {VECTORS} x {CLASSES}", epoch_writer(place / "written"), 0.001
            ),
        ]
        table(inside, 3 * options.times)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def stats(runs: Path) -> None:
    """The least that finding out about changes can take."""
    for folder in runs.iterdir():
        if folder.is_dir():
            (folder / "events.jsonl").stat()


def processor_name() -> str:
    """What /proc/cpuinfo calls the processor, where there is one."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())


if __name__ == "__main__":
    main()

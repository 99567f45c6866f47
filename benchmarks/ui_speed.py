"""Does the dashboard keep its budgets: first paint, keys, live panels, idle, memory, a strength step?

    python -m benchmarks.ui_speed [--runs 10,100,1000] [--seconds 15] [--times 10] [--json]

Each figure is of a dashboard in a process of its own, on a pseudo terminal of 120 x 40, its bytecode compiled as pip
leaves it. Processor time is the whole process's, output what it writes to the terminal. Takes about seven minutes;
meant for a machine that does nothing else.
"""

import argparse
import compileall
import json
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import wbtui
from benchmarks.ui_runs import Trainer, give_predictions, make_run
from benchmarks.ui_terminal import HEIGHT, WIDTH, Dashboard
from wbtui.store.index import RunIndex

FIRST_PAINT, KEY, LIVE_SHARE, LIVE_BYTES = 0.5, 50.0, 3.0, 40.0
STEPS = ((10_000, 100, 16.0), (50_000, 1_000, 60.0))
"""Images, classes and the budget of a strength step in ms."""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    where: str
    value: float
    unit: str
    budget: float | None = None
    """What it may be at most; None: nothing is promised."""
    also: str = ""

    @property
    def verdict(self) -> str:
        """Whether the budget is kept."""
        if self.budget is None:
            return ""
        return "kept" if self.value <= self.budget else "OVER"


@dataclass(frozen=True)
class Folder:
    """A folder of runs to measure in."""

    runs: Path
    home: Path
    where: str

    def open(self, shown: bytes = b"finished") -> Dashboard:
        """The dashboard, when it shows a text."""
        dashboard = Dashboard(self.runs, self.home)
        dashboard.wait_for(shown)
        return dashboard


# ---------------------------------------------------------------------- what is measured


def first_paint(folder: Folder, times: int) -> Iterator[Figure]:
    """From the start of the process to the first lines of the table."""
    found, worked = [], []
    for _ in range(times):
        with Dashboard(folder.runs, folder.home) as dashboard:
            found.append(dashboard.wait_for(b"finished") - dashboard.began)
            worked.append(dashboard.processor_seconds())
    also = f"worst {max(found):.2f}, processor {statistics.median(worked):.2f}, n = {times}"
    yield Figure("first paint", folder.where, statistics.median(found), "s", FIRST_PAINT, also)


def still(folder: Folder, seconds: float, count: int) -> Iterator[Figure]:
    """Idle, memory, and a key (the next run) to the first paint that answers it."""
    with folder.open() as dashboard:
        dashboard.settle()
        before, dashboard.bytes = dashboard.processor_seconds(), 0
        dashboard.drain(seconds)
        share = 100 * (dashboard.processor_seconds() - before) / seconds
        yield Figure("idle, written", folder.where, dashboard.bytes, "bytes", 0, f"in {seconds:.0f} s")
        yield Figure("idle, processor", folder.where, share, "% of a core")
        yield _keys(dashboard, folder.where, "key to paint, runs", [b"j"] * 8 + [b"k"] * 8, count)
        resident, unshared = dashboard.memory()
        yield Figure("memory, unshared", folder.where, unshared, "MB", None, f"resident {resident:.0f}")


def _keys(dashboard: Dashboard, where: str, what: str, keys: Sequence[bytes], count: int) -> Figure:
    before = dashboard.processor_seconds()
    found = [1e3 * dashboard.answer(keys[number % len(keys)], 0.25)[0] for number in range(count)]
    each = 1e3 * (dashboard.processor_seconds() - before) / count
    p95 = statistics.quantiles(found, n=20)[-1]
    also = f"median {statistics.median(found):.0f}, processor {each:.0f} each, n = {count}"
    return Figure(what, where, p95, "ms, p95", KEY, also)


def live(folder: Folder, run: Path, seconds: float, classes: int = 100) -> Iterator[Figure]:
    """Six panels while one run adds an epoch a second."""
    with Trainer(run, classes), folder.open(b"running") as dashboard:
        dashboard.drain(4.0)
        before, dashboard.bytes = dashboard.processor_seconds(), 0
        dashboard.drain(seconds)
        share = 100 * (dashboard.processor_seconds() - before) / seconds
        rate = dashboard.bytes / seconds / 1000
        yield Figure("six live panels, processor", folder.where, share, "% of a core", LIVE_SHARE)
        yield Figure("six live panels, written", folder.where, rate, "kB/s", LIVE_BYTES)
        resident, unshared = dashboard.memory()
        yield Figure(
            "memory while live, unshared", folder.where, unshared, "MB", None, f"resident {resident:.0f}"
        )


def run_page(folder: Folder, count: int) -> Iterator[Figure]:
    """The page of the newest run: opening it, and keys on its panels (cursor and smoothing)."""
    with folder.open() as dashboard:
        dashboard.settle()
        opened = []
        for _ in range(max(count // 6, 3)):
            opened.append(1e3 * dashboard.answer(b"\r", 0.5)[0])
            dashboard.answer(b"\x1b", 0.5)
        also = f"median {statistics.median(opened):.0f}, n = {len(opened)}"
        yield Figure("opening the run", folder.where, max(opened), "ms, worst", KEY, also)
        dashboard.answer(b"\r", 0.5)
        dashboard.answer(b"]", 1.0)
        keys = [b"i", b"h", b"h", b"h", b"+", b"l", b"l", b"+", b"0", b"i"]
        yield _keys(dashboard, folder.where, "key to paint, run", keys, count)


def strength_step(folder: Folder, budget: float, count: int) -> Iterator[Figure]:
    """The strength moved by a key until nothing more is painted, the intervals that follow a rest left out."""
    with folder.open() as dashboard:
        dashboard.settle()
        began = time.perf_counter()
        dashboard.press(b"L")
        dashboard.settle(quiet=2.0)
        opened = time.perf_counter() - began - 2.0
        before = dashboard.processor_seconds()
        found = [
            1e3 * dashboard.answer(b"l" if number < count // 2 else b"h", 0.1)[1] for number in range(count)
        ]
        each = 1e3 * (dashboard.processor_seconds() - before) / count
        p95 = statistics.quantiles(found, n=20)[-1]
        also = f"p95 {p95:.0f}, processor {each:.0f} each, n = {count}; all curves after {opened:.1f} s"
        yield Figure("strength step", folder.where, statistics.median(found), "ms, median", budget, also)
        _, unshared = dashboard.memory()
        yield Figure("memory while adjusting, unshared", folder.where, unshared, "MB")


# ---------------------------------------------------------------------- where


@contextmanager
def folder_of(where: str) -> Iterator[Folder]:
    """An empty folder of runs, gone afterwards."""
    place = Path(tempfile.mkdtemp(prefix="wbtui-ui-"))
    for name in ("runs", "home"):
        (place / name).mkdir()
    try:
        yield Folder(place / "runs", place / "home", where)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def many_runs(count: int, seconds: float, times: int) -> Iterator[Figure]:
    """Everything, in a folder of so many runs."""
    with folder_of(f"{count:,} runs") as folder:
        for number in range(count):
            make_run(folder.runs, number, 8, 8)
        RunIndex(folder.runs).listing()
        yield from first_paint(folder, times)
        yield from still(folder, seconds, 6 * times)
        run = make_run(folder.runs, count, 200, 10_000, finished=False)
        yield from live(folder, run, seconds)


def large_run(where: str, epochs: int, classes: int, seconds: float, times: int) -> Iterator[Figure]:
    """A long run, or one of many classes, among ten others: its page, and live."""
    with folder_of(where) as folder:
        for number in range(10):
            make_run(folder.runs, number, 8, 8)
        make_run(folder.runs, 10, epochs, epochs, classes=classes)
        yield from run_page(folder, 4 * times)
        yield from still(folder, 1.0, 2 * times)
        run = make_run(folder.runs, 11, epochs, 2 * epochs, finished=False, classes=classes)
        yield from live(folder, run, seconds, classes)


def adjusting(images: int, classes: int, budget: float, times: int) -> Iterator[Figure]:
    """A strength step over so many logits."""
    with folder_of(f"{images:,} x {classes:,}") as folder:
        give_predictions(make_run(folder.runs, 0, 8, 8, classes=classes), images, classes)
        yield from strength_step(folder, budget, 4 * times)


def figures(runs: Sequence[int], seconds: float, times: int) -> Iterator[Figure]:
    """All of them, as they are found."""
    for count in runs:
        yield from many_runs(count, seconds, times)
    yield from large_run("10,000 epochs", 10_000, 100, seconds, times)
    yield from large_run("1,000 classes", 200, 1_000, seconds, times)
    for images, classes, budget in STEPS:
        yield from adjusting(images, classes, budget, times)


# ---------------------------------------------------------------------- what is said


def environment() -> dict[str, str]:
    """What the figures hold for."""
    return {
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "textual": version("textual"),
        "numpy": version("numpy"),
        "terminal": f"{WIDTH} x {HEIGHT}",
        "load at the start": f"{os.getloadavg()[0]:.1f}",
    }


def _line(cells: Sequence[str]) -> str:
    what, where, value, unit, budget, verdict, also = cells
    return f"{what:33}{where:16}{value:>8} {unit:12}{budget:>7}  {verdict:8}{also}".rstrip()


def _as_line(one: Figure) -> str:
    digits = 2 if one.unit == "s" else 1 if one.unit.startswith(("%", "kB")) else 0
    budget = "" if one.budget is None else f"{one.budget:g}"
    return _line([one.what, one.where, f"{one.value:.{digits}f}", one.unit, budget, one.verdict, one.also])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", default="10,100,1000", help="numbers of runs in the folder")
    parser.add_argument("--seconds", type=float, default=15.0, help="of idle and of live watching, each")
    parser.add_argument("--times", type=int, default=10, help="starts; a sixth of the keys")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    compileall.compile_dir(Path(wbtui.__file__).parent, quiet=1)
    began = environment()
    if not options.json:
        print("; ".join(f"{name} {value}" for name, value in began.items()), flush=True)
        print(_line(["what", "where", "value", "", "budget", "verdict", "beside it"]), flush=True)
    found = []
    for one in figures([int(count) for count in options.runs.split(",")], options.seconds, options.times):
        found.append(one)
        if not options.json:
            print(_as_line(one), flush=True)
    over = [one for one in found if one.verdict == "OVER"]
    if options.json:
        lines = [asdict(one) | {"verdict": one.verdict} for one in found]
        print(json.dumps({"environment": began, "figures": lines}, indent=1))
    else:
        print(f"\n{len(over)} of {sum(one.budget is not None for one in found)} budgets are not kept")


if __name__ == "__main__":
    main()

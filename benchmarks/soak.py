"""Do many writers and readers of one runs folder lose anything? An hour's worth of synthetic runs in a few minutes.

    python benchmarks/soak.py [--runs 100] [--epochs 300] [--classes 100] [--writers 8] [--readers 2]

Writers train nothing: they write run folders through the trainer's own RunWriter, as fast as they can. Readers list the
folder through the index and follow every run's events meanwhile; one process keeps tagging. At the end every event and
row is counted against what was written. Not part of CI.
"""

import argparse
import multiprocessing as mp
import os
import platform
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import psutil

from wbtui.presets import resolve
from wbtui.store.format import Metric, Result
from wbtui.store.ids import create_run
from wbtui.store.index import RunIndex
from wbtui.store.notes import edit_tags
from wbtui.store.reader import open_run
from wbtui.store.records import write_result
from wbtui.store.writer import RunWriter

SCALARS = [f"test.accuracy.{group}" for group in ("all", "many", "medium", "few")] + [
    "test.fdr",
    "running.loss",
    "lr",
]
VECTORS = ["test.accuracy@class", "test.feature_norm@class", "classifier.norm@class"]


def write_run(folder: Path, epochs: int, classes: int, seed: int) -> None:
    """One synthetic run, whole."""
    numbers = np.random.default_rng(seed)
    with RunWriter.open(folder) as writer:
        writer.event("start", epochs=epochs, classes=classes)
        for name in SCALARS:
            writer.define(Metric(name, name.split(".")[1] if "." in name else name))
        for name in VECTORS:
            writer.define(Metric(name, "vector", axis="class", width=classes))
        for epoch in range(1, epochs + 1):
            scalars = dict(zip(SCALARS, numbers.random(len(SCALARS)).tolist(), strict=True))
            writer.epoch(epoch, 0, scalars, {name: numbers.random(classes) for name in VECTORS})
        writer.event("end", outcome="finished", reason="all epochs done")
    now = time.time()
    write_result(
        folder, Result(1, "finished", "all epochs done", exit_code=0, started=now, ended=now, epoch=epochs)
    )


def work(runs: Path, count: int, epochs: int, classes: int, first: int) -> None:
    """One writer: run after run."""
    for number in range(first, first + count):
        config = resolve("digits_lt", "wd", options={"seed": number}).config
        write_run(create_run(runs, config), epochs, classes, number)


def read(runs: Path, stop: Event, peak: "mp.Queue[tuple[int, int, str]]") -> None:
    """One reader: lists and follows everything until told to stop."""
    index, followed, listings, trouble = RunIndex(runs), {}, 0, ""
    try:
        while not stop.is_set():
            for row in index.listing().rows:
                run = followed.setdefault(row.id, open_run(runs / row.id))
                assert run.history.last_epoch >= 0
            listings += 1
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        trouble = f"{type(error).__name__}: {error}"
    peak.put((psutil.Process().memory_info().rss, listings, trouble))


def tag(runs: Path, stop: Event) -> None:
    """Keeps tagging whatever is there."""
    number = 0
    while not stop.is_set():
        for folder in list(runs.glob("*-wd-s*"))[:10]:
            edit_tags(folder, add=[f"t{number % 5}"])
            number += 1
        time.sleep(0.05)


def lost(runs: Path, epochs: int, classes: int) -> tuple[int, int, int]:
    """Runs that are not whole, bad lines, and series rows that are missing or NaN."""
    broken = bad = rows = 0
    for folder in runs.glob("*-wd-s*"):
        run = open_run(folder)
        broken += run.state().name != "finished" or run.history.last_epoch != epochs
        bad += run.bad_lines
        for name in VECTORS:
            values = run.series(name).values
            rows += epochs * classes - int(np.isfinite(values).sum())
    return broken, bad, rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for option, default in (("runs", 100), ("epochs", 300), ("classes", 100), ("writers", 8), ("readers", 2)):
        parser.add_argument(f"--{option}", type=int, default=default)
    args = parser.parse_args()
    mp.set_start_method("spawn")
    with tempfile.TemporaryDirectory() as place:
        runs = Path(place) / "runs"
        runs.mkdir()
        stop, found = mp.Event(), mp.Queue()
        shares = [args.runs // args.writers + (i < args.runs % args.writers) for i in range(args.writers)]
        firsts = [sum(shares[:i]) for i in range(args.writers)]
        started = time.monotonic()
        writers = [
            mp.Process(target=work, args=(runs, share, args.epochs, args.classes, first))
            for share, first in zip(shares, firsts, strict=True)
        ]
        helpers = [mp.Process(target=read, args=(runs, stop, found)) for _ in range(args.readers)]
        helpers.append(mp.Process(target=tag, args=(runs, stop)))
        for process in writers + helpers:
            process.start()
        for process in writers:
            process.join()
        seconds = time.monotonic() - started
        stop.set()
        seen = [found.get() for _ in range(args.readers)]
        for process in helpers:
            process.join()
        broken, bad, rows = lost(runs, args.epochs, args.classes)
        folder = next(runs.glob("*-wd-s*"))
        sizes = {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
        print(
            f"python {platform.python_version()}, numpy {np.__version__}, {len(os.sched_getaffinity(0))} cores, n = 1"
        )
        print(" ".join(["command", *sys.argv]))
        print(
            f"{args.runs} runs x {args.epochs} epochs x {args.classes} classes, {args.writers} writers: {seconds:.0f} s"
        )
        print(f"lost: {broken} runs not whole, {bad} bad lines, {rows} numbers missing from series")
        for rss, listings, trouble in seen:
            print(
                f"reader: {listings} listings, {rss / 2**20:.0f} MiB at the end, {trouble or 'no exception'}"
            )
        index = (runs / "index.json").stat().st_size
        print(f"index.json {index / 2**10:.0f} KiB; one run {sum(sizes.values()) / 2**10:.0f} KiB:")
        for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:5]:
            print(f"  {name} {size / 2**10:.0f} KiB")
        exit_code = 1 if broken or bad or rows or any(trouble for _, _, trouble in seen) else 0
    sys.exit(exit_code)


if __name__ == "__main__":
    main()

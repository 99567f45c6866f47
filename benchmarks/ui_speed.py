"""Does the dashboard keep its budgets: first paint, live panels, keys, idle?

    python -m benchmarks.ui_speed [--runs 1000] [--seconds 20]

The dashboard runs as people run it, a process of its own on a pseudo terminal of 120 x 40; its processor time is the
whole process's, its output what it writes to the terminal. Runs are made by the store's own writer, without training.
"""

import argparse
import contextlib
import fcntl
import os
import platform
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

import numpy as np
import psutil

from wbtui.store import facts, records
from wbtui.store.format import Metric, Result
from wbtui.store.index import RunIndex
from wbtui.store.writer import RunWriter

CLASSES = 100
WIDTH, HEIGHT = 120, 40
METRICS = (
    *(
        Metric(f"test.accuracy.{group}", "accuracy", "fraction", "higher", group)
        for group in ("all", "many", "medium", "few")
    ),
    Metric("test.fdr", "fdr", better="higher"),
    Metric("bn.scale.mean", "bn_scale"),
    Metric("test.feature_norm@class", "feature_norm", axis="class", width=CLASSES),
    Metric("classifier.norm@class", "classifier_norm", axis="class", width=CLASSES),
    Metric("test.loss", "loss", "nats", "lower"),
)
CONFIG = """preset = "cifar100_lt"
variant = "wd"
seed = {seed}
[data]
source = "npz"
root = "none"
[[stages]]
epochs = {epochs}
weight_decay = 0.005
"""


def measured(writer: RunWriter, epoch: int, random: np.random.Generator) -> None:
    """Write an epoch as a trainer would."""
    rise = 1 - np.exp(-epoch / 60)
    scalars = {
        f"test.accuracy.{group}": 0.7 * rise + random.normal(0, 0.01)
        for group in ("all", "many", "medium", "few")
    }
    scalars |= {"test.fdr": 60 * rise, "bn.scale.mean": 1 - 0.9 * rise, "test.loss": 4 - 2 * rise}
    norms = np.linspace(6, 2, CLASSES) + random.normal(0, 0.1, CLASSES)
    writer.epoch(epoch, 0, scalars, {"test.feature_norm@class": norms, "classifier.norm@class": norms / 6})


def make_run(runs: Path, number: int, epochs: int, total: int, *, finished: bool) -> Path:
    """Make a run folder."""
    folder = (
        runs
        / f"20260101-{number // 3600 % 24:02}{number // 60 % 60:02}{number % 60:02}-x-wd-s{number % 5}-{number:08x}"
    )
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG.format(seed=number % 5, epochs=total))
    random = np.random.default_rng(number)
    with RunWriter.open(folder) as writer:
        writer.event("start")
        for metric in METRICS:
            writer.define(metric)
        for epoch in range(1, epochs + 1):
            measured(writer, epoch, random)
        if finished:
            writer.event("end", outcome="finished", reason="all epochs done")
    if finished:
        records.write_result(folder, Result(1, "finished", "all epochs done", 0, started=1.0, ended=9.0))
    return folder


class Dashboard:
    """The dashboard in a terminal of its own."""

    def __init__(self, runs: Path) -> None:
        self.began = time.perf_counter()
        self.bytes = 0
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.environ.update(
                TERM="xterm-256color", COLORTERM="truecolor", COLUMNS=str(WIDTH), LINES=str(HEIGHT)
            )
            os.environ.pop("NO_COLOR", None)
            os.execv(sys.executable, [sys.executable, "-m", "wbtui", "--runs", str(runs)])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.process = psutil.Process(pid)

    def read(self, seconds: float) -> bytes:
        """What it writes within so many seconds; returns at the first piece."""
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if not ready:
            return b""
        try:
            data = os.read(self.terminal, 1 << 20)
        except OSError:
            return b""
        self.bytes += len(data)
        return data

    def wait_for(self, wanted: bytes, seconds: float = 30.0) -> float:
        """Read until a text appears; the moment."""
        seen, until = b"", time.perf_counter() + seconds
        while time.perf_counter() < until:
            seen = seen[-4096:] + self.read(0.5)
            if wanted in seen:
                return time.perf_counter()
        raise TimeoutError(f"{wanted!r} did not appear")

    def settle(self, quiet: float = 1.2) -> None:
        """Read until nothing comes for so many seconds."""
        while self.read(quiet):
            pass

    def drain(self, seconds: float) -> None:
        """Read for so many seconds."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self.read(left)

    def press(self, keys: bytes) -> None:
        """Press a key."""
        os.write(self.terminal, keys)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self.press(b"q")
            self.drain(1.0)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.process.pid, signal.SIGKILL)
            os.waitpid(self.process.pid, 0)
        os.close(self.terminal)


def processor_seconds(process: psutil.Process) -> float:
    """Processor time so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def first_paint(runs: Path, times: int) -> tuple[list[float], list[float]]:
    """Seconds from the start of the process to the first lines of the table, and its processor seconds until then."""
    found, worked = [], []
    for _ in range(times):
        dashboard = Dashboard(runs)
        try:
            found.append(dashboard.wait_for(b"finished") - dashboard.began)
            worked.append(processor_seconds(dashboard.process))
        finally:
            dashboard.close()
    return found, worked


def idle(runs: Path, seconds: float) -> tuple[float, int]:
    """Share of a core and bytes written while nothing happens."""
    dashboard = Dashboard(runs)
    try:
        dashboard.wait_for(b"finished")
        dashboard.settle()
        before, dashboard.bytes = processor_seconds(dashboard.process), 0
        dashboard.drain(seconds)
        return (processor_seconds(dashboard.process) - before) / seconds, dashboard.bytes
    finally:
        dashboard.close()


def keys(runs: Path, count: int) -> list[float]:
    """Seconds from a key (the next run) to the first paint that answers it."""
    dashboard = Dashboard(runs)
    found = []
    try:
        dashboard.wait_for(b"finished")
        dashboard.settle()
        for number in range(count):
            began = time.perf_counter()
            dashboard.press(b"j" if number % 20 < 15 else b"k")
            while not dashboard.read(2.0):
                pass
            found.append(time.perf_counter() - began)
            dashboard.drain(0.3)
        return found
    finally:
        dashboard.close()


def live(runs: Path, folder: Path, seconds: float) -> tuple[float, float]:
    """Share of a core and bytes a second while one run adds an epoch a second."""
    dashboard = Dashboard(runs)
    stopped = threading.Event()
    trainer = threading.Thread(target=_train, args=(folder, stopped), daemon=True)
    trainer.start()
    try:
        dashboard.wait_for(b"running")
        dashboard.drain(4.0)
        before, dashboard.bytes = processor_seconds(dashboard.process), 0
        dashboard.drain(seconds)
        return (processor_seconds(dashboard.process) - before) / seconds, dashboard.bytes / seconds
    finally:
        stopped.set()
        trainer.join()
        dashboard.close()


def _train(folder: Path, stopped: threading.Event) -> None:
    """Play a trainer: an epoch a second, a heartbeat with each."""
    random = np.random.default_rng(1)
    records.write_process(folder, facts.process_info(1, pid=os.getpid(), process_group=os.getpgid(0)))
    beat = records.HeartbeatWriter(folder)
    with RunWriter.open(folder) as writer:
        epoch = writer.last_epoch
        while not stopped.wait(1.0):
            epoch += 1
            measured(writer, epoch, random)
            beat.beat("training", epoch + 1, 1, batches=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="runs in the folder")
    parser.add_argument("--seconds", type=float, default=20.0, help="of live and idle watching")
    parser.add_argument("--times", type=int, default=10, help="starts, and tenths of keys")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="wbtui-ui-"))
    try:
        runs = place / "runs"
        for number in range(options.runs):
            make_run(runs, number, 8, 8, finished=True)
        RunIndex(runs).listing()
        print(
            f"{options.runs} runs, {WIDTH} x {HEIGHT}, {platform.processor() or platform.machine()}, "
            f"{os.cpu_count()} cores, Python {platform.python_version()}, textual {_version('textual')}"
        )
        paints, worked = first_paint(runs, options.times)
        print(
            f"first paint      median {statistics.median(paints):.2f} s, worst {max(paints):.2f} s, "
            f"of it processor {statistics.median(worked):.2f} s, n = {len(paints)}"
        )
        share, count = idle(runs, options.seconds)
        print(f"idle             {100 * share:.1f} % of a core, {count} bytes in {options.seconds:.0f} s")
        answered = keys(runs, 10 * options.times)
        p95 = statistics.quantiles(answered, n=20)[-1]
        print(
            f"key to paint     median {1e3 * statistics.median(answered):.0f} ms, p95 {1e3 * p95:.0f} ms, "
            f"n = {len(answered)}"
        )
        folder = make_run(runs, options.runs + 1, 200, 10_000, finished=False)
        share, rate = live(runs, folder, options.seconds)
        print(
            f"six live panels  {100 * share:.1f} % of a core, {rate / 1000:.1f} kB/s to the terminal, "
            "one epoch a second"
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _version(package: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "show", package], capture_output=True, text=True, check=False
    )
    return next((line.split()[1] for line in done.stdout.splitlines() if line.startswith("Version")), "?")


if __name__ == "__main__":
    main()

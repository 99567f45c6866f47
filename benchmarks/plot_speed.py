"""How long does a plot take from new numbers to the last byte at the terminal, ours and other people's?

Each library runs in a Textual app of its own behind a real pty of 120x40 cells. An update gives it new y for
four curves of n points and a moved cursor, with ticks and legend on; the clock starts in the app before the library is
called and stops when the last byte of the burst has arrived at the other end of the pty. Frames are not held back
(TEXTUAL_FPS=1000), so that the time is work and not waiting for the next of 60 frames a second.

The other two libraries are no dependencies of wbtui. From the top of the repository:

    python -m venv .venv-plots
    .venv-plots/bin/pip install numpy textual textual-plot textual-plotext
    PYTHONPATH=. .venv-plots/bin/python benchmarks/plot_speed.py | tee benchmarks/results/plot_speed.txt
"""

import argparse
import fcntl
import os
import platform
import pty
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

COLUMNS, ROWS = 120, 40
CURVES = ("all", "head", "medium", "tail")
POINTS = (200, 10_000)
LIBRARIES = ("wbtui", "textual-plot", "textual-plotext")
WARM_UP, UPDATES = 5, 40
QUIET_SECONDS = 0.15  # a burst has ended when nothing follows for so long

Update = Callable[[np.ndarray, list[np.ndarray], float], None]


def curves(points: int, step: int) -> tuple[np.ndarray, list[np.ndarray], float]:
    """Return x, the y of each curve and the cursor at an update; every update draws other noise."""
    generator = np.random.default_rng(step)
    x = np.linspace(0, 200, points)
    rising = [70 - 9 * i - 30 * np.exp(-x / (30 + 10 * i)) for i in range(len(CURVES))]
    return x, [y + generator.normal(0, 0.8, points) for y in rising], 20.0 + step


def wbtui_widget():
    """Return a widget that shows a canvas by the Line API, and its update."""
    from rich.segment import Segment
    from rich.style import Style
    from textual.strip import Strip
    from textual.widget import Widget

    from wbtui.plotting import BOLD, DEFAULT, DIM, LineOptions, Series, line_plot, series_style

    @lru_cache(maxsize=4096)
    def rich_style(base: Style, foreground: int, background: int, attributes: int) -> Style:
        return base + Style(
            color=None if foreground == DEFAULT else f"#{foreground:06x}",
            bgcolor=None if background == DEFAULT else f"#{background:06x}",
            bold=bool(attributes & BOLD),
            dim=bool(attributes & DIM),
        )

    class PlotView(Widget):
        """A canvas on the screen."""

        strips: list[Strip] = []  # noqa: RUF012

        def show(self, x: np.ndarray, ys: list[np.ndarray], cursor: float) -> None:
            series = [
                Series.styled(name, x, y, series_style(i))
                for i, (name, y) in enumerate(zip(CURVES, ys, strict=True))
            ]
            options = LineOptions(*self.size, title="Accuracy", x_label="epoch", cursor_x=cursor)
            base = self.rich_style
            self.strips = [
                Strip([Segment(run.text, rich_style(base, *run[1:])) for run in row], self.size.width)
                for row in line_plot(series, options).canvas.rows()
            ]
            self.refresh()

        def render_line(self, y: int) -> Strip:
            return self.strips[y] if y < len(self.strips) else Strip.blank(self.size.width)

    view = PlotView()
    return view, view.show


def textual_plot_widget():
    """Return textual-plot's widget with braille curves, ticks, legend and an upright line, and its update."""
    from textual_plot import HiResMode, PlotWidget

    view = PlotWidget()
    colours = ("cyan", "orange3", "green", "red")

    def show(x: np.ndarray, ys: list[np.ndarray], cursor: float) -> None:
        view.clear()
        for name, colour, y in zip(CURVES, colours, ys, strict=True):
            view.plot(x, y, line_style=colour, hires_mode=HiResMode.BRAILLE, label=name)
        view.add_v_line(cursor)
        if not view.query_one("#legend").display:
            view.show_legend()

    return view, show


def textual_plotext_widget():
    """Return textual-plotext's widget with braille curves, ticks, legend and an upright line, and its update."""
    from textual_plotext import PlotextPlot

    view = PlotextPlot()
    colours = ("cyan", "orange", "green", "red")

    def show(x: np.ndarray, ys: list[np.ndarray], cursor: float) -> None:
        view.plt.clear_data()
        view.plt.title("Accuracy")
        view.plt.xlabel("epoch")
        for name, colour, y in zip(CURVES, colours, ys, strict=True):
            view.plt.plot(x.tolist(), y.tolist(), marker="braille", color=colour, label=name)
        view.plt.vline(cursor)
        view.refresh()

    return view, show


WIDGETS = dict(zip(LIBRARIES, (wbtui_widget, textual_plot_widget, textual_plotext_widget), strict=True))


def run_app(library: str, points: int, clock: int) -> None:
    """Show one library; each key press is an update, whose start time goes into the file descriptor `clock`."""
    from textual.app import App

    view, show = WIDGETS[library]()
    steps = [curves(points, step) for step in range(WARM_UP + UPDATES)]

    class Screen(App):
        CSS = "Screen { overflow: hidden; }"

        def compose(self):
            yield view

        def on_key(self) -> None:
            x, ys, cursor = steps.pop(0)
            os.write(clock, struct.pack("dd", time.monotonic(), time.process_time()))
            show(x, ys, cursor)

    Screen().run()


class Terminal:
    """The far end of a pty on which a library runs."""

    def __init__(self, library: str, points: int) -> None:
        self.pty, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.clock, clock = os.pipe()
        self.app = subprocess.Popen(
            [sys.executable, __file__, "--app", library, "--points", str(points), "--clock", str(clock)],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            pass_fds=(clock,),
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_FPS": "1000"},
        )
        os.close(inner)
        os.close(clock)
        self.burst(patience=20)

    def burst(self, patience: float) -> tuple[float, int]:
        """Read until the app is quiet; return when the last byte came and how many came."""
        last, count = time.monotonic(), 0
        while select.select([self.pty], [], [], QUIET_SECONDS if count else patience)[0]:
            received = os.read(self.pty, 65_536)
            last, count = time.monotonic(), count + len(received)
        if not count:
            raise RuntimeError("the app drew nothing")
        return last, count

    def update(self) -> tuple[float, int, float]:
        """Ask for an update; return its milliseconds, its bytes, and the app's processor seconds at its start."""
        os.write(self.pty, b"u")
        last, count = self.burst(patience=60)
        started, processor = struct.unpack("dd", os.read(self.clock, 16))
        return 1e3 * (last - started), count, processor

    def close(self) -> None:
        """End the app."""
        self.app.kill()
        self.app.wait()
        os.close(self.pty)
        os.close(self.clock)


@dataclass(frozen=True)
class Cost:
    """What updates of one library cost."""

    median: float
    """Milliseconds from the call to the last byte."""
    p95: float
    """95th percentile of the same."""
    processor: float
    """Milliseconds of processor time."""
    written: float
    """Median of bytes."""


def measure(points: int) -> dict[str, Cost]:
    """Update the libraries in turn, so that whatever else the machine does meets all of them."""
    terminals = {library: Terminal(library, points) for library in LIBRARIES}
    updates: dict[str, list[tuple[float, int, float]]] = {library: [] for library in LIBRARIES}
    try:
        for _ in range(WARM_UP + UPDATES):
            for library, terminal in terminals.items():
                updates[library].append(terminal.update())
    finally:
        for terminal in terminals.values():
            terminal.close()
    return {library: cost(updates[library][WARM_UP:]) for library in LIBRARIES}


def cost(updates: list[tuple[float, int, float]]) -> Cost:
    """Summarise updates of one library."""
    times, counts, processor = zip(*updates, strict=True)
    return Cost(
        median=statistics.median(times),
        p95=sorted(times)[int(0.95 * (len(times) - 1))],
        processor=1e3 * (processor[-1] - processor[0]) / (len(times) - 1),
        written=statistics.median(counts),
    )


def drawing_alone(points: int) -> float:
    """Return the median milliseconds of our plot function, without Textual and terminal."""
    from wbtui.plotting import LineOptions, Series, line_plot, series_style

    times = []
    for step in range(WARM_UP + UPDATES):
        x, ys, cursor = curves(points, step)
        start = time.perf_counter()
        series = [
            Series.styled(name, x, y, series_style(i))
            for i, (name, y) in enumerate(zip(CURVES, ys, strict=True))
        ]
        line_plot(series, LineOptions(COLUMNS, ROWS, title="Accuracy", x_label="epoch", cursor_x=cursor))
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[WARM_UP:])


def processor_name() -> str:
    """Return what /proc/cpuinfo calls the processor, where there is one."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())


def main() -> None:
    """Measure every library at every number of points and print the table."""
    print("command: PYTHONPATH=. python benchmarks/plot_speed.py")
    print(f"hardware: {processor_name()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    packages = (
        "numpy",
        "rich",
        "textual",
        "textual-plot",
        "textual-hires-canvas",
        "textual-plotext",
        "plotext",
    )
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    print(f"versions: Python {platform.python_version()}, {versions}")
    print(
        f"n: one run, {UPDATES} updates of each in turn after {WARM_UP} to warm up; {len(CURVES)} curves at "
        f"{COLUMNS}x{ROWS} with ticks, legend and cursor, all points new in every update"
    )
    print(f"load average of the machine before the run: {os.getloadavg()[0]:.1f}")
    print("time: from the call of the library to the last byte at the other end of the pty; TEXTUAL_FPS=1000")
    for points in POINTS:
        print(f"\n{len(CURVES)} x {points:,} points      median ms   p95 ms   cpu ms   bytes   times ours")
        costs = measure(points)
        for library, one in costs.items():
            ratio = one.median / costs["wbtui"].median
            print(
                f"{library:22} {one.median:10.1f} {one.p95:8.1f} {one.processor:8.1f} {one.written:7.0f} {ratio:12.2f}"
            )
        print(f"our function alone     {drawing_alone(points):10.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--app", choices=LIBRARIES, help=argparse.SUPPRESS)
    parser.add_argument("--points", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--clock", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.app:
        run_app(arguments.app, arguments.points, arguments.clock)
    else:
        main()

"""Takes the pictures of the dashboard in docs/img, of real runs on the embedded digits.

    python -m docs.screenshots [--runs DIR] [--epochs 60]

Trains four runs (two minutes on one core) unless DIR has some already, starts a fifth to have one at work, and writes
an SVG a screen. The pictures change with every training; what is on them does not.
"""

import argparse
import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wbtui.launch.identity import waiter_lives
from wbtui.launch.start import make_run, start_run
from wbtui.launch.stop import Rung, take
from wbtui.presets import resolve
from wbtui.store.ids import run_ids
from wbtui.store.reader import open_run
from wbtui.tui.app import WbtuiApp

PLACE = Path(__file__).parent / "img"
REST_SECONDS = 2.0
METHODS = (("wd", 0), ("wd", 1), ("ce", 0), ("wb", 0))


@dataclass(frozen=True)
class Shot:
    """One picture."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    """Pressed one after the other; an empty one waits until the screen rests."""
    no_color: bool = False
    ascii_only: bool = False


PAGE = "right_square_bracket"
FINISHED = ("down", "space") * len(METHODS)
"""Selects all runs but the first in the table, which is the one at work."""
SHOTS = (
    Shot("runs", (120, 40), ("down", "p", "down", "p", "down")),
    Shot("runs-80x24", (80, 24)),
    Shot("runs-200x60", (200, 60), ("i", "left", "left", "left")),
    Shot("runs-seeds", (120, 40), ("G", "down")),
    Shot("classes", (120, 40), ("down", "space", "down", "", "v", "5", "v", "v")),
    Shot("runs-no-color", (120, 40), no_color=True),
    Shot("runs-ascii", (80, 24), ascii_only=True),
    Shot("run-overview", (120, 40), ("down", "enter")),
    Shot("run-heatmaps", (120, 40), ("down", "enter", "", PAGE, PAGE)),
    Shot("start", (120, 40), ("R", "", "tab", *"ce,wd", "tab", *"0,1,2")),
    Shot("help", (120, 40), ("question_mark",)),
    Shot("adjust", (120, 40), ("down", "down", "", "L", "", "a", "m", "m", "")),
    Shot("compare", (120, 40), (*FINISHED, "", "C", "")),
)
EMPTY = Shot("no-runs", (80, 24))


def train(runs: Path, epochs: int) -> None:
    """Train a run of each method, one after the other."""
    for variant, seed in METHODS:
        print(f"training {variant}, seed {seed}", flush=True)
        folder = start(runs, variant, seed, epochs)
        while not open_run(folder).state().terminal:
            time.sleep(0.2)


def start(runs: Path, variant: str, seed: int, epochs: int) -> Path:
    """Start a run; its folder."""
    settings = [f"stages.0.epochs={epochs}", "diagnostics.matrices_every=10"]
    resolved = resolve("digits_lt", variant, settings=settings, options={"seed": seed})
    folder = make_run(runs, resolved, ["wbtui", "run", "--preset", "digits_lt", "--variant", variant])
    start_run(folder, resolved.config)
    return folder


@contextmanager
def one_at_work(runs: Path) -> Iterator[None]:
    """A run at work while the pictures are taken; it is gone afterwards."""
    folder = start(runs, "wd_fr_etf", 0, 2_000)
    while open_run(folder).history.last_epoch < 40:
        time.sleep(0.2)
    try:
        yield
    finally:
        take(folder, Rung.KILL)
        while waiter_lives(folder):
            time.sleep(0.2)
        shutil.rmtree(folder)


async def picture(runs: Path, shot: Shot) -> None:
    """Take one picture."""
    os.environ.pop("NO_COLOR", None)
    if shot.no_color:
        os.environ["NO_COLOR"] = "1"
    app = WbtuiApp(runs, ascii_only=shot.ascii_only)
    async with app.run_test(size=shot.size) as pilot:
        await pilot.pause(REST_SECONDS)
        for key in shot.keys:
            await (pilot.press(key) if key else pilot.pause(REST_SECONDS))
        await pilot.pause(REST_SECONDS)
        (PLACE / f"{shot.name}.svg").write_text(app.export_screenshot(title="wbtui"))
    print(PLACE / f"{shot.name}.svg", flush=True)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, help="a folder of finished runs; without it they are trained")
    parser.add_argument("--epochs", type=int, default=60, help="of each run that is trained")
    options = parser.parse_args()
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        runs = (options.runs or Path(place) / "runs").absolute()
        os.chdir(place)
        asyncio.run(picture(Path("runs"), EMPTY))
        runs.mkdir(parents=True, exist_ok=True)
        os.chdir(runs.parent)  # paths on the pictures are short
        if not run_ids(runs):
            train(Path(runs.name), options.epochs)
        with one_at_work(Path(runs.name)):
            for shot in SHOTS:
                (runs / "views.json").unlink(missing_ok=True)
                asyncio.run(picture(Path(runs.name), shot))


if __name__ == "__main__":
    main()

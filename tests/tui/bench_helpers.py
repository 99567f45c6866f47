"""Opening the Adjust and Compare screens, for their tests."""

from typing import cast

import numpy as np
from dashboard_helpers import until
from finished_runs import COUNTS, accuracies, predictions_of
from textual.pilot import Pilot

from wbtui.store.predictions import SplitPredictions
from wbtui.tui.app import WbtuiApp
from wbtui.tui.screens.adjust import AdjustScreen
from wbtui.tui.screens.compare import CompareScreen


async def adjusting(app: WbtuiApp, pilot: Pilot[None]) -> AdjustScreen:
    """Open the screen on the shown runs, and wait until everything is known."""
    await pilot.press("L")
    await until(pilot, lambda: isinstance(app.screen, AdjustScreen) and app.screen.trials)
    screen = cast(AdjustScreen, app.screen)
    await rested(screen, pilot)
    return screen


async def comparing(app: WbtuiApp, pilot: Pilot[None], count: int) -> CompareScreen:
    """Select so many runs from the first line on, and compare them."""
    for place in range(count):
        await pilot.press(*(("j",) if place else ()), "space")
    await pilot.press("C")
    await until(pilot, lambda: isinstance(app.screen, CompareScreen) and app.screen.board)
    screen = cast(CompareScreen, app.screen)
    await rested(screen, pilot)
    return screen


async def rested(screen: AdjustScreen | CompareScreen, pilot: Pilot[None]) -> None:
    """Wait until nothing is computed any more, its answer included."""
    quiet = 0
    while quiet < 3:
        await until(pilot, lambda: not screen.busy)
        await pilot.pause(0.01)
        quiet = 0 if screen.busy else quiet + 1


def adjusted_accuracy(strength: float, seed: int = 0) -> dict[str, float]:
    """Additive adjustment of the test logits, computed here on its own."""
    found = predictions_of("test", seed)
    shifted = found.logits.astype(np.float64) - strength * np.log(np.array(COUNTS) / sum(COUNTS))
    return accuracies(SplitPredictions(shifted, found.labels))

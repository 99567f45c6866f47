"""What do the lines above and below the panels say?"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from wbtui.report.values import figure, percent, points, size
from wbtui.store.format import StateName
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui.ink import Part
from wbtui.tui.lines import TableLine
from wbtui.tui.marks import rich_colour
from wbtui.tui.panels import GROUP_LABELS
from wbtui.tui.plots import PlotState, Shown, epoch_at
from wbtui.tui.snapshots import Machine, RunDetail

_NAMED: tuple[StateName, ...] = (
    "running",
    "stalled",
    "starting",
    "stopping",
    "ending",
    "queued",
    "failed",
    "crashed",
    "stopped",
    "finished",
    "unknown",
)
_PLACE_CELLS = 30
_LOUD = {"failed": "#ff7b4a", "crashed": "#ff7b4a", "stalled": "#f0e442"}


def top_left(states: Mapping[str, int], runs: Path, *, loaded: bool) -> list[Part]:
    """Where the runs are, and how many there are of each state."""
    place = plain(str(runs))
    if len(place) > _PLACE_CELLS:  # what the runs do is more than where they are
        place = f"…{place[1 - _PLACE_CELLS :]}"
    parts: list[Part] = [(" wbtui ", "bold reverse"), (f" {place}  ", "")]
    named = [(f"{states[state]} {state}", _LOUD.get(state, "")) for state in _NAMED if states.get(state)]
    for number, part in enumerate(named or [("no runs" if loaded else "reading ...", "dim")]):
        parts += [(" · ", "dim"), part] if number else [part]
    return parts


def top_right(machine: Machine | None, width: int) -> list[Part]:
    """What the machine is doing; shorter on a narrow screen."""
    if machine is None:
        return []
    text = f"CPU {machine.cpu_percent:.0f}% RAM {size(machine.memory_bytes)} "
    gpu = machine.gpu
    if gpu and width >= 100:
        told = [f"GPU {gpu['percent']:.0f}%" if "percent" in gpu else "GPU"]
        if "memory_bytes" in gpu:
            told.append(f"{gpu['memory_bytes'] / 2**30:.1f}/{gpu['memory_total_bytes'] / 2**30:.0f}G")
        told += [f"{gpu['watts']:.0f}W"] if "watts" in gpu else []
        told += [f"{gpu['celsius']:.0f}°C"] if "celsius" in gpu else []
        text = " ".join(told) + "   " + text
    return [(text, "")]


def cursor_parts(shown: Sequence[Shown], state: PlotState, baseline: TableLine | None) -> list[Part]:
    """The figures of the shown runs at the cursor, or as they stand now; of seeds their means.

    Args:
        shown: The runs, or seeds of settings.
        state: Where the cursor is.
        baseline: What accuracies are held against, mean against mean; None: nothing.
    """
    parts: list[Part] = []
    before = None
    if baseline is not None:
        own = [one for one in shown if one.id == baseline.key]
        before = _mean(own[0], state, "test.accuracy.all") if own else None
        if before is None and state.cursor is None:
            before = baseline.mean_std("test.accuracy.all")[0]
    for one in shown:
        details = [detail for detail in one.details if len(detail.epochs)]
        if not details:
            continue
        detail = details[0]
        if not parts:
            parts.append((f" epoch {_epoch_of(detail, state)}", "bold"))
        figures = []
        for group, label in GROUP_LABELS.items():
            mean = _mean(one, state, f"test.accuracy.{group}")
            figures.append(f"{label} {percent(mean)}")
            if group == "all" and baseline is not None and baseline.key != one.id:
                apart = None if mean is None or before is None else mean - before
                figures[-1] += "" if apart is None else f" ({points(apart)})"
        fdr = _mean(one, state, "test.fdr")
        figures += [] if fdr is None else [f"FDR {figure(fdr)}"]
        parts += [(" │ ", "dim"), (plain(one.label), rich_colour(one.style)), (" " + " ".join(figures), "")]
        for alert in detail.alerts[-1:]:
            parts.append((f" ⚠ {plain(alert.message)[:120]}", "#ff7b4a"))
    return parts


def without_curves(row: RunSummary, detail: RunDetail | None) -> str:
    """Why the panels of a run are empty that is over and was read; empty: they are not, or not for good."""
    if not row.settled or detail is None or not detail.version or len(detail.epochs):
        return ""
    return " no curves: its events.jsonl holds no epochs"


def _epoch_of(detail: RunDetail, state: PlotState) -> int:
    """The epoch at the cursor, without one the run's own last."""
    at = epoch_at(detail, state.cursor, state.x_axis)
    return int(detail.epochs[-1] if at is None else min(max(at, 1), detail.epochs[-1]))


def _mean(one: Shown, state: PlotState, metric: str) -> float | None:
    """A metric over the seeds that have it there; None where none has."""
    values = [
        detail.curve(metric).at(_epoch_of(detail, state)) for detail in one.details if len(detail.epochs)
    ]
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else None

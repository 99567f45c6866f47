"""What do the lines above and below the panels say?"""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from wbtui.report.values import figure, percent, points, size
from wbtui.store.format import StateName
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui.ink import Part
from wbtui.tui.marks import rich_colour
from wbtui.tui.panels import GROUP_LABELS
from wbtui.tui.plots import PlotState, Shown, epoch_at
from wbtui.tui.snapshots import Machine, Snapshot

_NAMED: tuple[StateName, ...] = (
    "running",
    "stalled",
    "starting",
    "stopping",
    "queued",
    "failed",
    "crashed",
    "stopped",
    "finished",
    "unknown",
)
_LOUD = {"failed": "#ff7b4a", "crashed": "#ff7b4a", "stalled": "#f0e442"}


def top_left(snapshot: Snapshot, runs: Path) -> list[Part]:
    """Where the runs are and how many of each state."""
    counts = Counter(row.state for row in snapshot.rows)
    parts: list[Part] = [(" wbtui ", "bold reverse"), (f" {plain(str(runs))}  ", "")]
    named = [(f"{counts[state]} {state}", _LOUD.get(state, "")) for state in _NAMED if counts[state]]
    for number, part in enumerate(named or [("no runs" if snapshot.loaded else "reading ...", "dim")]):
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


def cursor_parts(shown: Sequence[Shown], state: PlotState, baseline: RunSummary | None) -> list[Part]:
    """The accuracies of the shown runs at the cursor, or as they stand now."""
    parts: list[Part] = []
    for one in shown:
        details = [detail for detail in one.details if len(detail.epochs)]
        if not details:
            continue
        detail = details[0]
        at = epoch_at(detail, state.cursor, state.x_axis)
        epoch = int(detail.epochs[-1] if at is None else min(max(at, 1), detail.epochs[-1]))
        if not parts:
            parts.append((f" epoch {epoch}", "bold"))
        figures = []
        for group, label in GROUP_LABELS.items():
            values = [d.curve(f"test.accuracy.{group}").at(epoch) for d in details]
            known = [value for value in values if math.isfinite(value)]
            mean = sum(known) / len(known) if known else None
            figures.append(f"{label} {percent(mean)}")
            if group == "all" and baseline is not None and baseline.id != one.id and state.cursor is None:
                before = baseline.accuracy_all
                if mean is not None and before is not None:
                    figures[-1] += f" ({points(mean - before)})"
        fdr = detail.curve("test.fdr").at(epoch)
        figures += [f"FDR {figure(fdr)}"] if math.isfinite(fdr) else []
        parts += [(" │ ", "dim"), (plain(one.label), rich_colour(one.style)), (" " + " ".join(figures), "")]
        for alert in detail.alerts[-1:]:
            parts.append((f" ⚠ {plain(alert.message)[:120]}", "#ff7b4a"))
    return parts

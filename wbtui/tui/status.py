"""What does the line above the table say, and why are panels empty?"""

from collections.abc import Mapping
from pathlib import Path

from wbtui.report.values import size
from wbtui.store.format import StateName
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui.ink import Part
from wbtui.tui.snapshots import NO_WORKER, Machine, RunDetail, Snapshot
from wbtui.tui.theme import BAD, CAUTION

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
_LOUD = {"failed": BAD, "crashed": BAD, "stalled": CAUTION}


def top_left(states: Mapping[str, int], runs: Path, snapshot: Snapshot) -> list[Part]:
    """Where the runs are, and how many there are of each state; with a problem that is not known."""
    place = plain(str(runs))
    if len(place) > _PLACE_CELLS:  # what the runs do is more than where they are
        place = f"…{place[1 - _PLACE_CELLS :]}"
    parts: list[Part] = [(" wbtui ", "bold reverse"), (f" {place}  ", "")]
    loud, besides = dict(_LOUD), {"queued": f", {snapshot.queue}" if snapshot.queue else ""}
    if snapshot.queue == NO_WORKER:
        loud["queued"] = CAUTION
    named = [
        (f"{states[state]} {state}{besides.get(state, '')}", loud.get(state, ""))
        for state in _NAMED
        if states.get(state)
    ]
    nothing = "cannot be listed" if snapshot.problem else "no runs" if snapshot.loaded else "reading ..."
    for number, part in enumerate(named or [(nothing, "dim")]):
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
    return [(f" {text}", "")]  # where there is just room, apart from what stands before


def without_curves(row: RunSummary, detail: RunDetail | None) -> str:
    """Why the panels of a run are empty that is over and was read; empty: they are not, or not for good."""
    if not row.settled or detail is None or not detail.version or len(detail.epochs):
        return ""
    return " no curves: its events.jsonl holds no epochs"

"""What does the line below the panels say of the shown runs, in the room there is?

Alerts have the first claim on it. Figures go by whole words, the same ones of all runs; then runs go, the last first.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from wbtui.report.figures import SCREEN_TITLES
from wbtui.report.values import figure, percent, points
from wbtui.store.text import plain
from wbtui.tui.alerts import LOUD_STATES, MARK, Alert
from wbtui.tui.ink import Part, fitted, parts_width
from wbtui.tui.lines import TableLine
from wbtui.tui.marks import rich_colour
from wbtui.tui.plots import PlotState, Shown, epoch_at
from wbtui.tui.snapshots import RunDetail
from wbtui.tui.theme import BAD

_LONGEST = 120  # characters of an alert
_LEAST = 16  # cells below which an alert says nothing
_GO = ("fdr", "medium", "many", "few")
"""Figures that make room, the first first; All stays."""


@dataclass(frozen=True)
class _Told:
    """One run, as far as the line tells of it."""

    name: Part
    figures: Mapping[str, str]
    alert: str

    def parts(self, left_out: Sequence[str]) -> list[Part]:
        words = [words for group, words in self.figures.items() if group not in left_out]
        parts: list[Part] = [(" │ ", "dim"), self.name, ("".join(f" {one}" for one in words), "")]
        return [*parts, (f" {MARK} {self.alert}", BAD)] if self.alert else parts


def figures_line(
    shown: Sequence[Shown],
    state: PlotState,
    baseline: TableLine | None,
    width: int,
    alerts: Mapping[str, Sequence[Alert]] | None = None,
) -> list[Part]:
    """The figures of the shown runs at the cursor, or as they stand now; of seeds their means.

    Args:
        shown: The runs, or seeds of settings.
        state: Where the cursor is.
        baseline: What accuracies are held against, mean against mean; None: nothing.
        width: Cells there are.
        alerts: By id of what is shown, what is wrong with it beside what its trainer noticed.
    """
    first = next((detail for one in shown for detail in _measured(one)), None)
    if first is None:
        return []
    before = _before(shown, state, baseline)
    told = [
        _Told(
            (plain(one.label), rich_colour(one.style)),
            _figures(one, state, before if baseline is not None and baseline.key != one.id else None),
            _alert(one.details, (alerts or {}).get(one.id, ())),
        )
        for one in shown
    ]
    head: Part = (f" epoch {_epoch_of(first, state)}", "bold")
    return _fitted(head, [one for one in told if one.figures or one.alert], width)


def _fitted(head: Part, told: Sequence[_Told], width: int) -> list[Part]:
    """As much as there is room for."""
    silent = [replace(one, alert="") for one in told]
    staying = [bare for bare, one in zip(silent, told, strict=True) if one is told[0] or one.alert]
    beside_all = width - parts_width(_line(head, silent, _GO, 0))
    beside_few = width - parts_width(_line(head, staying, _GO, len(told) - len(staying)))
    told = _with_alerts_cut(told, max(beside_all, min(beside_few, width // 2)))
    here = list(told)
    while True:
        for gone in range(len(_GO) + 1):
            parts = _line(head, here, _GO[:gone], len(told) - len(here))
            if parts_width(parts) <= width:
                return parts
        if len(here) == 1:
            return parts
        quiet = [place for place, one in enumerate(here) if place and not one.alert]
        del here[quiet[-1] if quiet else -1]


def _line(head: Part, told: Sequence[_Told], left_out: Sequence[str], more: int) -> list[Part]:
    parts = [head, *(part for one in told for part in one.parts(left_out))]
    return [*parts, (f" │ +{more}", "dim")] if more else parts


def _with_alerts_cut(told: Sequence[_Told], room: int) -> list[_Told]:
    """Alerts that share so much room; a long one takes what short ones leave."""
    cells = {place: cell_len(one.alert) + 3 for place, one in enumerate(told) if one.alert}
    given: dict[int, int] = {}
    for number, place in enumerate(sorted(cells, key=lambda place: cells[place])):
        share = (room - sum(given.values())) // (len(cells) - number)
        given[place] = min(cells[place], max(share, _LEAST))
    return [
        replace(one, alert=cut_by_words(one.alert, given[place] - 3)) if place in given else one
        for place, one in enumerate(told)
    ]


def cut_by_words(text: str, width: int) -> str:
    """Text in at most so many cells, cut between words where one fits."""
    if cell_len(text) <= width:
        return text
    kept = ""
    for word in text.split(" "):
        longer = f"{kept} {word}" if kept else word
        if cell_len(longer) + 2 > width:
            break
        kept = longer
    return f"{kept.removesuffix(MARK).rstrip()} …" if kept else fitted(text, width)


def _alert(details: Sequence[RunDetail], derived: Sequence[Alert]) -> str:
    """What is wrong with a run: what its trainer noticed last, and what readers see beside that; nothing twice."""
    noticed = next((detail.alerts[-1] for detail in details if detail.alerts), None)
    again = noticed is not None and any(noticed.message in alert.words for alert in derived)
    told = [] if noticed is None or again else [noticed.message]
    for alert in derived:
        if noticed is None or (alert.cause, noticed.kind) != ("non-finite loss", "non_finite_loss"):
            told.append(f"{alert.cause}{':' if alert.cause in LOUD_STATES else ''} {alert.words}")
    return f"  {MARK} ".join(plain(one)[:_LONGEST] for one in told)


def _figures(one: Shown, state: PlotState, before: float | None) -> dict[str, str]:
    """Group → its figure in words, with the difference of All to what was before; and FDR. Empty: no epochs."""
    if not _measured(one):
        return {}
    figures = {}
    for group, label in SCREEN_TITLES.items():
        mean = _mean(one, state, f"test.accuracy.{group}")
        figures[group] = f"{label} {percent(mean)}"
        if group == "all" and mean is not None and before is not None:
            figures[group] += f" ({points(mean - before)})"
    fdr = _mean(one, state, "test.fdr")
    return figures if fdr is None else {**figures, "fdr": f"FDR {figure(fdr)}"}


def _before(shown: Sequence[Shown], state: PlotState, baseline: TableLine | None) -> float | None:
    """All of the baseline at the cursor; where it is not drawn, as it stands."""
    if baseline is None:
        return None
    own = [one for one in shown if one.id == baseline.key]
    before = _mean(own[0], state, "test.accuracy.all") if own else None
    return baseline.mean_std("test.accuracy.all")[0] if before is None and state.cursor is None else before


def _measured(one: Shown) -> list[RunDetail]:
    return [detail for detail in one.details if len(detail.epochs)]


def _epoch_of(detail: RunDetail, state: PlotState) -> int:
    """The epoch at the cursor, without one the run's own last."""
    at = epoch_at(detail, state.cursor, state.x_axis)
    return int(detail.epochs[-1] if at is None else min(max(at, 1), detail.epochs[-1]))


def _mean(one: Shown, state: PlotState, metric: str) -> float | None:
    """A metric over the seeds that have it there; None where none has."""
    values = [detail.curve(metric).at(_epoch_of(detail, state)) for detail in _measured(one)]
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else None
